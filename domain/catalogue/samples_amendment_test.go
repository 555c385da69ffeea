package catalogue_test

import (
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/amendment"
)

var (
	amended = amendment.ID{Agreement: "framework", Amendment: "a-1"}
	changes = []domain.Clause{
		domain.Clause(`{"command":"reschedule-milestone","project":"iot-base","milestone":"site","due":"2019-03-31"}`),
		domain.Clause(`{"command":"add-area","area":"chips","title":{"en":"Chips & \"IC\"","zh":"集成电路"}}`),
	}
)

var amendmentSamples = []domain.Event{
	amendment.AmendmentProposed{
		ID: amended, Title: title, Rationale: title, ReasonCode: "other", Note: "大雨 & \"flood\"", Party: "wuxi", Parties: keys,
		Document: document, Term: term, Changes: changes, On: on,
	},
	amendment.Signed{ID: amended, Party: "wuxi", Signatory: "王", Date: on, Document: document},
	amendment.TookEffect{ID: amended, On: on},
	amendment.AmendmentRejected{ID: amended, Party: "cethik", On: on},
	amendment.AmendmentWithdrawn{ID: amended, Party: "wuxi", On: on},
}

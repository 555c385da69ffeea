package catalogue_test

import (
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/fund"
)

var (
	iotFund = fund.ID{Agreement: "framework", Fund: "iot-fund"}
	value   = domain.Money{Amount: "1250000.5", Currency: "CNY"}
)

var fundSamples = []domain.Event{
	fund.Proposed{ID: iotFund, Title: title, Target: value},
	fund.FundEstablished{ID: iotFund, Currency: "CNY", TargetSize: "10000000000", Manager: "cethik", On: on},
	fund.PledgeRecorded{ID: iotFund, Pledge: "p-1", Party: "wuxi", Value: value, On: on},
	fund.FundsCommitted{ID: iotFund, Commitment: "c-1", Party: "wuxi", Pledge: "p-1", Value: value, On: on},
	fund.CommitmentReduced{ID: iotFund, Commitment: "c-1", Value: value, On: on},
	fund.FundsDisbursed{ID: iotFund, Disbursement: "d-1", Commitment: "c-1", Project: "iot-base", Milestone: "site", Value: value, On: on},
	fund.ExpenditureRecorded{ID: iotFund, Expenditure: "e-1", Disbursement: "d-1", Title: title, Value: value, On: on},
	fund.FundClosed{ID: iotFund, On: on},
}

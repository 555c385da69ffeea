package catalogue_test

import (
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
)

var land = agreement.ObligationID{Agreement: "framework", Obligation: "land"}

// agreementSamples are of mechanisms and obligations.
var agreementSamples = []domain.Event{
	agreement.MechanismEstablished{
		ID: framework, Mechanism: "coordination", Kind: "coordination", Title: title, Members: keys, Cadence: "quarterly", On: on,
	},
	agreement.MechanismChanged{ID: framework, Mechanism: "coordination", Title: title, Members: keys, Cadence: "monthly"},
	agreement.MechanismDissolved{ID: framework, Mechanism: "coordination", On: on},
	agreement.ObligationAdded{
		ID: framework, Obligation: "land", Title: title, Debtor: "wuxi", Beneficiary: "cethik", Due: on,
		Value: domain.Money{Amount: "1500000.5", Currency: "CNY"},
	},
	agreement.FulfilmentClaimed{ObligationID: land, Party: "wuxi", FulfilledOn: on},
	agreement.FulfilmentConfirmed{ObligationID: land, Party: "cethik", FulfilledOn: on},
	agreement.FulfilmentDisputed{ObligationID: land, Party: "cethik"},
	agreement.ObligationWaived{ObligationID: land, Party: "cethik"},
	agreement.BreachDeclared{ObligationID: land, Party: "cethik"},
}

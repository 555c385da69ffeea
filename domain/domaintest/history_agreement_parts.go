package domaintest

import (
	"pgregory.net/rapid"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
)

var (
	mechanisms  = rapid.SampledFrom([]domain.Key{"coordination", "coordination", "coordination", "promotion"})
	obligations = rapid.SampledFrom([]domain.Key{"land", "plant"})
	owed        = rapid.SampledFrom([]domain.Money{{}, {Amount: "1500000.5", Currency: "CNY"}, {Amount: "30", Currency: "JPY"}, {Amount: "0.001", Currency: "CNY"}})

	// Mechanisms, Obligations and Meetings draw commands about those of
	// Framework, for histories that go deeper into them than Commands does.
	Mechanisms  = within(func(t *rapid.T) asks { return ofMechanism(t, Framework) })
	Obligations = within(func(t *rapid.T) asks { return ofObligation(t, Framework) })
	Meetings    = within(func(t *rapid.T) asks { return ofMeeting(t, Framework.Agreement) })
)

func within(group func(*rapid.T) asks) *rapid.Generator[domain.Command] {
	return rapid.Custom(func(t *rapid.T) domain.Command { return rapid.SampledFrom(group(t)).Draw(t, "which")() })
}

// ofMechanism are commands about the mechanisms of an agreement.
func ofMechanism(t *rapid.T, a agreement.ID) asks {
	key := mechanisms.Draw(t, "mechanism")
	establish := func() domain.Command {
		return agreement.EstablishMechanism{
			ID: a, Mechanism: key, Kind: "coordination", Title: texts.Draw(t, "title"), Members: some(t, parties, 2, 2), Cadence: "quarterly",
		}
	}
	return asks{establish, establish, establish,
		func() domain.Command {
			return agreement.ChangeMechanism{ID: a, Mechanism: key, Title: texts.Draw(t, "title"), Members: some(t, parties, 0, 2), Cadence: "yearly"}
		},
		func() domain.Command { return agreement.DissolveMechanism{ID: a, Mechanism: key} },
	}
}

// ofObligation are commands about the obligations of an agreement.
func ofObligation(t *rapid.T, a agreement.ID) asks {
	o := agreement.ObligationID{Agreement: a.Agreement, Obligation: obligations.Draw(t, "obligation")}
	add := func() domain.Command {
		return agreement.AddObligation{
			ID: a, Obligation: o.Obligation, Title: texts.Draw(t, "title"), Debtor: signers.Draw(t, "debtor"),
			Beneficiary: parties.Draw(t, "beneficiary"), Due: dates.Draw(t, "due"), Value: owed.Draw(t, "value"),
		}
	}
	claim := func() domain.Command {
		return agreement.ClaimFulfilment{ObligationID: o, Party: signers.Draw(t, "party"), FulfilledOn: dates.Draw(t, "fulfilled_on")}
	}
	confirm := func() domain.Command {
		return agreement.ConfirmFulfilment{ObligationID: o, Party: parties.Draw(t, "party")}
	}
	return asks{add, add, claim, claim, confirm, confirm,
		func() domain.Command {
			return agreement.DisputeFulfilment{ObligationID: o, Party: signers.Draw(t, "party")}
		},
		func() domain.Command {
			return agreement.WaiveObligation{ObligationID: o, Party: signers.Draw(t, "party")}
		},
		func() domain.Command {
			return agreement.DeclareBreach{ObligationID: o, Party: signers.Draw(t, "party")}
		},
	}
}

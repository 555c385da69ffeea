package domaintest

import (
	"pgregory.net/rapid"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/fund"
)

// IoTFund is the fund of the fixtures, under Framework.
var IoTFund = fund.ID{Agreement: Framework.Agreement, Fund: "iot-fund"}

// CNY is an amount in the currency of the fixtures.
func CNY(amount domain.Decimal) domain.Money { return domain.Money{Amount: amount, Currency: "CNY"} }

// Funded has IoTFund established beside Running, with the commitment c-1 of
// City over 100 yuan, which makes good its pledge p-1 of 150.
func Funded() []domain.Event {
	on := domain.MustDate("2018-06-01")
	return append(Running(),
		fund.Proposed{ID: IoTFund, Title: En("IoT fund")},
		fund.PledgeRecorded{ID: IoTFund, Pledge: "p-1", Party: City, Value: CNY("150"), On: on},
		fund.FundEstablished{ID: IoTFund, Currency: "CNY", TargetSize: "1000", Manager: Group, On: on},
		fund.FundsCommitted{ID: IoTFund, Commitment: "c-1", Party: City, Pledge: "p-1", Value: CNY("100"), On: on})
}

// Funds draws commands about the funds of Framework.
var Funds = within(func(t *rapid.T) asks { return ofFund(t, Framework.Agreement) })

var (
	records = rapid.SampledFrom([]domain.Key{"c-1", "c-2", "c-3"}) // few, so that they meet
	moneys  = rapid.Custom(func(t *rapid.T) domain.Money {
		return domain.Money{
			Amount:   rapid.SampledFrom([]domain.Decimal{"0.01", "10", "25.5", "25.5", "60", "100", "200", "0", "-5", "1.001"}).Draw(t, "amount"),
			Currency: rapid.SampledFrom([]domain.Currency{"CNY", "CNY", "CNY", "CNY", "CNY", "CNY", "USD"}).Draw(t, "currency"),
		}
	})
)

// ofFund are commands about the funds of an agreement. Those that much else
// waits for, and those that draw on it, stand in it more than once.
func ofFund(t *rapid.T, agreement domain.Key) asks {
	f := fund.ID{Agreement: agreement, Fund: rapid.SampledFrom([]domain.Key{"iot-fund", "iot-fund", "iot-fund", "chip-fund"}).Draw(t, "fund")}
	propose := func() domain.Command {
		c := fund.Propose{Agreement: f.Agreement, Fund: f.Fund, Title: texts.Draw(t, "title")}
		if rapid.Bool().Draw(t, "sized") {
			c.Target = moneys.Draw(t, "target")
		}
		return c
	}
	establish := func() domain.Command {
		return fund.Establish{ID: f, Currency: "CNY", TargetSize: rapid.SampledFrom([]domain.Decimal{"", "500"}).Draw(t, "target_size"), Manager: parties.Draw(t, "manager")}
	}
	commit := func() domain.Command {
		return fund.Commit{
			ID: f, Commitment: records.Draw(t, "commitment"), Party: parties.Draw(t, "party"),
			Pledge: rapid.SampledFrom([]domain.Key{"", "", "c-1"}).Draw(t, "pledge"), Value: moneys.Draw(t, "value"),
		}
	}
	disburse := func() domain.Command {
		return fund.Disburse{
			ID: f, Disbursement: records.Draw(t, "disbursement"), Commitment: records.Draw(t, "commitment"), Project: projects.Draw(t, "project"),
			Milestone: rapid.SampledFrom([]domain.Key{"", "site", "launch"}).Draw(t, "milestone"), Value: moneys.Draw(t, "value"),
		}
	}
	spend := func() domain.Command {
		return fund.RecordExpenditure{
			ID: f, Expenditure: records.Draw(t, "expenditure"), Disbursement: records.Draw(t, "disbursement"),
			Title: texts.Draw(t, "title"), Value: moneys.Draw(t, "value"),
		}
	}
	all := asks{
		propose, propose, establish, establish, commit, commit, disburse, disburse, disburse, spend, spend,
		func() domain.Command {
			return fund.RecordPledge{ID: f, Pledge: records.Draw(t, "pledge"), Party: parties.Draw(t, "party"), Value: moneys.Draw(t, "value")}
		},
		func() domain.Command {
			return fund.ReduceCommitment{ID: f, Commitment: records.Draw(t, "commitment"), Value: moneys.Draw(t, "value")}
		},
	}
	if rapid.IntRange(0, 19).Draw(t, "closing") == 19 { // else nothing lives for long
		all = append(all, func() domain.Command { return fund.Close{ID: f} })
	}
	return all
}

package fund_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/catalogue"
	. "github.com/milepost-ledger/milepost/domain/domaintest"
	"github.com/milepost-ledger/milepost/domain/fund"
	"github.com/milepost-ledger/milepost/domain/project"
)

// disbursed has an amount of c-1 disbursed to Base.
func disbursed(key domain.Key, amount domain.Decimal) fund.FundsDisbursed {
	return fund.FundsDisbursed{ID: IoTFund, Disbursement: key, Commitment: "c-1", Project: "iot-base", Value: CNY(amount), On: day("2019-01-01")}
}

// spent has an amount of a disbursement spent.
func spent(key, of domain.Key, amount domain.Decimal) fund.ExpenditureRecorded {
	return fund.ExpenditureRecorded{ID: IoTFund, Expenditure: key, Disbursement: of, Value: CNY(amount), On: day("2019-02-01")}
}

func TestRecordPledge(t *testing.T) {
	cmd := fund.RecordPledge{ID: IoTFund, Pledge: "p-2", Party: Stranger, Value: CNY("50.25")}
	s := explored(t).When(cmd).Then(fund.PledgeRecorded{ID: IoTFund, Pledge: "p-2", Party: Stranger, Value: CNY("50.25"), On: Today})

	// when it is recorded again, then only as a correction
	cmd.Value = CNY("40")
	assert.Contains(t, s.When(cmd).Refused(domain.CodeAlreadyExists, "pledge"), "corrects")
	s.When(cmd, correcting).Accepted()
	p, _ := iot(s).Pledges.Get("p-2")
	assert.Equal(t, fund.Pledge{Party: Stranger, Amount: "40", On: Today}, p)

	s.When(cmd, domain.Meta{ActingFor: City}).Refused(domain.CodeAlreadyExists, "pledge")
	cmd.Pledge = "p-3"
	s.When(cmd, domain.Meta{ActingFor: City}).Refused(domain.CodeWrongParty, "party")
	assert.Equal(t, Stranger, cmd.ActingParty())
	cmd.Party = "nobody"
	s.When(cmd).Refused(domain.CodeNotFound, "party")
	cmd.Pledge = ""
	s.When(cmd).Refused(domain.CodeMissingField, "pledge")

	// given a commitment that makes a pledge good, then both stay of one party
	moved := fund.RecordPledge{ID: IoTFund, Pledge: "p-1", Party: Group, Value: CNY("150")}
	assert.Contains(t, Given(t, Funded()...).When(moved, correcting).Refused(domain.CodeWrongParty, "party"), "c-1")
}

func TestCommit(t *testing.T) {
	cmd := fund.Commit{ID: IoTFund, Commitment: "c-2", Party: City, Pledge: "p-1", Value: CNY("50")}
	s := Given(t, Funded()...).When(cmd).Then(fund.FundsCommitted{ID: IoTFund, Commitment: "c-2", Party: City, Pledge: "p-1", Value: CNY("50"), On: Today})
	s.When(cmd).Refused(domain.CodeAlreadyExists, "commitment")

	for name, c := range map[string]struct {
		change      func(*fund.Commit)
		code, field string
	}{
		"no key":                {func(c *fund.Commit) { c.Commitment = "" }, domain.CodeMissingField, "commitment"},
		"an unknown party":      {func(c *fund.Commit) { c.Party = "nobody" }, domain.CodeNotFound, "party"},
		"an unknown pledge":     {func(c *fund.Commit) { c.Pledge = "p-9" }, domain.CodeNotFound, "pledge"},
		"another party's":       {func(c *fund.Commit) { c.Party = Group }, domain.CodeWrongParty, "pledge"},
		"another currency":      {func(c *fund.Commit) { c.Value = usd("50") }, domain.CodeOtherCurrency, "value.currency"},
		"too many decimals":     {func(c *fund.Commit) { c.Value = CNY("0.005") }, domain.CodeInvalidAmount, "value.amount"},
		"nothing":               {func(c *fund.Commit) { c.Value = CNY("0") }, domain.CodeInvalidAmount, "value.amount"},
		"less than nothing":     {func(c *fund.Commit) { c.Value = CNY("-1") }, domain.CodeInvalidAmount, "value.amount"},
		"an amount of nothing":  {func(c *fund.Commit) { c.Value.Amount = "" }, domain.CodeMissingField, "value.amount"},
		"an amount of no money": {func(c *fund.Commit) { c.Value.Currency = "" }, domain.CodeMissingField, "value.currency"},
		"an unknown fund":       {func(c *fund.Commit) { c.Fund = "other" }, domain.CodeNotFound, "fund"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := cmd
			cmd.Commitment = "c-3"
			c.change(&cmd)
			s.When(cmd).Refused(c.code, c.field)
		})
	}
	cmd.Commitment = "c-3"
	s.When(cmd, domain.Meta{ActingFor: Group}).Refused(domain.CodeWrongParty, "party")
	assert.Equal(t, City, cmd.ActingParty())
}

// Invariant 6: a correction of a commitment leaves its reductions, and room for
// what is disbursed.
func TestACommitmentIsCorrected(t *testing.T) {
	s := Given(t, Funded()...).And(fund.CommitmentReduced{ID: IoTFund, Commitment: "c-1", Value: CNY("10"), On: Today}, disbursed("d-1", "60"))
	corrected := fund.Commit{ID: IoTFund, Commitment: "c-1", Party: City, Value: CNY("69.99")}
	assert.Contains(t, s.When(corrected, correcting).Refused(domain.CodeAmountExceeded, "value.amount"), "70 CNY")
	corrected.Value = CNY("70")
	s.When(corrected, correcting).Accepted()
	c, _ := iot(s).Commitments.Get("c-1")
	assert.Equal(t, fund.Commitment{Party: City, Amount: "60", Reduced: "10", On: Today}, c)
}

func TestReduceCommitment(t *testing.T) {
	cmd := fund.ReduceCommitment{ID: IoTFund, Commitment: "c-1", Value: CNY("40.01")}
	given := func() *Scenario { return Given(t, Funded()...).And(disbursed("d-1", "60")) }
	assert.Contains(t, given().When(cmd, reason).Refused(domain.CodeAmountExceeded, "value.amount"), "40 CNY left")
	cmd.Value = CNY("40")
	given().When(cmd).Refused(domain.CodeReasonRequired, "reason")
	s := given().When(cmd, reason).Then(fund.CommitmentReduced{ID: IoTFund, Commitment: "c-1", Value: CNY("40"), On: Today})
	c, _ := iot(s).Commitments.Get("c-1")
	assert.Equal(t, [2]domain.Decimal{"60", "40"}, [2]domain.Decimal{c.Amount, c.Reduced})
	cmd.Value = CNY("0.01")
	s.When(cmd, reason).Refused(domain.CodeAmountExceeded, "value.amount")
	cmd.Value = usd("1")
	s.When(cmd, reason).Refused(domain.CodeOtherCurrency, "value.currency")
	cmd.Commitment = "c-9"
	s.When(cmd, reason).Refused(domain.CodeNotFound, "commitment")
}

// Invariant 6: disbursed <= committed. The events on the agreement and the
// project make the append see that they still allow it.
func TestDisburse(t *testing.T) {
	cmd := fund.Disburse{ID: IoTFund, Disbursement: "d-1", Commitment: "c-1", Project: "iot-base", Milestone: "site", Value: CNY("60")}
	effective := domain.Meta{Effective: day("2019-01-01")}
	then := []domain.Event{
		fund.FundsDisbursed{ID: IoTFund, Disbursement: "d-1", Commitment: "c-1", Project: "iot-base", Milestone: "site", Value: CNY("60"), On: day("2019-01-01")},
		domain.On(Framework.Ref(), agreement.FundsDisbursed{
			ID: Framework, Fund: "iot-fund", Disbursement: "d-1", Project: "iot-base", Value: CNY("60"), On: day("2019-01-01"),
		}),
		domain.On(Base.Ref(), project.FundsReceived{
			ID: Base, Fund: "iot-fund", Disbursement: "d-1", Milestone: "site", Value: CNY("60"), On: day("2019-01-01"),
		}),
	}
	s := Given(t, Funded()...).When(cmd, effective).Then(then...)
	s.When(cmd).Refused(domain.CodeAlreadyExists, "disbursement")

	// then no more is left than the rest
	cmd.Disbursement, cmd.Value = "d-2", CNY("40.01")
	assert.Contains(t, s.When(cmd).Refused(domain.CodeAmountExceeded, "value.amount"), "40 CNY left")
	cmd.Milestone, cmd.Value = "", CNY("40")
	s.When(cmd).Accepted()
	assert.Equal(t, domain.Decimal("100"), iot(s).Disbursed("c-1"))
	cmd.Disbursement, cmd.Value = "d-3", CNY("0.01")
	s.When(cmd).Refused(domain.CodeAmountExceeded, "value.amount")

	for name, c := range map[string]struct {
		change      func(*fund.Disburse)
		code, field string
	}{
		"no key":                {func(c *fund.Disburse) { c.Disbursement = "" }, domain.CodeMissingField, "disbursement"},
		"an unknown commitment": {func(c *fund.Disburse) { c.Commitment = "c-9" }, domain.CodeNotFound, "commitment"},
		"an unknown project":    {func(c *fund.Disburse) { c.Project = "town" }, domain.CodeNotFound, "project"},
		"an unknown milestone":  {func(c *fund.Disburse) { c.Milestone = "roof" }, domain.CodeNotFound, "milestone"},
		"another currency":      {func(c *fund.Disburse) { c.Value = usd("1") }, domain.CodeOtherCurrency, "value.currency"},
		"too many decimals":     {func(c *fund.Disburse) { c.Value = CNY("1.001") }, domain.CodeInvalidAmount, "value.amount"},
		"an unknown fund":       {func(c *fund.Disburse) { c.Fund = "other" }, domain.CodeNotFound, "fund"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := fund.Disburse{ID: IoTFund, Disbursement: "d-1", Commitment: "c-1", Project: "iot-base", Value: CNY("1")}
			c.change(&cmd)
			Given(t, Funded()...).When(cmd).Refused(c.code, c.field)
		})
	}
	cmd.Disbursement = "d-1"
	Given(t, Funded()...).When(cmd, domain.Meta{Effective: Today + 1}).Refused(domain.CodeFutureDate, "effective")
}

// Invariant 9, and what has ended takes no funds.
func TestWhoTakesNoFunds(t *testing.T) {
	cmd := fund.Disburse{ID: IoTFund, Disbursement: "d-1", Commitment: "c-1", Project: "iot-base", Milestone: "site", Value: CNY("1")}
	for name, c := range map[string]struct {
		happened    domain.Event
		code, field string
		says        string
	}{
		"agreement suspended":  {agreement.Suspended{ID: Framework}, agreement.CodeAgreementNotActive, "agreement", "resume-agreement"},
		"agreement terminated": {agreement.Terminated{ID: Framework, On: Today}, agreement.CodeAgreementNotActive, "agreement", "terminated"},
		"project closed":       {project.Closed{ID: Base, On: Today}, domain.CodeWrongState, "project", "closed"},
		"project cancelled":    {project.Cancelled{ID: Base, On: Today}, domain.CodeWrongState, "project", "cancelled"},
		"milestone cancelled":  {project.MilestoneCancelled{MilestoneID: Milestone("site")}, domain.CodeWrongState, "milestone", "cancelled"},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Contains(t, Given(t, Funded()...).And(c.happened).When(cmd).Refused(c.code, c.field), c.says)
		})
	}
	unsigned := append(UnderConsultation(), Funded()[len(Running()):]...)
	assert.Contains(t, Given(t, unsigned...).When(cmd).Refused(agreement.CodeAgreementNotActive, "agreement"), "sign-agreement")

	// but a project that is not under way, or rests, does
	for _, happened := range []domain.Event{project.Suspended{ID: Base}, project.Completed{ID: Base}, project.Approved{ID: Base}} {
		Given(t, Funded()...).And(happened).When(cmd).Accepted()
	}
}

// A correction of a disbursement stays between what is spent of it and what its
// commitment has left for it.
func TestADisbursementIsCorrected(t *testing.T) {
	given := func() *Scenario {
		return Given(t, Funded()...).And(disbursed("d-1", "60"), disbursed("d-2", "30"), spent("e-1", "d-1", "20"),
			fund.FundsCommitted{ID: IoTFund, Commitment: "c-2", Party: Group, Value: CNY("50"), On: Today})
	}
	to := func(commitment domain.Key, amount domain.Decimal) fund.Disburse {
		return fund.Disburse{ID: IoTFund, Disbursement: "d-1", Commitment: commitment, Project: "iot-base", Value: CNY(amount)}
	}
	assert.Contains(t, given().When(to("c-1", "70.01"), correcting).Refused(domain.CodeAmountExceeded, "value.amount"), "70 CNY left")
	assert.Contains(t, given().When(to("c-1", "19.99"), correcting).Refused(domain.CodeAmountExceeded, "value.amount"), "20 CNY spent")
	assert.Equal(t, domain.Decimal("100"), iot(given().When(to("c-1", "70"), correcting).Accepted()).Disbursed("c-1"))
	assert.Equal(t, domain.Decimal("50"), iot(given().When(to("c-1", "20"), correcting).Accepted()).Disbursed("c-1"))
	given().When(to("c-2", "60"), correcting).Refused(domain.CodeAmountExceeded, "value.amount")
	s := given().When(to("c-2", "50"), correcting).Accepted()
	assert.Equal(t, [2]domain.Decimal{"30", "50"}, [2]domain.Decimal{iot(s).Disbursed("c-1"), iot(s).Disbursed("c-2")})
}

// Invariant 6: expenditure <= disbursed.
func TestRecordExpenditure(t *testing.T) {
	cmd := fund.RecordExpenditure{ID: IoTFund, Expenditure: "e-1", Disbursement: "d-1", Title: En("Land"), Value: CNY("45.5")}
	s := Given(t, Funded()...).And(disbursed("d-1", "60"), disbursed("d-2", "10"))
	s.When(cmd).Then(fund.ExpenditureRecorded{ID: IoTFund, Expenditure: "e-1", Disbursement: "d-1", Title: En("Land"), Value: CNY("45.5"), On: Today})
	s.When(cmd).Refused(domain.CodeAlreadyExists, "expenditure")
	cmd.Value = CNY("60.01")
	assert.Contains(t, s.When(cmd, correcting).Refused(domain.CodeAmountExceeded, "value.amount"), "60 CNY left")
	cmd.Value = CNY("60")
	s.When(cmd, correcting).Accepted()
	assert.Equal(t, domain.Decimal("60"), iot(s).Spent("d-1"))
	cmd.Disbursement, cmd.Value = "d-2", CNY("10.01")
	s.When(cmd, correcting).Refused(domain.CodeAmountExceeded, "value.amount")
	cmd.Value = CNY("10")
	s.When(cmd, correcting).Accepted()
	assert.Equal(t, [2]domain.Decimal{"0", "10"}, [2]domain.Decimal{iot(s).Spent("d-1"), iot(s).Spent("d-2")})

	for name, c := range map[string]struct {
		change      func(*fund.RecordExpenditure)
		code, field string
	}{
		"no key":                  {func(c *fund.RecordExpenditure) { c.Expenditure = "" }, domain.CodeMissingField, "expenditure"},
		"an unknown disbursement": {func(c *fund.RecordExpenditure) { c.Disbursement = "d-9" }, domain.CodeNotFound, "disbursement"},
		"another currency":        {func(c *fund.RecordExpenditure) { c.Value = usd("1") }, domain.CodeOtherCurrency, "value.currency"},
		"more than is left":       {func(c *fund.RecordExpenditure) { c.Disbursement = "d-2"; c.Value = CNY("0.01") }, domain.CodeAmountExceeded, "value.amount"},
		"too many decimals":       {func(c *fund.RecordExpenditure) { c.Value = CNY("1.005") }, domain.CodeInvalidAmount, "value.amount"},
		"an unknown fund":         {func(c *fund.RecordExpenditure) { c.Fund = "other" }, domain.CodeNotFound, "fund"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := fund.RecordExpenditure{ID: IoTFund, Expenditure: "e-2", Disbursement: "d-1", Value: CNY("1")}
			c.change(&cmd)
			s.When(cmd).Refused(c.code, c.field)
		})
	}
	cmd.Expenditure, cmd.Disbursement = "e-2", "d-1"
	s.When(cmd, domain.Meta{Effective: Today + 1}).Refused(domain.CodeFutureDate, "effective")
}

// What is written as a float, or finer than money is, never gets so far as to
// be rounded.
func TestAmountsAsTheyCome(t *testing.T) {
	commit, _, err := catalogue.Command("commit-funds")
	require.NoError(t, err)
	asked := func(amount string) (domain.Money, error) {
		cmd, _, err := commit.Decode(fmt.Appendf(nil, `{"agreement":"framework","fund":"iot-fund","party":"wuxi","value":{"amount":%s,"currency":"CNY"}}`, amount))
		if err != nil {
			return domain.Money{}, err
		}
		return cmd.(fund.Commit).Value, nil
	}
	for written, want := range map[string]domain.Decimal{
		`"1250000.50"`: "1250000.5", `1250000.50`: "1250000.5", `007`: "", `"007"`: "7", `0.1`: "0.1", `9007199254740993`: "9007199254740993",
	} {
		got, err := asked(written)
		if !json.Valid([]byte(written)) {
			assert.Error(t, err, written)
			continue
		}
		require.NoError(t, err, written)
		assert.Equal(t, CNY(want), got, written)
	}
	for _, written := range []string{`1e3`, `"1e3"`, `1E-2`, `"1,000"`, `" 1"`, `"1 "`, `"+1"`, `".5"`, `"5."`, `"0x10"`, `"NaN"`, `"∞"`, `"١"`, `true`, `[1]`, `{}`, `0.12345678901`, `123456789012345678901`} {
		_, err := asked(written)
		var refused *domain.Rejected
		require.ErrorAs(t, err, &refused, written)
		assert.Equal(t, [2]string{domain.CodeInvalidValue, "value.amount"}, [2]string{refused.Code, refused.Field}, written)
		assert.Contains(t, refused.Message, "want a decimal number", written)
	}
}

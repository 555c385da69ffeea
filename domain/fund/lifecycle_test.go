package fund_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/milepost-ledger/milepost/domain"
	. "github.com/milepost-ledger/milepost/domain/domaintest"
	"github.com/milepost-ledger/milepost/domain/fund"
)

var (
	day    = domain.MustDate
	reason = domain.Meta{Reason: "because"}
)

// correcting is the meta of a correction.
var correcting = domain.Meta{Corrects: "018f3c5e-7b1a-7000-8000-00000000beef"}

func usd(amount domain.Decimal) domain.Money {
	return domain.Money{Amount: amount, Currency: "USD"}
}

func iot(s *Scenario) *fund.State { return StateOf[fund.State](s, IoTFund.Ref()) }

// explored has IoTFund proposed, with nothing in it.
func explored(t *testing.T) *Scenario {
	return Given(t, Running()...).And(fund.Proposed{ID: IoTFund, Title: En("IoT fund")})
}

func TestPropose(t *testing.T) {
	cmd := fund.Propose{Agreement: "framework", Fund: "iot-fund", Title: En("IoT fund"), Target: CNY("10000000000")}
	s := Given(t, Drafted()...).When(cmd).Then(fund.Proposed{ID: IoTFund, Title: En("IoT fund"), Target: CNY("10000000000")})
	assert.Equal(t, [3]any{fund.Exploring, domain.Currency("CNY"), domain.Decimal("10000000000")}, [3]any{iot(s).State, iot(s).Currency, iot(s).TargetSize})
	s.When(cmd).Refused(domain.CodeAlreadyExists, "fund")

	Given(t).When(cmd).Refused(domain.CodeNotFound, "agreement")
	for name, c := range map[string]struct {
		change      func(*fund.Propose)
		code, field string
	}{
		"no key":           {func(c *fund.Propose) { c.Fund = "" }, domain.CodeMissingField, "fund"},
		"no title":         {func(c *fund.Propose) { c.Title = nil }, domain.CodeMissingField, "title"},
		"a size of 0":      {func(c *fund.Propose) { c.Target = CNY("0") }, domain.CodeInvalidAmount, "target.amount"},
		"a size of no yen": {func(c *fund.Propose) { c.Target = domain.Money{Amount: "1.5", Currency: "JPY"} }, domain.CodeInvalidAmount, "target.amount"},
		"no currency":      {func(c *fund.Propose) { c.Target.Currency = "" }, domain.CodeMissingField, "target.currency"},
		"no amount":        {func(c *fund.Propose) { c.Target.Amount = "" }, domain.CodeMissingField, "target.amount"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := cmd
			c.change(&cmd)
			Given(t, Active()...).When(cmd).Refused(c.code, c.field)
		})
	}
	cmd.Target = domain.Money{}
	assert.Empty(t, iot(Given(t, Active()...).When(cmd).Then(fund.Proposed{ID: IoTFund, Title: En("IoT fund")})).Currency)
}

func TestEstablish(t *testing.T) {
	cmd := fund.Establish{ID: IoTFund, Currency: "CNY", TargetSize: "1000", Manager: Group}
	on := domain.Meta{Effective: day("2018-06-01")}
	s := explored(t).When(cmd, on).Then(fund.FundEstablished{ID: IoTFund, Currency: "CNY", TargetSize: "1000", Manager: Group, On: on.Effective})
	assert.Equal(t, [2]any{fund.Established, on.Effective}, [2]any{iot(s).State, iot(s).EstablishedOn})
	s.When(cmd).Refused(domain.CodeWrongState, "fund")

	for name, c := range map[string]struct {
		change      func(*fund.Establish)
		code, field string
	}{
		"an unknown manager":  {func(c *fund.Establish) { c.Manager = "nobody" }, domain.CodeNotFound, "manager"},
		"no manager":          {func(c *fund.Establish) { c.Manager = "" }, domain.CodeMissingField, "manager"},
		"an unknown currency": {func(c *fund.Establish) { c.Currency = "ABC" }, domain.CodeInvalidValue, "currency"},
		"no currency":         {func(c *fund.Establish) { c.Currency = "" }, domain.CodeMissingField, "currency"},
		"a size of 0":         {func(c *fund.Establish) { c.TargetSize = "0" }, domain.CodeInvalidAmount, "target_size"},
		"a size too fine":     {func(c *fund.Establish) { c.TargetSize = "0.001" }, domain.CodeInvalidAmount, "target_size"},
		"an unknown fund":     {func(c *fund.Establish) { c.Fund = "other" }, domain.CodeNotFound, "fund"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := cmd
			c.change(&cmd)
			explored(t).When(cmd).Refused(c.code, c.field)
		})
	}
	explored(t).When(cmd, domain.Meta{Effective: Today + 1}).Refused(domain.CodeFutureDate, "effective")
}

// Invariant 6, one currency a fund: that of its first amount, or else of its
// establishment.
func TestTheFirstAmountSetsTheCurrency(t *testing.T) {
	establish := fund.Establish{ID: IoTFund, Currency: "USD", Manager: Group}
	pledge := func(m domain.Money) fund.RecordPledge {
		return fund.RecordPledge{ID: IoTFund, Pledge: "p-1", Party: City, Value: m}
	}
	// given a size as proposed
	s := Given(t, Running()...).And(fund.Proposed{ID: IoTFund, Title: En("F"), Target: CNY("1000")})
	message := s.When(establish).Refused(domain.CodeOtherCurrency, "currency")
	assert.Contains(t, message, "CNY")
	assert.Contains(t, s.When(pledge(usd("1"))).Refused(domain.CodeOtherCurrency, "value.currency"), "CNY")
	establish.Currency = "CNY"
	s.When(establish).Accepted()
	assert.Equal(t, domain.Decimal("1000"), iot(s).TargetSize, "as proposed when absent")

	// given a pledge
	s = explored(t).When(pledge(CNY("5"))).Accepted()
	establish.Currency = "USD"
	s.When(establish).Refused(domain.CodeOtherCurrency, "currency")

	// given an establishment
	s = explored(t).When(establish).Accepted()
	s.When(pledge(CNY("5"))).Refused(domain.CodeOtherCurrency, "value.currency")
	s.When(pledge(usd("5"))).Accepted()
}

func TestAClosedFundTakesOnlyExpenditure(t *testing.T) {
	explored(t).When(fund.Close{ID: IoTFund}).Then(fund.FundClosed{ID: IoTFund, On: Today})
	Given(t, Running()...).When(fund.Close{ID: IoTFund}).Refused(domain.CodeNotFound, "fund")

	s := Given(t, Funded()...).And(disbursed("d-1", "60")).
		When(fund.Close{ID: IoTFund}, domain.Meta{Effective: day("2024-01-31")}).
		Then(fund.FundClosed{ID: IoTFund, On: day("2024-01-31")})
	assert.Equal(t, [2]any{fund.Closed, day("2024-01-31")}, [2]any{iot(s).State, iot(s).ClosedOn})
	for _, cmd := range []domain.Command{
		fund.Establish{ID: IoTFund, Currency: "CNY", Manager: Group},
		fund.RecordPledge{ID: IoTFund, Pledge: "p-2", Party: City, Value: CNY("1")},
		fund.Commit{ID: IoTFund, Commitment: "c-2", Party: City, Value: CNY("1")},
		fund.ReduceCommitment{ID: IoTFund, Commitment: "c-1", Value: CNY("1")},
		fund.Disburse{ID: IoTFund, Disbursement: "d-2", Commitment: "c-1", Project: "iot-base", Value: CNY("1")},
		fund.Close{ID: IoTFund},
	} {
		s.When(cmd, reason).Refused(domain.CodeWrongState, "fund")
	}
	s.When(fund.RecordExpenditure{ID: IoTFund, Expenditure: "e-1", Disbursement: "d-1", Value: CNY("60")}).Accepted()
}

func TestAFundThatIsExploredHasNoCommitments(t *testing.T) {
	for _, cmd := range []domain.Command{
		fund.Commit{ID: IoTFund, Commitment: "c-2", Party: City, Value: CNY("1")},
		fund.ReduceCommitment{ID: IoTFund, Commitment: "c-1", Value: CNY("1")},
		fund.Disburse{ID: IoTFund, Disbursement: "d-2", Commitment: "c-1", Project: "iot-base", Value: CNY("1")},
		fund.RecordExpenditure{ID: IoTFund, Expenditure: "e-1", Disbursement: "d-1", Value: CNY("1")},
	} {
		assert.Contains(t, explored(t).When(cmd, reason).Refused(domain.CodeWrongState, "fund"), "establish-fund")
	}
}

func TestKeysAreDrawnWhereNoneIsGiven(t *testing.T) {
	assert.Equal(t, domain.Key("drawn"), fund.Propose{}.WithKey("drawn").(fund.Propose).Fund)
	assert.Equal(t, domain.Key("drawn"), fund.RecordPledge{}.WithKey("drawn").(fund.RecordPledge).Pledge)
	assert.Equal(t, domain.Key("drawn"), fund.Commit{}.WithKey("drawn").(fund.Commit).Commitment)
	assert.Equal(t, domain.Key("drawn"), fund.Disburse{}.WithKey("drawn").(fund.Disburse).Disbursement)
	assert.Equal(t, domain.Key("given"), fund.RecordExpenditure{Expenditure: "given"}.WithKey("drawn").(fund.RecordExpenditure).Expenditure)
}

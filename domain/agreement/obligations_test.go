package agreement_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	. "github.com/milepost-ledger/milepost/domain/domaintest"
)

var (
	land    = agreement.ObligationID{Agreement: "framework", Obligation: "land"}
	added   = agreement.ObligationAdded(add())
	claimed = agreement.FulfilmentClaimed{ObligationID: land, Party: City, FulfilledOn: day("2024-05-31")}
	breach  = agreement.BreachDeclared{ObligationID: land, Party: Group}
	shown   = domain.Meta{Evidence: []domain.Hash{File}}
)

// add has City owe Group land until 2024-05-31.
func add() agreement.AddObligation {
	return agreement.AddObligation{
		ID: Framework, Obligation: "land", Title: En("Land"), Debtor: City, Beneficiary: Group, Due: day("2024-05-31"),
		Value: domain.Money{Amount: "1500000.5", Currency: "CNY"},
	}
}

func obligationOf(s *Scenario) agreement.Obligation {
	o, _ := StateOf[agreement.State](s, Framework.Ref()).Obligations.Get("land")
	return o
}

// owing has the obligation added to the active agreement, and what followed.
func owing(t *testing.T, more ...domain.Event) *Scenario {
	return Given(t, Active()...).And(added).And(more...)
}

func TestAddObligation(t *testing.T) {
	s := Given(t, Drafted()...).When(add()).Then(added)
	assert.Equal(t, agreement.Obligation{
		Title: En("Land"), Debtor: City, Beneficiary: Group, Due: day("2024-05-31"), State: agreement.Open,
		Value: domain.Money{Amount: "1500000.5", Currency: "CNY"},
	}, obligationOf(s))
	without := add()
	without.Value = domain.Money{}
	Given(t, Active()...).When(without).Then(agreement.ObligationAdded(without))

	for name, c := range map[string]struct {
		change      func(*agreement.AddObligation)
		code, field string
	}{
		"no key":                 {func(c *agreement.AddObligation) { c.Obligation = "" }, domain.CodeMissingField, "obligation"},
		"no due date":            {func(c *agreement.AddObligation) { c.Due = 0 }, domain.CodeMissingField, "due"},
		"owed by a stranger":     {func(c *agreement.AddObligation) { c.Debtor = Stranger }, domain.CodeWrongParty, "debtor"},
		"owed to a stranger":     {func(c *agreement.AddObligation) { c.Beneficiary = Stranger }, domain.CodeWrongParty, "beneficiary"},
		"owed to itself":         {func(c *agreement.AddObligation) { c.Beneficiary = City }, domain.CodeInvalidValue, "beneficiary"},
		"nothing":                {func(c *agreement.AddObligation) { c.Value.Amount = "0" }, domain.CodeInvalidAmount, "value.amount"},
		"less than nothing":      {func(c *agreement.AddObligation) { c.Value.Amount = "-5" }, domain.CodeInvalidAmount, "value.amount"},
		"finer than the fen":     {func(c *agreement.AddObligation) { c.Value.Amount = "1.005" }, domain.CodeInvalidAmount, "value.amount"},
		"a currency of its own":  {func(c *agreement.AddObligation) { c.Value.Currency = "XXX" }, domain.CodeInvalidValue, "value.currency"},
		"an agreement not there": {func(c *agreement.AddObligation) { c.Agreement = "none" }, domain.CodeNotFound, "agreement"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := add()
			c.change(&cmd)
			Given(t, Active()...).When(cmd).Refused(c.code, c.field)
		})
	}
	Given(t, Active()...).And(agreement.Completed{ID: Framework, On: Today}).When(add()).Refused(domain.CodeWrongState, "agreement")
	assert.Equal(t, domain.Key("drawn"), agreement.AddObligation{}.WithKey("drawn").(agreement.AddObligation).Obligation)
}

func TestAnObligationIsReplacedByACorrection(t *testing.T) {
	moved := add()
	moved.Due = day("2024-12-31")
	owing(t).When(add()).Refused(domain.CodeAlreadyExists, "obligation")
	s := owing(t).When(moved, correction).Then(agreement.ObligationAdded(moved))
	assert.Equal(t, moved.Due, obligationOf(s).Due)
	owing(t).When(moved, domain.Meta{Corrects: correction.Corrects}).Refused(domain.CodeReasonRequired, "reason")
	owing(t).When(add(), domain.Meta{Corrects: correction.Corrects}).Accepted()
	owing(t, claimed).When(add(), correction).Refused(domain.CodeWrongState, "obligation")
}

func TestClaimFulfilment(t *testing.T) {
	cmd := agreement.ClaimFulfilment(claimed)
	for _, s := range []*Scenario{owing(t), owing(t, breach)} {
		s.When(cmd, shown).Then(claimed)
		assert.Equal(t, [2]any{agreement.Claimed, day("2024-05-31")}, [2]any{obligationOf(s).State, obligationOf(s).ClaimedOn})
		s.When(cmd, shown).Refused(domain.CodeWrongState, "obligation")
	}
	owing(t).When(cmd).Refused(domain.CodeEvidenceRequired, "evidence")
	owing(t).When(cmd, domain.Meta{Evidence: shown.Evidence, ActingFor: Group}).Refused(domain.CodeWrongParty, "party")
	Given(t, UnderConsultation()...).And(added).When(cmd, shown).Refused(domain.CodeWrongState, "agreement")
	owing(t, agreement.Completed{ID: Framework, On: Today}).When(cmd, shown).Accepted() // what is owed stays owed

	late := cmd
	late.FulfilledOn = Today + 1
	owing(t).When(late, shown).Refused(domain.CodeFutureDate, "fulfilled_on")
	other := cmd
	other.Party = Group
	owing(t).When(other, shown).Refused(domain.CodeWrongParty, "party")
	none := cmd
	none.Obligation = "none"
	owing(t).When(none, shown).Refused(domain.CodeNotFound, "obligation")
	Given(t).When(none, shown).Refused(domain.CodeNotFound, "agreement")
}

func TestConfirmFulfilment(t *testing.T) {
	cmd := agreement.ConfirmFulfilment{ObligationID: land, Party: Group}
	s := owing(t, claimed).When(cmd).Then(agreement.FulfilmentConfirmed{ObligationID: land, Party: Group, FulfilledOn: day("2024-05-31")})
	assert.Equal(t, [2]any{agreement.Fulfilled, day("2024-05-31")}, [2]any{obligationOf(s).State, obligationOf(s).FulfilledOn})
	for _, again := range []domain.Command{
		cmd, agreement.ClaimFulfilment(claimed), agreement.DisputeFulfilment(cmd), agreement.WaiveObligation(cmd), agreement.DeclareBreach(cmd),
	} {
		s.When(again, reason).Refused(domain.CodeWrongState, "obligation")
	}
	owing(t).When(cmd).Refused(domain.CodeWrongState, "obligation")
}

func TestDisputeFulfilment(t *testing.T) {
	cmd := agreement.DisputeFulfilment{ObligationID: land, Party: Group}
	s := owing(t, breach, claimed)
	s.When(cmd).Refused(domain.CodeReasonRequired, "reason")
	s.When(cmd, reason).Then(agreement.FulfilmentDisputed(cmd))
	assert.Equal(t, [2]any{agreement.Open, domain.Date(0)}, [2]any{obligationOf(s).State, obligationOf(s).ClaimedOn})
	s.When(cmd, reason).Refused(domain.CodeWrongState, "obligation")
}

func TestWaiveObligation(t *testing.T) {
	cmd := agreement.WaiveObligation{ObligationID: land, Party: Group}
	owing(t).When(cmd).Refused(domain.CodeReasonRequired, "reason")
	for _, s := range []*Scenario{owing(t), owing(t, breach), owing(t, claimed)} {
		s.When(cmd, reason).Then(agreement.ObligationWaived(cmd))
		assert.Equal(t, [2]any{agreement.Waived, domain.Date(0)}, [2]any{obligationOf(s).State, obligationOf(s).ClaimedOn})
		s.When(cmd, reason).Refused(domain.CodeWrongState, "obligation")
	}
}

func TestDeclareBreach(t *testing.T) {
	cmd := agreement.DeclareBreach(breach)
	owing(t).On("2024-05-31").When(cmd, reason).Refused(agreement.CodeNotYet, "obligation")
	s := owing(t).On("2024-06-01")
	s.When(cmd).Refused(domain.CodeReasonRequired, "reason")
	s.When(cmd, reason).Then(breach)
	assert.Equal(t, agreement.Breached, obligationOf(s).State)
	s.When(cmd, reason).Refused(domain.CodeWrongState, "obligation")
	owing(t, claimed).When(cmd, reason).Refused(domain.CodeWrongState, "obligation")
	Given(t, UnderConsultation()...).And(added).When(cmd, reason).Refused(domain.CodeWrongState, "agreement")
}

// What the party that benefits says, no other party says in its place.
func TestOnlyWhoBenefitsSettlesAnObligation(t *testing.T) {
	for _, as := range []func(domain.Key) domain.Command{
		func(p domain.Key) domain.Command { return agreement.ConfirmFulfilment{ObligationID: land, Party: p} },
		func(p domain.Key) domain.Command { return agreement.DisputeFulfilment{ObligationID: land, Party: p} },
		func(p domain.Key) domain.Command { return agreement.WaiveObligation{ObligationID: land, Party: p} },
		func(p domain.Key) domain.Command { return agreement.DeclareBreach{ObligationID: land, Party: p} },
	} {
		s := owing(t)
		if name := as(Group).Name(); name != "declare-breach" {
			s.And(claimed)
		}
		for _, p := range []domain.Key{City, Stranger} {
			s.When(as(p), reason).Refused(domain.CodeWrongParty, "party")
		}
		s.When(as(Group), domain.Meta{Reason: "talks", ActingFor: City}).Refused(domain.CodeWrongParty, "party")
		assert.Equal(t, Group, as(Group).(domain.Acting).ActingParty())
		s.When(as(Group), reason).Accepted()
	}
	assert.Equal(t, City, agreement.ClaimFulfilment(claimed).ActingParty())
}

// By effective date, what became of an obligation may come before it.
func TestObligationEventsOutOfOrder(t *testing.T) {
	s := Given(t, breach, added)
	assert.Equal(t, agreement.Breached, obligationOf(s).State)
	s = Given(t, agreement.FulfilmentConfirmed{ObligationID: land, Party: Group, FulfilledOn: 9}, added)
	assert.Equal(t, agreement.Fulfilled, obligationOf(s).State)
}

// An obligation is fulfilled only by the claim of who owes, with evidence, and
// the confirmation of who benefits, of the date that was claimed.
func TestObligationsAreFulfilledByBothSidesInEveryHistory(t *testing.T) {
	fulfilled := 0
	rapid.Check(t, func(t *rapid.T) {
		claims := map[domain.Key]Step{}
		end := HistoryOf(t, Active(), Obligations, 60, func(w World, s Step) {
			a := w[Framework.Ref()].(*agreement.State)
			switch c := s.Command.(type) {
			case agreement.ClaimFulfilment:
				o, _ := a.Obligations.Get(c.Obligation)
				assert.Equal(t, o.Debtor, c.Party)
				assert.NotEmpty(t, s.Meta.Evidence)
				assert.LessOrEqual(t, c.FulfilledOn, Today)
				claims[c.Obligation] = s
			case agreement.DisputeFulfilment:
				delete(claims, c.Obligation)
			case agreement.ConfirmFulfilment:
				o, _ := a.Obligations.Get(c.Obligation)
				assert.Equal(t, o.Beneficiary, c.Party)
				assert.Contains(t, claims, c.Obligation, "confirmed, and nobody claimed it")
				fulfilled++
			}
		})
		for key, o := range end[Framework.Ref()].(*agreement.State).Obligations.All() {
			assert.NotEqual(t, o.Debtor, o.Beneficiary)
			assert.Equal(t, o.State == agreement.Fulfilled, o.FulfilledOn != 0)
			if o.State == agreement.Fulfilled {
				assert.Equal(t, claims[key].Command.(agreement.ClaimFulfilment).FulfilledOn, o.FulfilledOn)
			}
		}
	})
	Reached(t, fulfilled, "a fulfilment")
}

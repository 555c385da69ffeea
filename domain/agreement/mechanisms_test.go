package agreement_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	. "github.com/milepost-ledger/milepost/domain/domaintest"
)

var correction = domain.Meta{Corrects: "01890a5d-ac96-774b-bcce-b302099a8057", Reason: "correction"}

func establish() agreement.EstablishMechanism {
	return agreement.EstablishMechanism{
		ID: Framework, Mechanism: "coordination", Kind: "coordination", Title: En("Coordination"), Members: []domain.Key{City, Group}, Cadence: "quarterly",
	}
}

func established() agreement.MechanismEstablished {
	c := establish()
	return agreement.MechanismEstablished{
		ID: Framework, Mechanism: c.Mechanism, Kind: c.Kind, Title: c.Title, Members: c.Members, Cadence: c.Cadence, On: day("2018-01-01"),
	}
}

func mechanismOf(s *Scenario) agreement.Mechanism {
	m, _ := StateOf[agreement.State](s, Framework.Ref()).Mechanisms.Get("coordination")
	return m
}

func TestEstablishMechanism(t *testing.T) {
	s := Given(t, Active()...).When(establish(), domain.Meta{Effective: day("2018-01-01")}).Then(established())
	assert.Equal(t, agreement.Mechanism{
		Kind: "coordination", Title: En("Coordination"), Members: []domain.Key{City, Group}, Cadence: "quarterly",
		State: agreement.Established, EstablishedOn: day("2018-01-01"),
	}, mechanismOf(s))

	s.When(establish()).Refused(domain.CodeAlreadyExists, "mechanism")
	other := establish()
	other.Kind = "consultation"
	assert.Equal(t, "consultation", mechanismOf(s.When(other, correction).Accepted()).Kind, "a correction replaces it")

	for name, c := range map[string]struct {
		change      func(*agreement.EstablishMechanism)
		code, field string
	}{
		"no key":            {func(c *agreement.EstablishMechanism) { c.Mechanism = "" }, domain.CodeMissingField, "mechanism"},
		"another kind":      {func(c *agreement.EstablishMechanism) { c.Kind = "club" }, domain.CodeInvalidValue, "kind"},
		"another cadence":   {func(c *agreement.EstablishMechanism) { c.Cadence = "daily" }, domain.CodeInvalidValue, "cadence"},
		"a party alone":     {func(c *agreement.EstablishMechanism) { c.Members = []domain.Key{City} }, domain.CodeInvalidValue, "members"},
		"a member twice":    {func(c *agreement.EstablishMechanism) { c.Members = []domain.Key{City, City} }, domain.CodeInvalidValue, "members"},
		"a stranger":        {func(c *agreement.EstablishMechanism) { c.Members = []domain.Key{City, Stranger} }, domain.CodeWrongParty, "members"},
		"no such agreement": {func(c *agreement.EstablishMechanism) { c.Agreement = "none" }, domain.CodeNotFound, "agreement"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := establish()
			c.change(&cmd)
			Given(t, Active()...).When(cmd).Refused(c.code, c.field)
		})
	}
	assert.Equal(t, domain.Key("drawn"), agreement.EstablishMechanism{}.WithKey("drawn").(agreement.EstablishMechanism).Mechanism)
}

func TestMechanismsOfAnAgreementThatHasNotEnded(t *testing.T) {
	commands := []domain.Command{
		establish(),
		agreement.ChangeMechanism{ID: Framework, Mechanism: "coordination", Cadence: "monthly"},
		agreement.DissolveMechanism{ID: Framework, Mechanism: "coordination"},
	}
	for _, given := range [][]domain.Event{Drafted(), UnderConsultation(), Active(), append(Active(), agreement.Suspended{ID: Framework})} {
		s := Given(t, given...)
		for _, cmd := range commands {
			s.When(cmd, reason).Accepted()
		}
	}
	for _, end := range []domain.Event{
		agreement.Completed{ID: Framework, On: Today}, agreement.Terminated{ID: Framework, On: Today},
		agreement.Expired{ID: Framework, On: Today}, agreement.Renewed{ID: Framework, By: "deepened", On: Today},
	} {
		for _, cmd := range commands {
			Given(t, Active()...).And(established(), end).When(cmd, reason).Refused(domain.CodeWrongState, "agreement")
		}
	}
}

func TestChangeMechanism(t *testing.T) {
	given := func() *Scenario { return Given(t, Active()...).And(established()) }
	id := agreement.ChangeMechanism{ID: Framework, Mechanism: "coordination"}

	title := id
	title.Title = En("Joint committee")
	s := given().When(title).Then(agreement.MechanismChanged(title))
	assert.Equal(t, agreement.Mechanism{
		Kind: "coordination", Title: En("Joint committee"), Members: []domain.Key{City, Group}, Cadence: "quarterly",
		State: agreement.Established, EstablishedOn: day("2018-01-01"),
	}, mechanismOf(s), "what is absent stays")
	s.When(title).Refused(domain.CodeNothingChanged, "")
	s.When(id).Refused(domain.CodeNothingChanged, "")

	members := id
	members.Members = []domain.Key{Group, City}
	assert.Equal(t, members.Members, mechanismOf(given().When(members).Accepted()).Members)
	for _, c := range []struct {
		members []domain.Key
		code    string
	}{
		{[]domain.Key{City}, domain.CodeInvalidValue},
		{[]domain.Key{City, City}, domain.CodeInvalidValue},
		{[]domain.Key{City, Stranger}, domain.CodeWrongParty},
	} {
		members.Members = c.members
		given().When(members).Refused(c.code, "members")
	}

	none := id
	none.Mechanism, none.Cadence = "none", "monthly"
	given().When(none).Refused(domain.CodeNotFound, "mechanism")
	Given(t).When(none).Refused(domain.CodeNotFound, "agreement")
	given().And(agreement.MechanismDissolved{ID: Framework, Mechanism: "coordination", On: Today}).When(title).Refused(domain.CodeWrongState, "mechanism")
}

func TestDissolveMechanism(t *testing.T) {
	cmd := agreement.DissolveMechanism{ID: Framework, Mechanism: "coordination"}
	s := Given(t, Active()...).And(established())
	s.When(cmd).Refused(domain.CodeReasonRequired, "reason")
	s.When(cmd, reason).Then(agreement.MechanismDissolved{ID: Framework, Mechanism: "coordination", On: Today})
	assert.Equal(t, [2]any{agreement.Dissolved, Today}, [2]any{mechanismOf(s).State, mechanismOf(s).DissolvedOn})
	s.When(cmd, reason).Refused(domain.CodeWrongState, "mechanism")
	cmd.Mechanism = "none"
	s.When(cmd, reason).Refused(domain.CodeNotFound, "mechanism")
	Given(t).When(cmd, reason).Refused(domain.CodeNotFound, "agreement")
}

// By effective date, the end of a mechanism may come before its beginning.
func TestMechanismEventsOutOfOrder(t *testing.T) {
	s := Given(t, agreement.MechanismDissolved{ID: Framework, Mechanism: "coordination", On: Today},
		agreement.MechanismChanged{ID: Framework, Mechanism: "coordination", Cadence: "monthly"}, established())
	assert.Equal(t, agreement.Dissolved, mechanismOf(s).State)
	s = Given(t, agreement.MechanismChanged{ID: Framework, Mechanism: "coordination", Cadence: "monthly"})
	assert.Equal(t, agreement.Established, mechanismOf(s).State)
}

// A draft keeps each party that it sets to work.
func TestADraftDoesNotLoseAPartyThatItNames(t *testing.T) {
	revise := agreement.Revise{ID: Framework, Parties: []domain.Key{City, Stranger}}
	dissolved := agreement.MechanismDissolved{ID: Framework, Mechanism: "coordination", On: Today}
	waived := agreement.ObligationWaived{ObligationID: land, Party: Group}

	message := Given(t, Drafted()...).And(established()).When(revise).Refused(domain.CodeWrongParty, "parties")
	assert.Contains(t, message, "mechanism/coordination")
	Given(t, Drafted()...).And(established(), dissolved).When(revise).Accepted()
	Given(t, Drafted()...).And(established()).When(agreement.Revise{ID: Framework, Parties: []domain.Key{City, Group, Stranger}}).Accepted()

	for _, o := range []agreement.ObligationAdded{
		{ID: Framework, Obligation: "land", Debtor: City, Beneficiary: Group},
		{ID: Framework, Obligation: "land", Debtor: Group, Beneficiary: City},
	} {
		message = Given(t, Drafted()...).And(o).When(revise).Refused(domain.CodeWrongParty, "parties")
		assert.Contains(t, message, "obligation/land")
		Given(t, Drafted()...).And(o, waived).When(revise).Accepted()
	}
}

func TestMechanismsAreOfPartiesInEveryHistory(t *testing.T) {
	seen := false
	rapid.Check(t, func(t *rapid.T) {
		commands := rapid.OneOf(Mechanisms, rapid.Custom(func(t *rapid.T) domain.Command {
			pairs := [][]domain.Key{{City, Group}, {City, Stranger}, {Group, Stranger}, {City, Group, Stranger}}
			return agreement.Revise{ID: Framework, Parties: rapid.SampledFrom(pairs).Draw(t, "parties")}
		}))
		w := HistoryOf(t, Drafted(), commands, 40, func(World, Step) {})
		a := w[Framework.Ref()].(*agreement.State)
		for key, m := range a.Mechanisms.All() {
			assert.GreaterOrEqual(t, len(m.Members), 2)
			for _, p := range m.Members {
				if m.State == agreement.Established {
					assert.True(t, a.HasParty(p), "%s of %s", p, key)
				}
			}
			seen = true
		}
	})
	assert.True(t, seen, "no history had a mechanism")
}

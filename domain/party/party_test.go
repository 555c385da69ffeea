package party_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/domaintest"
	"github.com/milepost-ledger/milepost/domain/party"
)

var en = domaintest.En

func registered(key, parent domain.Key) domain.Event {
	return domain.On(party.Ref(key), party.Registered{Party: key, Title: en(string(key)), Kind: "other", Parent: parent})
}

func TestRegister(t *testing.T) {
	cmd := party.Register{Party: "cethik", Title: en("CETHIK"), Kind: "state-owned-enterprise", Parent: "cetc"}
	domaintest.Given(t, registered("cetc", "")).When(cmd).Then(party.Registered(cmd)).
		When(cmd).Refused(domain.CodeAlreadyExists, "party")
	domaintest.Given(t).When(cmd).Refused(domain.CodeNotFound, "parent")

	cmd.Party = ""
	domaintest.Given(t, registered("cetc", "")).When(cmd).Refused(domain.CodeMissingField, "party")
	assert.Equal(t, domain.Key("drawn"), cmd.WithKey("drawn").(party.Register).Party)
	cmd.Party = "mine"
	assert.Equal(t, domain.Key("mine"), cmd.WithKey("drawn").(party.Register).Party)
}

func TestChange(t *testing.T) {
	given := []domain.Event{registered("a", ""), registered("b", "a"), registered("c", "b")}
	domaintest.Given(t, given...).
		When(party.Change{Party: "c", Title: en("See"), Parent: "a"}).
		Then(party.Changed{Party: "c", Title: en("See"), Parent: "a"}).
		When(party.Change{Party: "c", Title: en("See")}).Refused(domain.CodeNothingChanged, "")
	domaintest.Given(t, given...).When(party.Change{Party: "a", Parent: "c"}).Refused(party.CodeParentCycle, "parent")
	domaintest.Given(t, given...).When(party.Change{Party: "a", Parent: "a"}).Refused(party.CodeParentCycle, "parent")
	domaintest.Given(t, given...).When(party.Change{Party: "a", Parent: "x"}).Refused(domain.CodeNotFound, "parent")
	domaintest.Given(t, given...).When(party.Change{Party: "x", Kind: "other"}).Refused(domain.CodeNotFound, "party")
}

func TestACircleElsewhereIsNotWalkedForEver(t *testing.T) {
	domaintest.Given(t, registered("a", "b"), registered("b", "a"), registered("c", "")).
		When(party.Change{Party: "c", Parent: "a"}).Refused(party.CodeParentCycle, "parent")
}

func TestWhatIsAbsentStays(t *testing.T) {
	s := domaintest.Given(t, registered("a", ""), registered("b", "a")).
		When(party.Change{Party: "b", Kind: "academic"}).Accepted()
	assert.Equal(t, &party.State{Party: "b", Title: en("b"), Kind: "academic", Parent: "a"}, domaintest.StateOf[party.State](s, party.Ref("b")))
}

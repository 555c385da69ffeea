package party_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/domaintest"
	"github.com/milepost-ledger/milepost/domain/party"
)

var (
	one, two, three = domaintest.KeyNumber("w", 1), domaintest.KeyNumber("w", 2), domaintest.KeyNumber("w", 3)
	lost            = domain.Meta{Note: "The key was lost."}
)

func on(e domain.Event) domain.Event { return domain.On(party.Ref("a"), e) }

func withWitness(t *testing.T) *domaintest.Scenario {
	return domaintest.Given(t, registered("a", ""), registered("b", ""), on(party.WitnessRegistered{Party: "a", Key: one.VerifierKey}))
}

func TestRegisterWitness(t *testing.T) {
	cmd := party.RegisterWitness{Party: "a", Key: one.VerifierKey}
	assert.Equal(t, domain.Key("a"), cmd.ActingParty())
	s := domaintest.Given(t, registered("a", ""), registered("b", ""))
	s.When(cmd, domain.Meta{ActingFor: "b"}).Refused(domain.CodeWrongParty, "party")
	s.When(party.RegisterWitness{Party: "x", Key: one.VerifierKey}).Refused(domain.CodeNotFound, "party")
	s.When(party.RegisterWitness{Party: "a"}).Refused(domain.CodeMissingField, "key")
	s.When(party.RegisterWitness{Party: "a", Key: "w+00000000+AAAA"}).Refused(domain.CodeInvalidValue, "key")
	s = s.When(cmd).Then(party.WitnessRegistered(cmd))
	assert.Equal(t, one.VerifierKey, domaintest.StateOf[party.State](s, party.Ref("a")).Witness)

	// a party that has a key rotates it
	s.When(cmd).Refused(domain.CodeAlreadyExists, "key")
	message := s.When(party.RegisterWitness{Party: "a", Key: two.VerifierKey}).Refused(domain.CodeAlreadyExists, "key")
	assert.Contains(t, message, "rotate-witness")
}

func TestRotateWitness(t *testing.T) {
	cmd := party.RotateWitness{Party: "a", Key: two.VerifierKey, Statement: one.HandOver(two)}
	assert.Equal(t, domain.Key("a"), cmd.ActingParty())
	s := withWitness(t)
	s.When(cmd, domain.Meta{ActingFor: "b"}).Refused(domain.CodeWrongParty, "party")
	for what, c := range map[string]struct {
		change      func(*party.RotateWitness)
		code, field string
	}{
		"no such party":    {func(c *party.RotateWitness) { c.Party = "x" }, domain.CodeNotFound, "party"},
		"a party without":  {func(c *party.RotateWitness) { c.Party = "b" }, domain.CodeWrongState, "party"},
		"no statement":     {func(c *party.RotateWitness) { c.Statement = "" }, domain.CodeMissingField, "statement"},
		"from another key": {func(c *party.RotateWitness) { c.Key, c.Statement = three.VerifierKey, two.HandOver(three) }, domain.CodeRotationOfOtherKey, "statement"},
		"signed by the new": {func(c *party.RotateWitness) {
			c.Statement = two.Sign(domain.RotationText(one.VerifierKey, two.VerifierKey))
		}, domain.CodeRotationNotSigned, "statement"},
		"about another":      {func(c *party.RotateWitness) { c.Statement = one.HandOver(three) }, domain.CodeRotationOfOtherKey, "statement"},
		"to the present key": {func(c *party.RotateWitness) { c.Key, c.Statement = one.VerifierKey, one.HandOver(one) }, domain.CodeKeyUnchanged, "key"},
		"to another name": {func(c *party.RotateWitness) {
			other := domaintest.KeyNumber("v", 2)
			c.Key, c.Statement = other.VerifierKey, one.HandOver(other)
		}, domain.CodeKeyNameChanged, "key"},
	} {
		t.Run(what, func(t *testing.T) {
			changed := cmd
			c.change(&changed)
			withWitness(t).When(changed).Refused(c.code, c.field)
		})
	}

	// the statement stays with the event, and proves it by itself
	rotated := party.WitnessRotated{Party: "a", Old: one.VerifierKey, Key: two.VerifierKey, Statement: cmd.Statement}
	s = s.When(cmd).Then(rotated)
	assert.NoError(t, domain.VerifyRotation(rotated.Old, rotated.Key, string(rotated.Statement)))
	assert.Equal(t, &party.State{
		Party: "a", Title: en("a"), Kind: "other", Witness: two.VerifierKey, FormerWitnesses: []domain.VerifierKey{one.VerifierKey},
	}, domaintest.StateOf[party.State](s, party.Ref("a")))

	// and does so once: a key that was given up never comes back
	s.When(cmd).Refused(domain.CodeKeyUnchanged, "key")
	s.When(party.RotateWitness{Party: "a", Key: one.VerifierKey, Statement: two.HandOver(one)}).Refused(domain.CodeKeyUsedBefore, "key")
	s.When(party.RotateWitness{Party: "a", Key: three.VerifierKey, Statement: two.HandOver(three)}).Accepted().
		When(cmd).Refused(domain.CodeKeyUsedBefore, "key")
}

func TestRetireWitness(t *testing.T) {
	cmd := party.RetireWitness{Party: "a"}
	assert.Equal(t, domain.Key("a"), cmd.ActingParty())
	s := withWitness(t)
	s.When(cmd).Refused(domain.CodeNoteRequired, "note")
	s.When(cmd, domain.Meta{Note: "Theirs was lost.", ActingFor: "b"}).Refused(domain.CodeWrongParty, "party")
	s.When(party.RetireWitness{Party: "b"}, lost).Refused(domain.CodeWrongState, "party")
	s.When(party.RetireWitness{Party: "x"}, lost).Refused(domain.CodeNotFound, "party")
	s = s.When(cmd, lost).Then(party.WitnessRetired{Party: "a", Key: one.VerifierKey})
	assert.Empty(t, domaintest.StateOf[party.State](s, party.Ref("a")).Witness)

	// then it has none, and may register another, but not that again
	s.When(cmd, lost).Refused(domain.CodeWrongState, "party")
	s.When(party.RegisterWitness{Party: "a", Key: one.VerifierKey}).Refused(domain.CodeKeyUsedBefore, "key")
	s.When(party.RegisterWitness{Party: "a", Key: two.VerifierKey}).Then(party.WitnessRegistered{Party: "a", Key: two.VerifierKey})
}

// Two decisions on one state do not get into each other's way.
func TestOnePartyHasManyFutures(t *testing.T) {
	var before any
	for range 5 {
		before = party.Aggregate.Evolve(before, party.WitnessRetired{Party: "a", Key: one.VerifierKey})
		then := party.Aggregate.Evolve(before, party.WitnessRetired{Party: "a", Key: two.VerifierKey}).(*party.State)
		party.Aggregate.Evolve(before, party.WitnessRetired{Party: "a", Key: three.VerifierKey})
		assert.Equal(t, two.VerifierKey, then.FormerWitnesses[len(then.FormerWitnesses)-1])
	}
}

// By effective date events come in another order than they were decided in.
func TestAWitnessOutOfOrder(t *testing.T) {
	s := domaintest.Given(t,
		on(party.WitnessRegistered{Party: "a", Key: two.VerifierKey}), on(party.WitnessRetired{Party: "a", Key: one.VerifierKey}), registered("a", ""))
	assert.Equal(t, &party.State{
		Party: "a", Title: en("a"), Kind: "other", Witness: two.VerifierKey, FormerWitnesses: []domain.VerifierKey{one.VerifierKey},
	}, domaintest.StateOf[party.State](s, party.Ref("a")))
}

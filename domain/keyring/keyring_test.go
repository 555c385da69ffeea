package keyring_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/domaintest"
	"github.com/milepost-ledger/milepost/domain/keyring"
)

func key(n byte) domaintest.SigningKey { return domaintest.KeyNumber("ledger", n) }

func rotate(old, next domaintest.SigningKey) keyring.RotateKey {
	return keyring.RotateKey{Old: old.VerifierKey, Key: next.VerifierKey, Statement: old.HandOver(next)}
}

func TestTheFirstRotationSaysWhichKeyWasTheFirst(t *testing.T) {
	cmd := rotate(key(1), key(2))
	s := domaintest.Given(t).When(cmd).Then(keyring.KeyRotated(cmd))
	assert.Equal(t, &keyring.State{
		First: key(1).VerifierKey, Current: key(2).VerifierKey, Former: []domain.VerifierKey{key(1).VerifierKey}, Statement: cmd.Statement,
	}, domaintest.StateOf[keyring.State](s, keyring.Ref()))

	for what, c := range map[string]struct {
		change      func(*keyring.RotateKey)
		code, field string
	}{
		"no old key":        {func(c *keyring.RotateKey) { c.Old = "" }, domain.CodeMissingField, "old"},
		"what is no key":    {func(c *keyring.RotateKey) { c.Old = "ledger" }, domain.CodeInvalidValue, "old"},
		"no statement":      {func(c *keyring.RotateKey) { c.Statement = "" }, domain.CodeMissingField, "statement"},
		"signed by the new": {func(c *keyring.RotateKey) { c.Statement = key(2).Sign(domain.RotationText(c.Old, c.Key)) }, domain.CodeRotationNotSigned, "statement"},
		"of another key":    {func(c *keyring.RotateKey) { c.Key = key(3).VerifierKey }, domain.CodeRotationOfOtherKey, "statement"},
		"the same key":      {func(c *keyring.RotateKey) { *c = rotate(key(1), key(1)) }, domain.CodeKeyUnchanged, "key"},
		"another name":      {func(c *keyring.RotateKey) { *c = rotate(key(1), domaintest.KeyNumber("other", 2)) }, domain.CodeKeyNameChanged, "key"},
	} {
		t.Run(what, func(t *testing.T) {
			changed := cmd
			c.change(&changed)
			domaintest.Given(t).When(changed).Refused(c.code, c.field)
		})
	}
}

func TestEachKeyNamesItsSuccessor(t *testing.T) {
	s := domaintest.Given(t, keyring.KeyRotated(rotate(key(1), key(2))))
	message := s.When(rotate(key(1), key(3))).Refused(keyring.CodeStaleKey, "old")
	assert.Contains(t, message, key(2).VerifierKey)
	s.When(rotate(key(3), key(4))).Refused(keyring.CodeStaleKey, "old")
	s.When(rotate(key(2), key(1))).Refused(domain.CodeKeyUsedBefore, "key")
	s.When(rotate(key(2), key(3))).Accepted().
		When(rotate(key(3), key(2))).Refused(domain.CodeKeyUsedBefore, "key")
}

// Two decisions on one state do not get into each other's way.
func TestOneStateHasManySuccessors(t *testing.T) {
	var before any
	for n := range byte(5) {
		before = keyring.Aggregate.Evolve(before, keyring.KeyRotated(rotate(key(n), key(n+1))))
		one := keyring.Aggregate.Evolve(before, keyring.KeyRotated(rotate(key(n+1), key(8)))).(*keyring.State)
		keyring.Aggregate.Evolve(before, keyring.KeyRotated(rotate(key(9), key(8))))
		assert.Equal(t, key(n+1).VerifierKey, one.Former[len(one.Former)-1])
	}
}

// Whatever is asked, whoever holds the first key follows the log to the present
// one, and no key has been in use twice.
func TestTheLogLeadsFromTheFirstKeyToTheLast(t *testing.T) {
	longest := 0
	rapid.Check(t, func(t *rapid.T) {
		var rotations []keyring.KeyRotated
		w := domaintest.HistoryOf(t, nil, domaintest.Keys, 60, func(_ domaintest.World, s domaintest.Step) {
			for _, e := range s.Events {
				rotations = append(rotations, e.(keyring.KeyRotated))
			}
		})
		if len(rotations) == 0 {
			require.NotContains(t, w, keyring.Ref())
			return
		}
		seen := map[domain.VerifierKey]bool{}
		at := rotations[0].Old
		for _, r := range rotations {
			require.Equal(t, at, r.Old)
			require.NoError(t, domain.VerifyRotation(r.Old, r.Key, string(r.Statement)))
			require.False(t, seen[at], "%s again", at)
			seen[at], at = true, r.Key
		}
		s := w[keyring.Ref()].(*keyring.State)
		require.Equal(t, [2]domain.VerifierKey{rotations[0].Old, at}, [2]domain.VerifierKey{s.First, s.Current})
		require.Len(t, s.Former, len(rotations))
		longest = max(longest, len(rotations))
	})
	assert.Greater(t, longest, 2, "some histories rotate again and again")
}

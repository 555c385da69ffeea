package projections_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/domaintest"
	"github.com/milepost-ledger/milepost/domain/keyring"
	"github.com/milepost-ledger/milepost/domain/party"
	"github.com/milepost-ledger/milepost/projections"
)

// Keys are asked as of any point: a checkpoint of then is checked with the keys
// of then.
func TestKeysAsOf(t *testing.T) {
	// given
	l, log := inMemory(t)
	l.given(domaintest.Parties()...)
	first, second, third := domaintest.KeyNumber("ledger", 1), domaintest.KeyNumber("ledger", 2), domaintest.KeyNumber("ledger", 3)
	one, two := domaintest.KeyNumber("witness", 1), domaintest.KeyNumber("witness", 2)
	none := l.seq
	seq2 := l.do(keyring.RotateKey{Old: first.VerifierKey, Key: second.VerifierKey, Statement: first.HandOver(second)})
	registered := l.do(party.RegisterWitness{Party: domaintest.City, Key: one.VerifierKey})
	seq3 := l.do(keyring.RotateKey{Old: second.VerifierKey, Key: third.VerifierKey, Statement: second.HandOver(third)})
	rotated := l.do(party.RotateWitness{Party: domaintest.City, Key: two.VerifierKey, Statement: one.HandOver(two)})
	retired := l.do(party.RetireWitness{Party: domaintest.City}, domain.Meta{Note: "lost"})
	m := models(t, t.TempDir(), nil)
	follow(t, m, log)
	reach(t, m, l.seq)
	rotation2 := projections.Rotation{Seq: seq2, Old: first.VerifierKey, Key: second.VerifierKey, Statement: first.HandOver(second)}
	rotation3 := projections.Rotation{Seq: seq3, Old: second.VerifierKey, Key: third.VerifierKey, Statement: second.HandOver(third)}

	for seq, want := range map[uint64]projections.Keyring{
		0:        {Rotations: []projections.Rotation{}},
		none:     {Rotations: []projections.Rotation{}},
		seq2:     {First: first.VerifierKey, Current: second.VerifierKey, Rotations: []projections.Rotation{rotation2}},
		seq3 - 1: {First: first.VerifierKey, Current: second.VerifierKey, Rotations: []projections.Rotation{rotation2}},
		seq3:     {First: first.VerifierKey, Current: third.VerifierKey, Rotations: []projections.Rotation{rotation2, rotation3}},
		l.seq:    {First: first.VerifierKey, Current: third.VerifierKey, Rotations: []projections.Rotation{rotation2, rotation3}},
	} {
		// when
		got, err := m.Keyring(t.Context(), projections.Point{Seq: seq})
		// then
		require.NoError(t, err)
		assert.Equal(t, want, got, "as of %d", seq)
	}
	for seq, want := range map[uint64]domain.VerifierKey{none: "", registered: one.VerifierKey, rotated: two.VerifierKey, retired: ""} {
		p, err := m.Party(t.Context(), domaintest.City, projections.Point{Seq: seq})
		require.NoError(t, err)
		assert.Equal(t, want, p.Witness, "as of %d", seq)
	}
	assert.NoError(t, m.VerifyTables(t.Context()))
}

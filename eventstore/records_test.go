package eventstore_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/eventstore"
)

func TestRecords_areReadByTheSequencesThatAnIndexKnows(t *testing.T) {
	s := open(t)
	var seqs []uint64
	var mine, others uint64
	for range 200 {
		mine = mustAppend(t, s, message("p1", mine, "mine"))
		others = mustAppend(t, s, message("p2", others, "other"))
		seqs = append(seqs, mine)
	}
	subject := message("p1", 0, "").Subject
	var got []uint64
	for rec, err := range s.Records(context.Background(), subject, seqs) {
		require.NoError(t, err)
		assert.Equal(t, "mine", string(rec.Data))
		got = append(got, rec.Seq)
	}
	assert.Equal(t, seqs, got)

	for rec, err := range s.Records(context.Background(), subject, []uint64{1, 2}) {
		if rec.Seq == 1 {
			continue
		}
		require.ErrorContains(t, err, "sequence 2 is of")
	}
	// of any subject, and in any order
	got = nil
	backwards := []uint64{400, 3, 2, 399, 1}
	for rec, err := range s.Records(context.Background(), "", backwards) {
		require.NoError(t, err)
		assert.Equal(t, map[bool]string{true: "mine", false: "other"}[rec.Seq%2 == 1], string(rec.Data))
		got = append(got, rec.Seq)
	}
	assert.Equal(t, backwards, got)

	for _, err := range s.Records(context.Background(), subject, []uint64{9999}) {
		require.ErrorIs(t, err, eventstore.ErrNotFound)
	}
}

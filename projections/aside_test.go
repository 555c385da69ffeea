package projections_test

import (
	"context"
	"fmt"
	"iter"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/project"
	"github.com/milepost-ledger/milepost/eventstore"
	"github.com/milepost-ledger/milepost/projections"
)

// searched is a log that counts which records are looked up one by one.
type searched struct {
	*memory
	looked atomic.Int64
}

func (s *searched) Records(ctx context.Context, subject string, seqs []uint64) iter.Seq2[eventstore.Record, error] {
	s.looked.Add(int64(len(seqs)))
	return s.memory.Records(ctx, subject, seqs)
}

func TestWhatALoadForgetsIsNotReadAgain(t *testing.T) {
	// given projects that are spoken of in turn, and room to remember one of them
	const projects = 20
	l, memory := inMemory(t)
	log := &searched{memory: memory}
	l.signed(framework)
	id := func(i int) project.ID {
		return project.ID{Agreement: framework.Agreement, Project: domain.Key(fmt.Sprintf("project-%d", i))}
	}
	for i := range projects {
		l.started(id(i))
	}
	round := func(day int) {
		for i := range projects {
			l.do(project.SetTolerance{ID: id(i), Amber: day, Red: day + 1})
		}
	}
	for day := range 100 { // more than a batch
		round(day + 1)
	}
	for n := range 1100 { // and one in which the others are not spoken of
		l.do(project.SetTolerance{ID: id(0), Amber: 1 + n%2, Red: 3})
	}
	dir := t.TempDir()
	m, err := projections.Open(t.Context(), projections.Options{Dir: dir, Ledger: "test", CacheParts: 1})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.Close()) })

	// when read models are made, and the log is replayed
	_, err = m.Rebuild(t.Context(), log, nil)
	require.NoError(t, err)
	r := replayed(t, m, log)

	// then no event was looked for, the digest is that of a load which forgets nothing,
	assert.Zero(t, log.looked.Load())
	assert.True(t, r.Identical, r.Difference)
	assert.Equal(t, digestOf(t, memory), m.Position().Digest)
	// nothing is left of what was forgotten,
	files, err := filepath.Glob(filepath.Join(dir, "read-v*.db"))
	require.NoError(t, err)
	assert.Len(t, files, 1)
	// and who follows needs no history either.
	follow(t, m, log)
	round(7)
	reach(t, m, l.seq)
	assert.Zero(t, log.looked.Load())
	assert.Equal(t, digestOf(t, memory), m.Position().Digest)
}

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

// projectsInTurn has events of each of some projects in turn, for more than a batch, and
// then of one alone, for as long. It returns what has one more event of each.
func (l *ledger) projectsInTurn() (round func(amber int)) {
	const projects = 20
	id := func(i int) project.ID {
		return project.ID{Agreement: framework.Agreement, Project: domain.Key(fmt.Sprintf("project-%d", i))}
	}
	l.signed(framework)
	for i := range projects {
		l.started(id(i))
	}
	round = func(amber int) {
		for i := range projects {
			l.do(project.SetTolerance{ID: id(i), Amber: amber, Red: amber + 1})
		}
	}
	for n := range 100 {
		round(n + 1)
	}
	for n := range 1100 {
		l.do(project.SetTolerance{ID: id(0), Amber: 1 + n%2, Red: 3})
	}
	return round
}

func TestWhatALoadForgetsIsNotReadAgain(t *testing.T) {
	// given projects that are spoken of in turn, and room to remember one of them
	l, memory := inMemory(t)
	log := &searched{memory: memory}
	round := l.projectsInTurn()
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

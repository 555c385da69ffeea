package projections_test

import (
	"context"
	"errors"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/domaintest"
	"github.com/milepost-ledger/milepost/domain/project"
	"github.com/milepost-ledger/milepost/projections"
)

func TestRebuildEqualsLive(t *testing.T) {
	// given read models that followed a story from its first event
	l, store := stored(t)
	dir := t.TempDir()
	m := models(t, dir, nil)
	follow(t, m, store)
	reach(t, m, 0)
	l.story()
	reach(t, m, l.seq)

	// when they are made anew while questions are asked and events come
	ctx, cancel := context.WithCancel(t.Context())
	var asking sync.WaitGroup
	asking.Go(func() {
		for ctx.Err() == nil {
			p, err := m.Resolve(t.Context(), "")
			assert.NoError(t, err)
			_, err = m.Project(t.Context(), "framework", "iot-base", p)
			assert.NoError(t, err)
		}
	})
	var seen []uint64
	r, err := m.Rebuild(t.Context(), store, func(done, total uint64) {
		seen = append(seen, done, total)
		if done == total {
			l.do(project.ReportProgress{MilestoneID: milestone("build"), Percent: 60})
		}
	})
	cancel()
	asking.Wait()

	// then the two are identical, nothing was refused, and it goes on from there
	require.NoError(t, err)
	assert.True(t, r.Identical, r.Finding)
	assert.Equal(t, r.Live, r.Fresh)
	assert.Zero(t, r.FirstDifference)
	assert.NotEmpty(t, seen)
	reach(t, m, l.do(project.ReportProgress{MilestoneID: milestone("build"), Percent: 70}))
	item, err := m.Milestone(t.Context(), "framework", "iot-base", "build", projections.Point{Seq: l.seq})
	require.NoError(t, err)
	assert.Equal(t, 70, item.Percent)
	require.NoError(t, m.VerifyTables(t.Context()))
	// and one file is left
	m.Settled()
	assert.Equal(t, []string{fileOf(2)}, filesIn(t, dir))
}

func TestAnEditedFileIsFound(t *testing.T) {
	domaintest.Exhausting(t)
	for name, c := range map[string]struct {
		sql string
		seq func(l *ledger, before uint64) uint64 // the first that differs
	}{
		"a value":      {"UPDATE milestone SET forecast = forecast + 1 WHERE from_seq = ?1", nil},
		"a row less":   {"DELETE FROM milestone WHERE from_seq = ?1", nil},
		"a row moved":  {"UPDATE milestone SET from_seq = from_seq + 1000 WHERE from_seq = ?1", nil},
		"a change":     {"UPDATE change SET old = new WHERE id >> 16 = ?1", nil},
		"who did it":   {"UPDATE event SET actor = party WHERE seq = ?1", nil},
		"a word":       {"UPDATE word SET text = 'weather' WHERE text = 'supplier-delay' AND ?1 > 0", nil},
		"an entity":    {"UPDATE entity SET path = 'project/other' WHERE path = 'project/iot-base' AND ?1 > 0", func(*ledger, uint64) uint64 { return 9 }},
		"a mark":       {"UPDATE event SET mark = mark + 1 WHERE seq = ?1", nil},
		"the position": {"UPDATE position SET digest = zeroblob(32) WHERE ?1 > 0", func(l *ledger, _ uint64) uint64 { return l.seq }},
	} {
		t.Run(name, func(t *testing.T) {
			// given read models of which a file was edited at the event after before
			l, log := inMemory(t)
			before := l.story()
			dir := t.TempDir()
			m, err := projections.Open(t.Context(), projections.Options{Dir: dir, Ledger: "test"})
			require.NoError(t, err)
			_, err = m.Rebuild(t.Context(), log, nil)
			require.NoError(t, err)
			require.NoError(t, m.Close())
			edit(t, dir, c.sql, before+1)
			m = models(t, dir, nil)
			// when
			err = m.VerifyTables(t.Context())
			// then the first sequence is named
			var tables *projections.TablesError
			require.ErrorAs(t, err, &tables)
			want := before + 1
			if c.seq != nil {
				want = c.seq(l, before)
			}
			assert.Equal(t, want, tables.Seq, tables.What)
			// and a rebuild says so, and puts it right
			r, err := m.Rebuild(t.Context(), log, nil)
			require.NoError(t, err)
			assert.False(t, r.Identical)
			assert.NotZero(t, r.FirstDifference)
			assert.NotEmpty(t, r.Finding)
			require.NoError(t, m.VerifyTables(t.Context()))
			assert.Equal(t, r.Fresh, m.Position().Digest)
		})
	}
}

func TestRebuildFromAnotherLogNamesTheFirstDifference(t *testing.T) {
	// given read models of a story whose log is then told differently from one event on
	l, log := inMemory(t)
	before := l.story()
	m := models(t, t.TempDir(), nil)
	_, err := m.Rebuild(t.Context(), log, nil)
	require.NoError(t, err)
	other, otherLog := inMemory(t)
	other.story()
	for i, r := range otherLog.records[before:] {
		otherLog.records[int(before)+i].Data = []byte(replaceOnce(string(r.Data), `"actor":"`, `"actor":"not-`))
	}
	// when
	r, err := m.Rebuild(t.Context(), otherLog, nil)
	// then
	require.NoError(t, err)
	assert.False(t, r.Identical)
	assert.NotEqual(t, r.Live, r.Fresh)
	assert.Equal(t, before+1, r.FirstDifference)

	t.Run("or that it ends earlier", func(t *testing.T) {
		// when
		r, err := m.Rebuild(t.Context(), otherLog.until(before), nil)
		// then
		require.NoError(t, err)
		assert.False(t, r.Identical)
		assert.Equal(t, before+1, r.FirstDifference)
		assert.Equal(t, before, m.Position().Seq)
	})
}

func TestTheDigestIsOfWhatWasTold(t *testing.T) {
	tell := func(change func(l *ledger)) string {
		l, log := inMemory(t)
		change(l)
		l.story()
		return digestOf(t, log)
	}
	same := tell(func(*ledger) {})
	// ids and recorded times aside
	assert.Equal(t, same, tell(func(l *ledger) {
		l.idPrefix = "01999999"
		l.clock = l.clock.Add(time.Minute)
	}))
	// but not who, what and from when
	assert.NotEqual(t, same, tell(func(l *ledger) { l.clock = l.clock.AddDate(0, 0, 1) }))
	assert.NotEqual(t, same, tell(func(l *ledger) { l.signed(agreement.ID{Agreement: "another"}) }))
}

func TestRestart(t *testing.T) {
	// given read models that were closed after a clean stop
	l, store := stored(t)
	l.story()
	dir := t.TempDir()
	m, err := projections.Open(t.Context(), projections.Options{Dir: dir, Ledger: "test"})
	require.NoError(t, err)
	stop := follow(t, m, store)
	reach(t, m, l.seq)
	require.NoError(t, stop())
	was := m.Position()
	require.NoError(t, m.Close())
	// when they are opened again
	m = models(t, dir, nil)
	// then they answer at once from where they were
	now := m.Position()
	assert.Equal(t, was, now)
	_, err = m.Agreement(t.Context(), "framework", projections.Point{Seq: l.seq})
	require.NoError(t, err)
	// and go on
	follow(t, m, store)
	reach(t, m, l.do(project.ReportProgress{MilestoneID: milestone("build"), Percent: 80}))
	require.NoError(t, m.VerifyTables(t.Context()))
}

func TestAnInterruptedLoadLeavesNothing(t *testing.T) {
	// given
	l, log := inMemory(t)
	l.story()
	dir := t.TempDir()
	m := models(t, dir, nil)
	// when a load is interrupted
	ctx, cancel := context.WithCancel(t.Context())
	_, err := m.Rebuild(ctx, log, func(uint64, uint64) { cancel() })
	// then there are no read models, and no file of any
	require.True(t, errors.Is(err, context.Canceled), err)
	assert.False(t, m.Position().Ready)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, entries)
}

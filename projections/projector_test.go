package projections_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/catalogue"
	"github.com/milepost-ledger/milepost/domain/project"
	"github.com/milepost-ledger/milepost/eventstore"
	"github.com/milepost-ledger/milepost/projections"
)

// failing follows log from where m stands until the projector stops by itself.
func failing(t testing.TB, m *projections.Models, log projections.Log) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	err := m.Follow(ctx, log)
	require.NoError(t, ctx.Err(), "the projector did not stop")
	require.Error(t, err)
	return err
}

func TestProjectorStopsBeforeWhatItCannotProject(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(l *ledger, log *memory)
		check func(t *testing.T, err error)
	}{
		"a gap": {
			spoil: func(l *ledger, log *memory) {
				l.do(project.ReportProgress{MilestoneID: milestone("build"), Percent: 60})
				log.records[len(log.records)-1].Seq++
			},
			check: func(t *testing.T, err error) {
				var gap *projections.GapError
				require.ErrorAs(t, err, &gap)
				assert.Equal(t, gap.Want+1, gap.Got)
			},
		},
		"a record that comes twice": {
			spoil: func(_ *ledger, log *memory) {
				log.records = append(log.records, log.records[len(log.records)-1])
			},
			check: func(t *testing.T, err error) {
				var gap *projections.GapError
				require.ErrorAs(t, err, &gap)
				assert.Equal(t, gap.Want-1, gap.Got)
			},
		},
		"a version left out": {
			spoil: func(l *ledger, _ *memory) {
				l.versions[base.Ref()]++
				l.do(project.ReportProgress{MilestoneID: milestone("build"), Percent: 60})
			},
			check: func(t *testing.T, err error) {
				var version *projections.VersionError
				require.ErrorAs(t, err, &version)
				assert.Equal(t, base.Ref(), version.Ref)
				assert.Equal(t, version.Want+1, version.Got)
			},
		},
		"a first version of what exists": {
			spoil: func(l *ledger, _ *memory) {
				l.versions[base.Ref()] = 0
				l.do(project.ReportProgress{MilestoneID: milestone("build"), Percent: 60})
			},
			check: func(t *testing.T, err error) {
				var version *projections.VersionError
				require.ErrorAs(t, err, &version)
				assert.EqualValues(t, 1, version.Got)
			},
		},
		"an event of a later version of the program": {
			spoil: func(l *ledger, _ *memory) {
				l.put(base.Ref(), domain.Envelope{Type: "milepost.project.launched.v9", Version: l.versions[base.Ref()] + 1, Data: []byte(`{}`)})
			},
			check: func(t *testing.T, err error) {
				var unknown *catalogue.UnknownEventError
				require.ErrorAs(t, err, &unknown)
				assert.Equal(t, "milepost.project.launched.v9", unknown.Type)
				assert.ErrorContains(t, err, "milepost.project.launched.v9")
			},
		},
		"a record that is no event": {
			spoil: func(_ *ledger, log *memory) {
				log.append("milepost.test.framework.project.iot-base", []byte("{"), 0)
			},
			check: func(t *testing.T, err error) {
				var event *projections.EventError
				require.ErrorAs(t, err, &event)
			},
		},
	} {
		for _, cache := range []int{0, 1} {
			t.Run(name, func(t *testing.T) {
				// given read models that are up to date
				l, log := inMemory(t)
				l.story()
				m, err := projections.Open(t.Context(), projections.Options{Dir: t.TempDir(), Ledger: "test", CacheParts: cache})
				require.NoError(t, err)
				t.Cleanup(func() { require.NoError(t, m.Close()) })
				stop := follow(t, m, log)
				reach(t, m, l.seq)
				require.NoError(t, stop())
				// when a good event comes, and then one that cannot be projected
				good := l.do(project.ReportProgress{MilestoneID: milestone("build"), Percent: 55})
				c.spoil(l, log)
				err = failing(t, m, log)
				// then it stops, says why, and everything before is there
				c.check(t, err)
				p := m.Position()
				assert.Equal(t, good, p.Seq)
				assert.Equal(t, err, p.Err)
				item, err := m.Milestone(t.Context(), "framework", "iot-base", "build", projections.Point{Seq: good})
				require.NoError(t, err)
				assert.Equal(t, 55, item.Percent)
				assert.NoError(t, m.VerifyTables(t.Context()))
				// and who waits for more is told at once
				var behind *projections.BehindError
				require.ErrorAs(t, m.Wait(t.Context(), good+1), &behind)
				assert.Equal(t, good, behind.Reached)
				assert.ErrorIs(t, behind, p.Err)
			})
		}
	}
}

// interrupted is a log whose reader is told to stop in the middle of a chunk,
// while an aggregate is folded.
type interrupted struct {
	*memory
	folds  atomic.Int32
	cancel context.CancelFunc
}

func (i *interrupted) Records(ctx context.Context, subject string, seqs []uint64) iter.Seq2[eventstore.Record, error] {
	if i.folds.Add(-1) == 0 {
		i.cancel()
	}
	return i.memory.Records(ctx, subject, seqs)
}

func TestPositionCommitsWithItsRows(t *testing.T) {
	// given read models of some projects, and an event of each that is not in them yet
	const projects = 10
	l, log := inMemory(t)
	l.signed(framework)
	for i := range projects {
		l.started(project.ID{Agreement: framework.Agreement, Project: domain.Key(fmt.Sprintf("project-%d", i))})
	}
	dir := t.TempDir()
	open := func() *projections.Models {
		m, err := projections.Open(t.Context(), projections.Options{Dir: dir, Ledger: "test"})
		require.NoError(t, err)
		return m
	}
	m := open()
	stop := follow(t, m, log)
	reach(t, m, l.seq)
	require.NoError(t, stop())
	require.NoError(t, m.Close())
	start := l.seq
	for i := range projects {
		l.do(project.SetTolerance{ID: project.ID{Agreement: framework.Agreement, Project: domain.Key(fmt.Sprintf("project-%d", i))}, Amber: 5, Red: 6})
	}
	// when the projector is stopped in the middle of these, at each fold but the last
	for folds := range projects - 1 {
		m := open()
		ctx, cancel := context.WithCancel(t.Context())
		cut := &interrupted{memory: log, cancel: cancel}
		cut.folds.Store(int32(folds + 1))
		require.NoError(t, m.Follow(ctx, cut))
		// then nothing of the chunk is there
		require.Equal(t, start, m.Position().Seq)
		item, err := m.Project(t.Context(), framework.Agreement, "project-0", projections.Point{Seq: start})
		require.NoError(t, err)
		require.NotEqual(t, 5, item.Tolerance.Amber)
		require.NoError(t, m.Close())
	}
	// and when it may go on
	m = open()
	defer m.Close()
	follow(t, m, log)
	reach(t, m, l.seq)
	// then nothing is doubled and nothing missing
	require.NoError(t, m.VerifyTables(t.Context()))
	assert.Equal(t, digestOf(t, log), m.Position().Digest)
}

func TestFollowRefusesAnotherLog(t *testing.T) {
	// given read models of one log
	l, log := inMemory(t)
	l.story()
	m := models(t, t.TempDir(), nil)
	stop := follow(t, m, log)
	reach(t, m, l.seq)
	require.NoError(t, stop())

	t.Run("that is shorter", func(t *testing.T) {
		var foreign *projections.ForeignLogError
		require.ErrorAs(t, failing(t, m, log.until(3)), &foreign)
		assert.EqualValues(t, 3, foreign.Last)
	})
	t.Run("that tells another story", func(t *testing.T) {
		other, otherLog := inMemory(t)
		other.idPrefix = "01999999"
		other.story()
		var foreign *projections.ForeignLogError
		require.ErrorAs(t, failing(t, m, otherLog), &foreign)
	})
	t.Run("while one is followed", func(t *testing.T) {
		follow(t, m, log)
		require.Eventually(t, func() bool { return m.Position().Err == nil }, 10*time.Second, time.Millisecond)
		assert.Error(t, m.Follow(t.Context(), log))
	})
}

func TestReadModelsOfALedgerAreNotAnothers(t *testing.T) {
	// given
	l, log := inMemory(t)
	l.story()
	dir := t.TempDir()
	m, err := projections.Open(t.Context(), projections.Options{Dir: dir, Ledger: "test"})
	require.NoError(t, err)
	_, err = m.Rebuild(t.Context(), log, nil)
	require.NoError(t, err)
	require.NoError(t, m.Close())
	// when
	_, err = projections.Open(t.Context(), projections.Options{Dir: dir, Ledger: "another"})
	// then
	require.ErrorContains(t, err, `"test"`)
	_, _, err = m.Parties(t.Context(), projections.Point{}, projections.Page{})
	assert.True(t, errors.Is(err, projections.ErrClosed))
}

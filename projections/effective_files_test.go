package projections_test

import (
	"context"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/party"
	"github.com/milepost-ledger/milepost/domain/project"
	"github.com/milepost-ledger/milepost/eventstore"
	"github.com/milepost-ledger/milepost/projections"
)

// effectiveFilesIn lists the files of the second axis.
func effectiveFilesIn(t testing.TB, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "effective-*"))
	require.NoError(t, err)
	return names
}

func TestEffectiveFiles(t *testing.T) {
	l, log := inMemory(t)
	before := l.backdated()
	build := func(t *testing.T, m *projections.Models, at projections.Point) int {
		t.Helper()
		i, err := m.Milestone(t.Context(), base.Agreement, base.Project, "build", at)
		require.NoError(t, err)
		return i.Percent
	}
	rebuilt := func(t *testing.T, log projections.Log) (*projections.Models, string) {
		dir := t.TempDir()
		m := models(t, dir, nil)
		_, err := m.Rebuild(t.Context(), log, nil)
		require.NoError(t, err)
		return m, dir
	}

	t.Run("one answers for every date, whatever else is recorded", func(t *testing.T) {
		// given
		l, log := inMemory(t)
		l.backdated()
		dir := t.TempDir()
		m := models(t, dir, nil)
		follow(t, m, log)
		reach(t, m, l.seq)
		// when questions of several dates are asked at once, and one after an
		// event elsewhere
		var asked sync.WaitGroup
		for _, date := range []string{"2024-06-11", "2024-06-12", "2024-06-20", "2024-06-12"} {
			asked.Go(func() {
				_, err := m.Project(t.Context(), base.Agreement, base.Project, effectiveOn(l.seq, date))
				assert.NoError(t, err)
			})
		}
		asked.Wait()
		reach(t, m, l.do(party.Register{Party: "elsewhere", Title: text("Elsewhere"), Kind: "other"}))
		assert.Equal(t, 30, build(t, m, effectiveOn(l.seq, "2024-06-12")))
		// then one file was made
		assert.Equal(t, []string{filepath.Join(dir, "effective-000001.db")}, effectiveFilesIn(t, dir))
		// and another one after an event of the agreement
		reach(t, m, l.do(project.ReportProgress{MilestoneID: milestone("build"), Percent: 35}, domain.Meta{Effective: day("2024-06-12")}))
		assert.Equal(t, 35, build(t, m, effectiveOn(l.seq, "2024-06-12")))
		assert.Len(t, effectiveFilesIn(t, dir), 2)
	})
	t.Run("few are kept, and none is closed under a question", func(t *testing.T) {
		// given
		m, dir := rebuilt(t, log)
		// when more of them are asked at once than are kept
		var asked sync.WaitGroup
		for range 3 {
			for seq := before - 12; seq <= l.seq; seq++ {
				asked.Go(func() {
					p, err := m.Project(t.Context(), base.Agreement, base.Project, effectiveOn(seq, "2024-12-31"))
					if assert.NoError(t, err) {
						whole, err := m.Project(t.Context(), base.Agreement, base.Project, projections.Point{Seq: seq})
						assert.NoError(t, err)
						assert.Equal(t, whole.Version, p.Version)
					}
				})
			}
		}
		asked.Wait()
		// then
		require.Eventually(t, func() bool { return len(effectiveFilesIn(t, dir)) == 8 }, 10*time.Second, time.Millisecond)
		// and the models take all with them when they are closed
		require.NoError(t, m.Close())
		assert.Empty(t, effectiveFilesIn(t, dir))
	})
	t.Run("those of long agreements are fewer", func(t *testing.T) {
		const all = 1 << 20
		assert.Equal(t, 2, projections.KeptEffective(all/2, all/2))
		assert.Equal(t, 1, projections.KeptEffective(all/2, all/2+1, 1))
		assert.Equal(t, 1, projections.KeptEffective(all+1), "the one that is asked is there, however long")
	})
	t.Run("what a crash left is removed", func(t *testing.T) {
		dir := t.TempDir()
		left := filepath.Join(dir, "effective-000007.db")
		require.NoError(t, os.WriteFile(left, []byte("left"), 0o600))
		models(t, dir, nil)
		assert.NoFileExists(t, left)
	})
	t.Run("they are made anew after a rebuild", func(t *testing.T) {
		m, dir := rebuilt(t, log)
		build(t, m, effectiveOn(l.seq, "2024-06-12"))
		_, err := m.Rebuild(t.Context(), log, nil)
		require.NoError(t, err)
		require.Eventually(t, func() bool { return len(effectiveFilesIn(t, dir)) == 0 }, 10*time.Second, time.Millisecond)
		assert.Equal(t, 30, build(t, m, effectiveOn(l.seq, "2024-06-12")))
	})
	t.Run("states that were forgotten are folded again in that order", func(t *testing.T) {
		// given a projector that remembers next to nothing, and many projects
		l, log := inMemory(t)
		l.backdated()
		for n := range 3 {
			l.do(project.Propose{Agreement: framework.Agreement, Project: domain.Key(fmt.Sprintf("p-%d", n)), Title: text("P"), Kind: "town", Areas: []domain.Key{"iot"}})
		}
		for n := range 1500 { // more than one batch
			l.do(project.ChangeScope{ID: project.ID{Agreement: framework.Agreement, Project: domain.Key(fmt.Sprintf("p-%d", n%3))}, Title: text(fmt.Sprint(n))},
				domain.Meta{Effective: day("2024-06-30") + domain.Date(n%40)})
		}
		m, err := projections.Open(t.Context(), projections.Options{Dir: t.TempDir(), Ledger: "test", CacheParts: 1})
		require.NoError(t, err)
		defer func() { require.NoError(t, m.Close()) }()
		_, err = m.Rebuild(t.Context(), log, nil)
		require.NoError(t, err)
		// when
		p, err := m.Project(t.Context(), framework.Agreement, "p-1", effectiveOn(l.seq, "2024-12-31"))
		// then the last of those that are effective last holds
		require.NoError(t, err)
		assert.Equal(t, text("1399"), p.Title)
		assert.EqualValues(t, 501, p.Version)
	})
	t.Run("models that were opened and not followed do not know the log", func(t *testing.T) {
		// given
		m, dir := rebuilt(t, log)
		require.NoError(t, m.Close())
		m = models(t, dir, nil)
		// when
		_, err := m.Agreement(t.Context(), framework.Agreement, effectiveOn(l.seq, "2024-06-12"))
		// then
		var behind *projections.BehindError
		require.ErrorAs(t, err, &behind)
		// and once they are, the question is answered
		follow(t, m, log)
		require.Eventually(t, func() bool {
			_, err := m.Agreement(t.Context(), framework.Agreement, effectiveOn(l.seq, "2024-06-12"))
			return err == nil
		}, 10*time.Second, time.Millisecond)
	})
	t.Run("a log that is not the one the models were made from is refused", func(t *testing.T) {
		// given a log with other records where the register says that they are
		other, foreign := inMemory(t)
		other.signed(agreement.ID{Agreement: "other"})
		for other.seq < l.seq {
			other.do(agreement.AddArea{ID: agreement.ID{Agreement: "other"}, Area: domain.Key(fmt.Sprint("a-", other.seq)), Title: text("A")})
		}
		m, dir := rebuilt(t, &replacedLog{log, foreign})
		// when
		_, err := m.Agreement(t.Context(), framework.Agreement, effectiveOn(l.seq, "2024-06-12"))
		// then
		var wrong *projections.ForeignLogError
		require.ErrorAs(t, err, &wrong)
		assert.Empty(t, effectiveFilesIn(t, dir))
	})
}

// replacedLog is a log whose records by sequence are those of another one.
type replacedLog struct {
	*memory
	other *memory
}

func (r *replacedLog) Records(ctx context.Context, subject string, seqs []uint64) iter.Seq2[eventstore.Record, error] {
	return r.other.Records(ctx, subject, seqs)
}

// slowLog is a log whose records of any subject do not come before it is told
// so.
type slowLog struct {
	*memory
	asked chan context.Context // gets the context of each reading
	gate  chan struct{}
}

func (s *slowLog) Records(ctx context.Context, subject string, seqs []uint64) iter.Seq2[eventstore.Record, error] {
	return func(yield func(eventstore.Record, error) bool) {
		if subject != "" { // of one aggregate, while the models are made
			s.memory.Records(ctx, subject, seqs)(yield)
			return
		}
		s.asked <- ctx
		select {
		case <-s.gate:
			s.memory.Records(ctx, subject, seqs)(yield)
		case <-ctx.Done():
			yield(eventstore.Record{}, ctx.Err())
		}
	}
}

func TestWhoWaitsForAnEffectiveFile(t *testing.T) {
	l, log := inMemory(t)
	l.backdated()
	slow := func(t *testing.T) (*projections.Models, *slowLog, string) {
		dir := t.TempDir()
		m, s := models(t, dir, nil), &slowLog{log, make(chan context.Context, 10), make(chan struct{})}
		_, err := m.Rebuild(t.Context(), s, nil)
		require.NoError(t, err)
		return m, s, dir
	}
	ask := func(ctx context.Context, m *projections.Models) chan error {
		ended := make(chan error, 1)
		go func() {
			_, err := m.Agreement(ctx, framework.Agreement, effectiveOn(l.seq, "2024-06-12"))
			ended <- err
		}()
		return ended
	}
	t.Run("does not lose it when the first one goes", func(t *testing.T) {
		// given two who wait for the same
		m, log, _ := slow(t)
		ctx, cancel := context.WithCancel(t.Context())
		first := ask(ctx, m)
		reading := <-log.asked
		second := ask(t.Context(), m)
		require.Eventually(t, func() bool { return m.EffectiveUsers() == 2 }, 10*time.Second, time.Millisecond)
		// when the first one goes
		cancel()
		require.ErrorIs(t, <-first, context.Canceled)
		// then the other one gets its answer from the same reading
		require.NoError(t, reading.Err())
		close(log.gate)
		require.NoError(t, <-second)
		assert.Empty(t, log.asked)
	})
	t.Run("has it given up when all have gone", func(t *testing.T) {
		// given one who waits
		m, log, dir := slow(t)
		ctx, cancel := context.WithCancel(t.Context())
		first := ask(ctx, m)
		reading := <-log.asked
		// when it goes
		cancel()
		require.ErrorIs(t, <-first, context.Canceled)
		// then nobody reads the log any more, and no file is left
		<-reading.Done()
		require.Eventually(t, func() bool { return len(effectiveFilesIn(t, dir)) == 0 }, 10*time.Second, time.Millisecond)
		// and who comes then is answered
		close(log.gate)
		require.NoError(t, <-ask(t.Context(), m))
	})
	t.Run("is let go when the models are closed", func(t *testing.T) {
		m, log, dir := slow(t)
		waits := ask(t.Context(), m)
		<-log.asked
		require.NoError(t, m.Close())
		require.ErrorIs(t, <-waits, context.Canceled)
		assert.Empty(t, effectiveFilesIn(t, dir))
	})
}

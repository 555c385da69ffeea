package projections_test

import (
	"context"
	"fmt"
	"iter"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/project"
	"github.com/milepost-ledger/milepost/eventstore"
	"github.com/milepost-ledger/milepost/projections"
)

// formerFiles makes read models of the log as a former version would have: stamped
// so, and with another title of the framework.
func formerFiles(t testing.TB, log projections.Log, view *projections.View) (dir string) {
	t.Helper()
	dir = t.TempDir()
	m, err := projections.Open(t.Context(), projections.Options{Dir: dir, Ledger: "test", View: view})
	require.NoError(t, err)
	stop := follow(t, m, log)
	last, err := log.Last(t.Context())
	require.NoError(t, err)
	reach(t, m, last)
	require.NoError(t, stop())
	require.NoError(t, m.Close())
	edit(t, dir, `UPDATE word SET text = '{"en":"Former framework"}' WHERE text = '{"en":"Framework"}'`)
	edit(t, dir, `UPDATE meta SET value = '0' WHERE name = 'projection'`)
	return dir
}

// title is that of the framework, now.
func title(t testing.TB, m *projections.Models) string {
	t.Helper()
	a, err := m.Agreement(t.Context(), "framework", projections.Point{Seq: m.Position().Seq})
	require.NoError(t, err)
	return a.Title["en"]
}

// filesIn lists what is in a directory of read models, but for what SQLite puts
// beside them.
func filesIn(t testing.TB, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), "-wal") && !strings.HasSuffix(e.Name(), "-shm") {
			names = append(names, e.Name())
		}
	}
	return names
}

// fileOf is the name of the file of a generation.
func fileOf(generation int) string {
	return fmt.Sprintf("read-v%d-%06d.db", projections.SchemaVersion, generation)
}

// watchedLog tells of each step of who reads it, before it is taken, in chunks of
// a few records; an error fails the step.
type watchedLog struct {
	*memory
	step func(call string) error
}

func (w *watchedLog) Last(ctx context.Context) (uint64, error) {
	if err := w.step("last"); err != nil {
		return 0, err
	}
	return w.memory.Last(ctx)
}

func (w *watchedLog) ReadChunks(ctx context.Context, from, to uint64, filter string) iter.Seq2[[]eventstore.Record, error] {
	return func(yield func([]eventstore.Record, error) bool) {
		for records := range w.memory.ReadChunks(ctx, from, to, filter) {
			for chunk := range slices.Chunk(records, 32) {
				if err := w.step("read"); err != nil {
					yield(nil, err)
					return
				}
				if !yield(chunk, nil) {
					return
				}
			}
		}
	}
}

// report moves the project of the story on by so many events.
func (l *ledger) report(n int) {
	for range n {
		l.do(project.ReportProgress{MilestoneID: milestone("build"), Percent: 52 + int(l.seq)%40}, domain.Meta{Reason: "supplier-delay", Note: "there and back"})
	}
}

func TestReadModelsOfAFormerVersionServeUntilThereAreNewOnes(t *testing.T) {
	// given read models of a former version
	l, log := inMemory(t)
	l.story()
	dir := formerFiles(t, log, nil)
	m := models(t, dir, nil)
	// then they serve at once, say why they are to be made anew, and follow the log
	require.True(t, m.Position().Ready)
	assert.Equal(t, fmt.Sprintf("they are of version %[1]d.0, and this program makes %[1]d.%[2]d", projections.SchemaVersion, projections.ProjectionVersion), m.Build().Due)
	follow(t, m, log)
	reach(t, m, l.do(project.ReportProgress{MilestoneID: milestone("build"), Percent: 51}))
	assert.Equal(t, "Former framework", title(t, m))

	// when new ones are made, while questions are asked that want what was just written
	ctx, cancel := context.WithCancel(t.Context())
	var asking sync.WaitGroup
	asking.Go(func() {
		for seen := uint64(0); ctx.Err() == nil; {
			p := m.Position()
			assert.GreaterOrEqual(t, p.Seq, seen)
			seen = p.Seq
			assert.NoError(t, m.Wait(t.Context(), seen))
			_, err := m.Project(t.Context(), "framework", "iot-base", projections.Point{Seq: seen})
			assert.NoError(t, err)
		}
	})
	steps := 0
	m.Renew(t.Context(), &watchedLog{log, func(string) error {
		if steps++; steps > 20 {
			return nil // else it has always more to do
		}
		assert.Equal(t, "Former framework", title(t, m))
		assert.True(t, m.Build().Running)
		l.report(50)
		if steps < 5 { // later the projector may be held up by what this is a step of
			reach(t, m, l.seq)
		}
		return nil
	}})
	reach(t, m, l.do(project.ReportProgress{MilestoneID: milestone("build"), Percent: 99}))
	cancel()
	asking.Wait()

	// then the new ones serve
	assert.Greater(t, steps, 4)
	assert.Equal(t, "Framework", title(t, m))
	b := m.Build()
	assert.Empty(t, b.Due)
	assert.False(t, b.Running)
	assert.Equal(t, 1, b.Made)
	require.NoError(t, b.Err)
	// and are what a rebuild makes, in one file
	r, err := m.Rebuild(t.Context(), log, nil)
	require.NoError(t, err)
	assert.True(t, r.Identical, r.Finding)
	m.Settled()
	assert.Equal(t, []string{fileOf(3)}, filesIn(t, dir))
	// and there is nothing left to do
	m.Renew(t.Context(), nil)
}

// A rebuild compares what was there, says that it was of a former version, and
// leaves nothing to renew.
func TestARebuildIsMadeInPlaceOfARenewal(t *testing.T) {
	// given read models of a former version that are being made anew
	l, log := inMemory(t)
	l.story()
	m := models(t, formerFiles(t, log, nil), nil)
	under, goOn := make(chan struct{}), make(chan struct{})
	var once sync.Once
	var renewing sync.WaitGroup
	renewing.Go(func() {
		m.RenewOnce(t.Context(), &watchedLog{log, func(string) error {
			once.Do(func() { close(under) })
			<-goOn
			return nil
		}})
	})
	<-under
	// when a rebuild is asked for
	m.AfterGivingUp(sync.OnceFunc(func() { close(goOn) }))
	r, err := m.Rebuild(t.Context(), log, nil)
	renewing.Wait()
	// then it takes its place, and says what was there
	require.NoError(t, err)
	assert.False(t, r.Identical)
	b := m.Build()
	assert.Equal(t, "it was asked for", b.Why)
	assert.Equal(t, 1, b.Made)
	assert.Zero(t, b.Failed)
	assert.Empty(t, b.Due)
	assert.Equal(t, "Framework", title(t, m))
}

package projections_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/domaintest"
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
	assert.Equal(t, fmt.Sprintf("they are of version %[1]d.0, and this program makes %[1]d.1", projections.SchemaVersion), m.Build().Due)
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
	time.AfterFunc(time.Millisecond, func() { close(goOn) })
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

func TestAFailedBuildLeavesTheFormerServing(t *testing.T) {
	broken := errors.New("the disk is on fire")
	for name, c := range map[string]struct {
		step  func(n int, call string) error                                // of the log
		spoil func(t *testing.T, l *ledger, log *memory, dir string) func() // returns what mends it
		says  string
	}{
		"the log does not say where it ends": {
			step: func(n int, _ string) error { return errorIf(n == 1, broken) }, says: "on fire",
		},
		"the log cannot be read": {
			step: func(_ int, call string) error { return errorIf(call == "read", broken) }, says: "on fire",
		},
		"what came meanwhile cannot be read": {
			step: func(n int, call string) error { return errorIf(n > 2 && call == "last", broken) }, says: "on fire",
		},
		"an event that is not understood": {
			spoil: func(_ *testing.T, _ *ledger, log *memory, _ string) func() {
				was := log.records[5].Data
				log.records[5].Data = []byte(replaceOnce(string(was), `"type":"milepost.`, `"type":"millstone.`))
				return func() { log.records[5].Data = was }
			},
			says: "event 6",
		},
		"a log that has lost its end": {
			spoil: func(_ *testing.T, _ *ledger, log *memory, _ string) func() {
				was := log.records
				log.records = log.records[:4]
				return func() { log.records = was }
			},
			says: "the log ends at 4",
		},
		"no place for the file": {
			spoil: func(t *testing.T, _ *ledger, _ *memory, dir string) func() {
				taken := filepath.Join(dir, fileOf(2)+".load", "x")
				require.NoError(t, os.MkdirAll(taken, 0o700))
				return func() { require.NoError(t, os.RemoveAll(filepath.Dir(taken))) }
			},
			says: fileOf(2) + ".load",
		},
	} {
		t.Run(name, func(t *testing.T) {
			// given read models of a former version, and something that goes wrong when new ones are made
			l, log := inMemory(t)
			l.story()
			dir := formerFiles(t, log, nil)
			m := models(t, dir, nil)
			seen := m.Position()
			mend := func() {}
			if c.spoil != nil {
				mend = c.spoil(t, l, log, dir)
			}
			// when
			n := 0
			m.RenewOnce(t.Context(), &watchedLog{log, func(call string) error {
				if n++; c.step != nil {
					return c.step(n, call)
				}
				return nil
			}})
			// then it says why, what served serves, nothing is left behind
			b := m.Build()
			assert.False(t, b.Running)
			assert.Equal(t, 1, b.Failed)
			assert.Zero(t, b.Made)
			assert.NotEmpty(t, b.Due)
			var failed *projections.BuildError
			require.ErrorAs(t, b.Err, &failed)
			assert.ErrorContains(t, failed.Err, c.says)
			assert.Equal(t, seen, m.Position())
			assert.Equal(t, "Former framework", title(t, m))
			mend()
			m.Settled()
			assert.Equal(t, []string{fileOf(1)}, filesIn(t, dir))
			// and goes on
			follow(t, m, log)
			reach(t, m, l.do(project.ReportProgress{MilestoneID: milestone("build"), Percent: 60}))
			assert.Equal(t, "Former framework", title(t, m))
			// and once it is mended new ones are made
			m.RenewOnce(t.Context(), log)
			b = m.Build()
			require.NoError(t, b.Err)
			assert.Equal(t, 1, b.Made)
			assert.Empty(t, b.Due)
			assert.Equal(t, "Framework", title(t, m))
		})
	}
}

func errorIf(is bool, err error) error {
	if is {
		return err
	}
	return nil
}

func TestAFailedRenewalIsTriedAgainLaterAndLater(t *testing.T) {
	l, log := inMemory(t)
	l.story()
	dir := formerFiles(t, log, nil)
	synctest.Test(t, func(t *testing.T) {
		// given read models of a former version, and a log that cannot be read three times
		m, err := projections.Open(t.Context(), projections.Options{Dir: dir, Ledger: "test"})
		require.NoError(t, err)
		began, tries := time.Now(), 0
		// when
		m.Renew(t.Context(), &watchedLog{log, func(call string) error {
			if call == "last" { // where a build begins
				tries++
			}
			return errorIf(tries < 4, errors.New("not now"))
		}})
		// then it was tried after one minute, two and four, and done
		assert.Equal(t, 7*time.Minute, time.Since(began))
		assert.Equal(t, 3, m.Build().Failed)
		assert.Empty(t, m.Build().Due)
		require.NoError(t, m.Close())
	})
}

// A process that is killed leaves, whatever it was at, files that the next one
// serves from at once. The files are copied before each step as a kill would
// leave them: what was written is there, and nothing more comes.
func TestKilledAtAnyStepOfABuild(t *testing.T) {
	// given read models of a former version that serve, and a question under way
	l, log := inMemory(t)
	l.story()
	dir := formerFiles(t, log, nil)
	m := models(t, dir, nil)
	follow(t, m, log)
	asked, answered := make(chan struct{}), make(chan struct{})
	answer := sync.OnceFunc(func() { close(answered) })
	defer answer()
	var asking sync.WaitGroup
	asking.Go(func() {
		assert.NoError(t, m.Reading(t.Context(), func() {
			close(asked)
			<-answered
		}))
	})
	<-asked
	// when new ones are made, while events come, and the files are copied at each step
	var copies []string
	copied := func() {
		to := t.TempDir()
		require.NoError(t, os.CopyFS(to, os.DirFS(dir)))
		copies = append(copies, to)
	}
	m.RenewOnce(t.Context(), &watchedLog{log, func(call string) error {
		copied()
		if call == "read" && len(copies) < 5 {
			l.report(80)
			reach(t, m, l.seq)
		}
		return nil
	}})
	require.NoError(t, m.Build().Err)
	assert.Equal(t, []string{fileOf(1), fileOf(2)}, filesIn(t, dir), "what a question is under way on")
	copied()
	answer()
	asking.Wait()
	m.Settled()
	copied()
	assert.Equal(t, []string{fileOf(2)}, filesIn(t, dir))
	digest := m.Position().Digest
	require.Equal(t, l.seq, m.Position().Seq)

	// then each copy serves, follows, and comes to be what the log says, in one file
	loads, titles := 0, map[string]int{}
	for i, dir := range copies {
		if slices.Contains(filesIn(t, dir), fileOf(2)+".load") {
			loads++
		}
		m := models(t, dir, nil)
		require.True(t, m.Position().Ready, "copy %d", i)
		require.Len(t, filesIn(t, dir), 1, "copy %d", i)
		titles[title(t, m)]++
		follow(t, m, log)
		reach(t, m, l.seq)
		m.Renew(t.Context(), log)
		m.Settled()
		assert.Equal(t, "Framework", title(t, m), "copy %d", i)
		assert.Equal(t, digest, m.Position().Digest, "copy %d", i)
		require.NoError(t, m.VerifyTables(t.Context()), "copy %d", i)
		assert.Len(t, filesIn(t, dir), 1, "copy %d", i)
	}
	assert.NotZero(t, loads, "none was copied while it was loaded")
	assert.Greater(t, titles["Framework"], 4, "of %d none was copied when the new file was complete", len(copies))
	assert.Greater(t, titles["Former framework"], 1)
}

// Files of another schema are not asked. They are all that there is until new ones
// are complete, for a program that can ask them.
func TestFilesThatCannotBeAskedStayUntilThereAreOthers(t *testing.T) {
	for name, change := range map[string]string{
		"another number":    "",
		"a column less":     "DROP VIEW fund_history; DROP VIEW fund_now; ALTER TABLE fund DROP COLUMN title",
		"an index less":     "DROP INDEX change_field",
		"a table less":      "DROP VIEW tile_read; DROP TABLE tile",
		"a column moved on": "DROP INDEX event_type; CREATE INDEX event_type ON event (type, seq)",
	} {
		t.Run(name, func(t *testing.T) {
			// given
			l, log := inMemory(t)
			l.story()
			dir := formerFiles(t, log, nil)
			former := filepath.Join(dir, fileOf(1))
			if change == "" {
				of := filepath.Join(dir, fmt.Sprintf("read-v%d-000007.db", projections.SchemaVersion-1))
				require.NoError(t, os.Rename(former, of))
				former = of
			} else {
				execute(t, dir, change)
			}
			// when they are opened, and new ones fail
			m := models(t, dir, nil)
			assert.False(t, m.Position().Ready)
			m.Renew(t.Context(), nil) // it is for Follow to make them
			require.Error(t, m.Follow(t.Context(), &watchedLog{log, func(call string) error { return errorIf(call == "read", errors.New("not now")) }}))
			// then they are there
			assert.FileExists(t, former)
			b := m.Build()
			assert.Equal(t, 1, b.Failed)
			assert.ErrorContains(t, b.Err, "not now")
			// until there are new ones
			follow(t, m, log)
			require.Eventually(t, func() bool { return m.Position().Seq == l.seq }, 30*time.Second, time.Millisecond)
			m.Settled()
			assert.NoFileExists(t, former)
			assert.Equal(t, "Framework", title(t, m))
			assert.Len(t, filesIn(t, dir), 1)
		})
	}
}

// What differs in nothing that is asked serves until there are new ones.
func TestFilesOfAnotherSchemaThatCanBeAsked(t *testing.T) {
	for name, change := range map[string]string{
		"a view more, a table more": "CREATE VIEW more AS SELECT 1; CREATE TABLE formerly (n INTEGER); UPDATE meta SET value = 'former' WHERE name = 'schema'; UPDATE meta SET value = '1' WHERE name = 'projection'",
		"no number":                 "DELETE FROM meta WHERE name = 'projection'",
		"of a later version":        "UPDATE meta SET value = '2' WHERE name = 'projection'",
	} {
		t.Run(name, func(t *testing.T) {
			l, log := inMemory(t)
			l.story()
			dir := formerFiles(t, log, nil)
			execute(t, dir, change)
			m := models(t, dir, nil)
			assert.True(t, m.Position().Ready)
			assert.NotEmpty(t, m.Build().Due)
			m.Renew(t.Context(), log)
			assert.Empty(t, m.Build().Due)
			assert.Equal(t, "Framework", title(t, m))
		})
	}
}

func TestAViewOfAFormerVersionServesUntilThereIsANewOne(t *testing.T) {
	// given a view of a former version that serves while it is made anew
	l, log := inMemory(t)
	l.given(domaintest.Running()...)
	l.do(agreement.AddArea{ID: framework, Area: "secrets", Title: text("Secrets")})
	before := l.seq
	view := noSecrets
	dir := formerFiles(t, log, &view)
	m, err := projections.Open(t.Context(), projections.Options{Dir: dir, Ledger: "test", View: &view})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.Close()) })
	require.NotEmpty(t, m.Build().Due)
	t.Run("and has shown nothing that is restricted meanwhile", func(t *testing.T) {
		copied := t.TempDir()
		require.NoError(t, os.CopyFS(copied, os.DirFS(dir)))
		m, err := projections.Open(t.Context(), projections.Options{Dir: copied, Ledger: "test", View: &view})
		require.NoError(t, err)
		defer func() { assert.NoError(t, m.Close()) }()
		// when
		m.Renew(t.Context(), log)
		// then
		assert.Empty(t, m.Build().Due)
		assert.Contains(t, projectsIn(t, m), base.Project)
	})
	follow(t, m, log)
	reach(t, m, before)
	under, goOn := make(chan struct{}), make(chan struct{})
	var once sync.Once
	var renewing sync.WaitGroup
	renewing.Go(func() {
		m.RenewOnce(t.Context(), &watchedLog{log, func(call string) error {
			if call == "read" {
				once.Do(func() { close(under) })
				<-goOn
			}
			return nil
		}})
	})
	<-under
	require.Contains(t, projectsIn(t, m), base.Project)
	// when what it shows is restricted
	l.do(project.ChangeScope{ID: domaintest.Base, Areas: []domain.Key{"secrets"}})
	// then nothing is answered until it is made anew, and not with what was being made
	var behind *projections.BehindError
	require.Eventually(t, func() bool {
		_, err := m.Project(t.Context(), "framework", "iot-base", projections.Point{Seq: before})
		return errors.As(err, &behind)
	}, 30*time.Second, time.Millisecond)
	close(goOn)
	renewing.Wait()
	reach(t, m, l.seq)
	assert.NotContains(t, projectsIn(t, m), base.Project)
	b := m.Build()
	assert.Empty(t, b.Due)
	assert.Equal(t, "there are none", b.Why)
	assert.Equal(t, fmt.Sprint(1, 0), fmt.Sprint(b.Made, b.Failed))
	m.Settled()
	assert.Len(t, filesIn(t, dir), 1)
}

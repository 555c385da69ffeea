package projections_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/domain/project"
	"github.com/milepost-ledger/milepost/projections"
)

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

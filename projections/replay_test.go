package projections_test

import (
	"context"
	"errors"
	"io"
	"iter"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
	"zombiezen.com/go/sqlite"

	"github.com/milepost-ledger/milepost/domain/domaintest"
	"github.com/milepost-ledger/milepost/domain/project"
	"github.com/milepost-ledger/milepost/eventstore"
	"github.com/milepost-ledger/milepost/projections"
)

// replayed replays log and requires that it came to a result.
func replayed(t tb, m *projections.Models, log projections.Log) projections.Replayed {
	t.Helper()
	r, err := m.Replay(context.Background(), log, projections.ReplayOptions{})
	require.NoError(t, err)
	require.Equal(t, r.Difference == nil, r.Identical)
	return r
}

func TestReplayOfWhatIsWhole(t *testing.T) {
	// given read models that followed a real log
	l, store := stored(t)
	l.story()
	m := models(t, t.TempDir(), nil)
	follow(t, m, store)
	reach(t, m, l.seq)
	// when it is replayed
	var seen []uint64
	r, err := m.Replay(t.Context(), store, projections.ReplayOptions{Progress: func(done, total uint64) { seen = append(seen, done, total) }})
	// then it is identical, at the digest and the root of the models
	require.NoError(t, err)
	root, err := m.TreeRoot(t.Context(), "", l.seq)
	require.NoError(t, err)
	assert.Equal(t, projections.Replayed{Seq: l.seq, Events: l.seq, Digest: m.Position().Digest, Root: root.String(), Identical: true}, r)
	assert.Equal(t, []uint64{l.seq, l.seq}, seen[len(seen)-2:])
	// and nothing was written
	require.NoError(t, m.VerifyTables(t.Context()))
}

func TestReplayOfAnEmptyLog(t *testing.T) {
	_, log := inMemory(t)
	m := models(t, t.TempDir(), nil)
	_, err := m.Rebuild(t.Context(), log, nil)
	require.NoError(t, err)
	r := replayed(t, m, log)
	assert.True(t, r.Identical, r.Difference)
	assert.Equal(t, m.Position().Digest, r.Digest)
	assert.Equal(t, "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", r.Root) // of SHA-256 of nothing
}

// Whatever the history, and however the models came about, a replay finds them
// to be what the log gives; and where the models are behind, it reads on.
func TestReplayOfAnyHistory(t *testing.T) {
	check(t, func(t *rapid.T) {
		l, log := inMemory(t)
		l.wander(t, 40)
		m, done := live(t, log)
		defer done()
		r := replayed(t, m, log)
		require.True(t, r.Identical, r.Difference)
		require.Equal(t, m.Position().Digest, r.Digest)
		at := uint64(rapid.IntRange(0, int(l.seq)).Draw(t, "at"))
		behind, done := fresh(t, log.until(at))
		defer done()
		r = replayed(t, behind, log)
		require.True(t, r.Identical, r.Difference)
		require.Equal(t, [2]uint64{at, l.seq}, [2]uint64{r.Seq, r.Events})
	})
}

// spoiled is a copy of a log that something was done to.
func spoiled(log *memory, spoil func(records []eventstore.Record) []eventstore.Record) *memory {
	records, _ := log.all()
	return &memory{records: spoil(slices.Clone(records)), grown: make(chan struct{})}
}

// torn is a log whose reader meets a batch without its end.
type torn struct {
	*memory
	at uint64
}

func (l torn) ReadChunks(context.Context, uint64, uint64, string) iter.Seq2[[]eventstore.Record, error] {
	return func(yield func([]eventstore.Record, error) bool) {
		if yield(l.records[:l.at-1], nil) {
			yield(nil, &eventstore.TornBatchError{Batch: "b", Seq: l.at})
		}
	}
}

func TestReplayNamesWhatIsWrongWithTheLog(t *testing.T) {
	domaintest.Exhausting(t)
	// each spoils the event with sequence n, which reforecasts the milestone design
	change := func(n uint64, f func(r *eventstore.Record)) func([]eventstore.Record) []eventstore.Record {
		return func(records []eventstore.Record) []eventstore.Record {
			f(&records[n-1])
			return records
		}
	}
	replace := func(n uint64, old, with string) func([]eventstore.Record) []eventstore.Record {
		return change(n, func(r *eventstore.Record) { r.Data = []byte(replaceOnce(string(r.Data), old, with)) })
	}
	for name, c := range map[string]struct {
		log    func(log *memory, n uint64) projections.Log
		code   string
		seq    int // after n
		entity string
		what   string
	}{
		"an event replaced": {
			func(log *memory, n uint64) projections.Log {
				return spoiled(log, replace(n, "2024-10-20", "2024-10-21"))
			},
			projections.DiffersHash, 0, "project/iot-base", "its hash is",
		},
		"who did it": {
			func(log *memory, n uint64) projections.Log { return spoiled(log, replace(n, "wang.fang", "wang.feng")) },
			projections.DiffersHash, 0, "project/iot-base", "its hash is",
		},
		"when it was recorded": {
			func(log *memory, n uint64) projections.Log {
				return spoiled(log, replace(n, `"time":"2024-06-10T08`, `"time":"2024-06-10T09`))
			},
			projections.DiffersHash, 0, "project/iot-base", "its hash is",
		},
		"an event dropped": {
			func(log *memory, n uint64) projections.Log {
				return spoiled(log, func(r []eventstore.Record) []eventstore.Record { return slices.Delete(r, int(n)-1, int(n)) })
			},
			projections.DiffersGap, 0, "project/iot-base", "sequence",
		},
		"an event dropped and the others moved up": {
			func(log *memory, n uint64) projections.Log {
				return spoiled(log, func(r []eventstore.Record) []eventstore.Record {
					r = slices.Delete(r, int(n)-1, int(n))
					for i := range r {
						r[i].Seq = uint64(i + 1)
					}
					return r
				})
			},
			projections.DiffersVersion, 0, "project/iot-base", "says that it is version",
		},
		"an event inserted": {
			func(log *memory, n uint64) projections.Log {
				return spoiled(log, func(r []eventstore.Record) []eventstore.Record {
					r = slices.Insert(r, int(n)-1, eventstore.Record{
						Subject: "milepost.test.another.agreement.another",
						Data:    []byte(replaceAll(string(r[2].Data), `"framework"`, `"another"`, "agreement/framework", "agreement/another")),
					})
					for i := range r {
						r[i].Seq = uint64(i + 1)
					}
					return r
				})
			},
			projections.DiffersHash, 0, "agreement/another", "its hash is",
		},
		"two events swapped": {
			func(log *memory, n uint64) projections.Log {
				return spoiled(log, func(r []eventstore.Record) []eventstore.Record {
					r[n-1].Data, r[n].Data = r[n].Data, r[n-1].Data
					return r
				})
			},
			projections.DiffersVersion, 0, "project/iot-base", "says that it is version",
		},
		"a torn batch": {
			func(log *memory, n uint64) projections.Log { return torn{log, n} },
			projections.DiffersBatch, 0, "project/iot-base", "atomic batch b is torn",
		},
		"another subject": {
			func(log *memory, n uint64) projections.Log {
				return spoiled(log, change(n, func(r *eventstore.Record) { r.Subject = "milepost.test.framework.project.another" }))
			},
			projections.DiffersSubject, 0, "project/iot-base", "milepost.test.framework.project.another",
		},
		"another version": {
			func(log *memory, n uint64) projections.Log {
				return spoiled(log, replace(n, `"version":`, `"version":9`))
			},
			projections.DiffersVersion, 0, "project/iot-base", "says that it is version 9",
		},
		"another ledger's": {
			func(log *memory, n uint64) projections.Log {
				return spoiled(log, replace(n, "/ledgers/test", "/ledgers/main"))
			},
			projections.DiffersEvent, 0, "project/iot-base", "/ledgers/main",
		},
		"no UUID": {
			func(log *memory, n uint64) projections.Log {
				return spoiled(log, replace(n, `"id":"01900000-`, `"id":"x1900000-`))
			},
			projections.DiffersEvent, 0, "project/iot-base", "is not a UUID",
		},
		"no time": {
			func(log *memory, n uint64) projections.Log {
				return spoiled(log, replace(n, `"time":"2024-06-10`, `"time":"2024-06-31`))
			},
			projections.DiffersEvent, 0, "project/iot-base", "time",
		},
		"no event": {
			func(log *memory, n uint64) projections.Log {
				return spoiled(log, change(n, func(r *eventstore.Record) { r.Data = []byte("{") }))
			},
			projections.DiffersEvent, 0, "project/iot-base", "not a CloudEvent",
		},
		"an event of a later version": {
			func(log *memory, n uint64) projections.Log {
				return spoiled(log, replace(n, "milestone-reforecast.v1", "milestone-reforecast.v9"))
			},
			projections.DiffersEvent, 0, "project/iot-base", "not known to this version",
		},
		"an end that is missing": {
			func(log *memory, n uint64) projections.Log { return log.until(n) },
			projections.DiffersEnd, 1, "project/iot-base", "the log ends at",
		},
	} {
		t.Run(name, func(t *testing.T) {
			// given read models of a story, and a log that has been changed since
			l, log := inMemory(t)
			n := l.story() + 1
			m := models(t, t.TempDir(), nil)
			_, err := m.Rebuild(t.Context(), log, nil)
			require.NoError(t, err)
			// when
			r := replayed(t, m, c.log(log, n))
			// then the first event is named that is not what it was, and whose it is
			require.NotNil(t, r.Difference)
			assert.Equal(t, c.code, r.Difference.Code)
			assert.Equal(t, n+uint64(c.seq), r.Difference.Seq)
			assert.Equal(t, c.entity, r.Difference.Entity)
			assert.Contains(t, r.Difference.Error(), c.what)
			assert.Contains(t, r.Difference.Error(), c.entity)
			assert.False(t, r.Identical)
			assert.Empty(t, r.Digest)
		})
	}
}

func replaceAll(s string, pairs ...string) string { return strings.NewReplacer(pairs...).Replace(s) }

func TestReplayWithoutTables(t *testing.T) {
	l, log := inMemory(t)
	l.story()
	dir := t.TempDir()
	m := models(t, dir, nil)
	var behind *projections.BehindError
	_, err := m.Replay(t.Context(), log, projections.ReplayOptions{})
	require.ErrorAs(t, err, &behind)
	_, err = m.Rebuild(t.Context(), log, nil)
	require.NoError(t, err)
	edit(t, dir, "UPDATE milestone SET weight = weight + 1")
	r, err := m.Replay(t.Context(), log, projections.ReplayOptions{LogOnly: true})
	require.NoError(t, err)
	assert.True(t, r.Identical)
	assert.False(t, replayed(t, m, log).Identical)
}

func TestOneReplayAtATime(t *testing.T) {
	l, log := inMemory(t)
	l.story()
	m, done := fresh(t, log)
	defer done()
	tried := 0
	_, err := m.Replay(t.Context(), log, projections.ReplayOptions{Progress: func(uint64, uint64) {
		tried++
		_, err := m.Replay(t.Context(), log, projections.ReplayOptions{})
		assert.ErrorIs(t, err, projections.ErrBusy)
		_, err = m.ReplayTo(t.Context(), log, 1, filepath.Join(t.TempDir(), "x.db"), nil)
		assert.ErrorIs(t, err, projections.ErrBusy)
	}})
	require.NoError(t, err)
	assert.Positive(t, tried)

	ctx, cancel := context.WithCancel(t.Context())
	_, err = m.Replay(ctx, log, projections.ReplayOptions{Progress: func(uint64, uint64) { cancel() }})
	assert.ErrorIs(t, err, context.Canceled)
}

// onMessage calls f when a message is logged.
type onMessage struct {
	slog.Handler
	message string
	f       func()
}

func (h onMessage) Enabled(context.Context, slog.Level) bool { return true }

func (h onMessage) Handle(_ context.Context, r slog.Record) error {
	if r.Message == h.message {
		h.f()
	}
	return nil
}

func TestAReplayWaitsForTheFirstReadModels(t *testing.T) {
	// given read models that are made for the first time, and answer already
	l, log := inMemory(t)
	l.story()
	var m *projections.Models
	replayed := make(chan error, 1)
	// when a replay begins before their making has ended
	begin := onMessage{slog.DiscardHandler, "new read models serve", func() {
		go func() {
			_, err := m.Replay(t.Context(), log, projections.ReplayOptions{})
			replayed <- err
		}()
		require.Eventually(t, func() bool { return m.Asked() || len(replayed) > 0 }, time.Minute, time.Millisecond)
	}}
	m, err := projections.Open(t.Context(), projections.Options{Dir: t.TempDir(), Ledger: "test", Logger: slog.New(begin)})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	followed := make(chan error, 1)
	go func() { followed <- m.Follow(ctx, log) }()
	// then it is not refused
	require.NoError(t, <-replayed)
	cancel()
	require.NoError(t, <-followed)
	require.NoError(t, m.Close())
}

func TestReplayToAFile(t *testing.T) {
	// given a log that goes on after the point
	l, log := inMemory(t)
	to := l.story()
	m, done := fresh(t, log)
	defer done()
	then, done := fresh(t, log.until(to))
	defer done()
	file := filepath.Join(t.TempDir(), "then.db")
	// when it is replayed to there
	made, err := m.ReplayTo(t.Context(), log, to, file, nil)
	require.NoError(t, err)
	// then the file has what read models had that ended there, for anyone to query
	root, err := m.TreeRoot(t.Context(), "", to)
	require.NoError(t, err)
	assert.Equal(t, projections.Made{Seq: to, Digest: then.Position().Digest, Root: root.String()}, made)
	var rows []string
	query(t, filepath.Dir(file), "SELECT path, forecast FROM milestone_now ORDER BY path", func(stmt *sqlite.Stmt) error {
		rows = append(rows, stmt.ColumnText(0)+" "+stmt.ColumnText(1))
		return nil
	})
	assert.Equal(t, []string{"project/iot-base/milestone/build 2025-03-31", "project/iot-base/milestone/design 2024-09-30"}, rows)
	for _, sql := range []string{"SELECT 1 FROM project_history", "SELECT 1 FROM event_read", "PRAGMA integrity_check", "PRAGMA journal_mode", "SELECT 1 FROM sqlite_schema WHERE name = 'change_entity'"} {
		found := 0
		query(t, filepath.Dir(file), sql, func(stmt *sqlite.Stmt) error {
			found++
			assert.Contains(t, []string{"1", "ok", "delete"}, stmt.ColumnText(0))
			return nil
		})
		assert.Positive(t, found, sql)
	}
	info, err := os.Stat(file)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o644), info.Mode())

	t.Run("which is not overwritten", func(t *testing.T) {
		_, err := m.ReplayTo(t.Context(), log, to, file, nil)
		assert.ErrorIs(t, err, os.ErrExist)
	})
	t.Run("or for somebody to read once", func(t *testing.T) {
		f, passed, err := m.ReplayFile(t.Context(), log, to, nil)
		require.NoError(t, err)
		assert.Equal(t, made, passed)
		b, err := io.ReadAll(f)
		require.NoError(t, err)
		assert.Contains(t, string(b[:16]), "SQLite format 3")
		require.NoError(t, f.Close())
		assert.NoFileExists(t, f.Name())
	})
	t.Run("of which nothing is left when it fails", func(t *testing.T) {
		dir := t.TempDir()
		var asOf *projections.AsOfError
		_, err := m.ReplayTo(t.Context(), log, l.seq+1, filepath.Join(dir, "x.db"), nil)
		require.ErrorAs(t, err, &asOf)
		assert.Equal(t, projections.CodeAsOfInFuture, asOf.Code)
		var difference *projections.Difference
		_, err = m.ReplayTo(t.Context(), torn{log, to}, l.seq, filepath.Join(dir, "x.db"), nil)
		require.ErrorAs(t, err, &difference)
		assert.Equal(t, projections.DiffersBatch, difference.Code)
		entries, err := os.ReadDir(dir)
		require.NoError(t, err)
		assert.Empty(t, entries)
	})
}

// An event under the subject of another aggregate stops the projector, too.
func TestProjectorStopsAtAnotherSubject(t *testing.T) {
	l, log := inMemory(t)
	l.story()
	m, done := fresh(t, log)
	defer done()
	l.do(project.ReportProgress{MilestoneID: milestone("build"), Percent: 60})
	log.records[l.seq-1].Subject = "milepost.test.framework.project.another"
	var subject *projections.SubjectError
	require.ErrorAs(t, failing(t, m, log), &subject)
	assert.Equal(t, l.seq, subject.Seq)
	assert.Equal(t, base.Ref(), subject.Ref)
	assert.False(t, errors.Is(m.Position().Err, context.Canceled))
}

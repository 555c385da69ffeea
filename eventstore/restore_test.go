package eventstore_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/eventstore"
)

// told is a log with single records, batches of one append and batches that appends
// share, and evidence.
func told(t *testing.T) (*eventstore.Store, []eventstore.Record, string) {
	t.Helper()
	return toldIn(t, config(t))
}

func toldIn(t *testing.T, cfg eventstore.Config) (*eventstore.Store, []eventstore.Record, string) {
	t.Helper()
	cfg.Timezone, cfg.Key, cfg.ContentType = "Asia/Shanghai", "the key", "text/plain"
	s := openWith(t, cfg)
	mustAppend(t, s, eventstore.Message{Subject: subject("p1"), Data: []byte("one"), ID: "id-1"})
	mustAppend(t, s, message("p1", 1, "two"), message("p2", 0, "three"), message("p1", 1, "four"))
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			_, err := s.Append(context.Background(), []eventstore.Message{message(fmt.Sprint("many-", i), 0, fmt.Sprint("text ", i))})
			assert.NoError(t, err)
		})
	}
	all.Wait()
	mustAppend(t, s, message("p1", 4, "\x00 any \r\n\r\n bytes \xff"))
	e, err := s.PutEvidence(t.Context(), bytes.NewReader(bytes.Repeat([]byte("report "), 100_000)), "")
	require.NoError(t, err)
	return s, storedIn(t, s), e.Hash
}

// storedIn reads the log with headers, and without the times of storing.
func storedIn(t *testing.T, s *eventstore.Store) (list []eventstore.Record) {
	t.Helper()
	for chunk, err := range s.ReadStored(t.Context(), 1, 0) {
		require.NoError(t, err)
		for _, rec := range chunk {
			rec.Stored = time.Time{}
			list = append(list, rec)
		}
	}
	return list
}

func TestRestore_theSameLogAgain(t *testing.T) {
	// given a log and its evidence
	origin, want, hash := told(t)
	batches := map[string]bool{}
	for _, rec := range want {
		for _, id := range rec.Headers["Nats-Batch-Id"] {
			batches[id] = true
		}
	}
	require.Greater(t, len(batches), 1, "appends shared a batch")
	require.Equal(t, []string{"id-1"}, want[0].Headers["Nats-Msg-Id"])
	hashes, err := origin.EvidenceHashes(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{hash}, hashes)

	// when they are restored
	cfg := eventstore.Config{Dir: filepath.Join(t.TempDir(), "new"), Ledger: "test"}
	require.NoError(t, eventstore.Restore(t.Context(), cfg, func(r *eventstore.Restoring) error {
		require.NoError(t, os.WriteFile(filepath.Join(r.Dir(), "more"), []byte("a file"), 0o600))
		require.NoError(t, r.Begin(t.Context(), "test", origin.Metadata()))
		require.NoError(t, r.Append(t.Context(), want[:100]))
		require.NoError(t, r.Append(t.Context(), want[100:]))
		e, err := origin.Evidence(t.Context(), hash)
		require.NoError(t, err)
		require.NoError(t, r.PutEvidence(t.Context(), e, hash))
		_, err = eventstore.Open(t.Context(), cfg)
		require.ErrorAs(t, err, new(*eventstore.LockedError))
		s, err := r.Finish(t.Context())
		require.NoError(t, err)
		require.Equal(t, want, storedIn(t, s))
		return nil
	}))

	// then the log is the same to the byte, goes on, and what is recorded with it is there
	s := openWith(t, cfg)
	assert.Equal(t, want, storedIn(t, s))
	assert.Equal(t, "Asia/Shanghai", s.Timezone())
	assert.Equal(t, "the key", s.Key())
	assert.Equal(t, origin.Metadata(), s.Metadata())
	e, err := s.Evidence(t.Context(), hash)
	require.NoError(t, err)
	n, err := new(bytes.Buffer).ReadFrom(e)
	require.NoError(t, err)
	assert.EqualValues(t, 700_000, n)
	assert.FileExists(t, filepath.Join(cfg.Dir, "more"))
	assert.NoDirExists(t, filepath.Join(cfg.Dir, "restored"))
	_, err = s.Append(t.Context(), []eventstore.Message{message("p1", 3, "stale")})
	require.ErrorAs(t, err, new(*eventstore.ConflictError))
	mustAppend(t, s, message("p1", uint64(len(want)), "next"))
}

// A log on a server of its own is the same to whoever reads it.
func TestRestore_ofAnExternalServer(t *testing.T) {
	origin, want, hash := toldIn(t, eventstore.Config{URL: external(t).ClientURL(), Ledger: "test"})
	hashes, err := origin.EvidenceHashes(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{hash}, hashes)
	require.NoError(t, eventstore.Restore(t.Context(), eventstore.Config{Dir: filepath.Join(t.TempDir(), "new")}, func(r *eventstore.Restoring) error {
		require.NoError(t, r.Begin(t.Context(), "test", origin.Metadata()))
		require.NoError(t, r.Append(t.Context(), want))
		s, err := r.Finish(t.Context())
		require.NoError(t, err)
		require.Equal(t, want, storedIn(t, s))
		return nil
	}))
}

func TestRestore_refuses(t *testing.T) {
	_, want, _ := told(t)
	restore := func(cfg eventstore.Config, records []eventstore.Record) error {
		return eventstore.Restore(t.Context(), cfg, func(r *eventstore.Restoring) error {
			if err := r.Begin(t.Context(), "test", nil); err != nil {
				return err
			}
			if err := r.Append(t.Context(), records); err != nil {
				return err
			}
			_, err := r.Finish(t.Context())
			return err
		})
	}
	t.Run("a place that is not empty", func(t *testing.T) {
		cfg := config(t)
		require.NoError(t, os.WriteFile(filepath.Join(cfg.Dir, "mine"), nil, 0o600))
		occupied := new(eventstore.OccupiedError)
		require.ErrorAs(t, restore(cfg, want), &occupied)
		require.Equal(t, "mine", occupied.Has)
		require.NoFileExists(t, filepath.Join(cfg.Dir, "lock"))
	})
	for name, change := range map[string]func([]eventstore.Record) []eventstore.Record{
		"a gap":                  func(l []eventstore.Record) []eventstore.Record { return append(l[:0:0], append(l[:1:1], l[2:]...)...) },
		"half a batch":           func(l []eventstore.Record) []eventstore.Record { return l[:3] },
		"another subject":        func(l []eventstore.Record) []eventstore.Record { l[0].Subject = "milepost.other.a.b.c"; return l },
		"a subject that went on": func(l []eventstore.Record) []eventstore.Record { l[len(l)-1].Subject = subject("p2"); return l },
		"a header that would lose it": func(l []eventstore.Record) []eventstore.Record {
			l[0].Headers = map[string][]string{"Nats-Rollup": {"all"}}
			return l
		},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := eventstore.Config{Dir: filepath.Join(t.TempDir(), "new"), Ledger: "test"}
			require.Error(t, restore(cfg, change(append([]eventstore.Record(nil), want...))))
			require.NoDirExists(t, cfg.Dir, "nothing is left")
		})
	}
	require.NoError(t, restore(eventstore.Config{Dir: filepath.Join(t.TempDir(), "new"), Ledger: "test"}, want), "what was not changed")
}

func TestRestore_interrupted(t *testing.T) {
	_, want, _ := told(t)
	// given a restore that is cut off in the middle
	cfg := config(t)
	broken := errors.New("broken off")
	restore := func(end error) error {
		return eventstore.Restore(t.Context(), cfg, func(r *eventstore.Restoring) error {
			require.NoError(t, r.Begin(t.Context(), "test", nil))
			require.NoError(t, r.Append(t.Context(), want))
			if end != nil {
				// as kill -9 would leave it; the server tidies up behind the batch meanwhile
				kept := filepath.Join(cfg.Dir, "kept")
				eventually(t, "a copy while nothing is removed", func() bool {
					return os.RemoveAll(kept) == nil && os.CopyFS(kept, os.DirFS(r.Dir())) == nil
				})
				return end
			}
			_, err := r.Finish(t.Context())
			return err
		})
	}
	require.ErrorIs(t, restore(broken), broken)
	require.NoError(t, os.Rename(filepath.Join(cfg.Dir, "kept"), filepath.Join(cfg.Dir, "restoring")))

	// then it is no ledger
	_, err := eventstore.Open(t.Context(), cfg)
	require.ErrorAs(t, err, new(*eventstore.UnfinishedRestoreError))
	_, err = eventstore.Open(t.Context(), cfg)
	require.ErrorAs(t, err, new(*eventstore.UnfinishedRestoreError), "not at the second try either")

	// and can be restored into again.
	require.NoError(t, restore(nil))
	require.Equal(t, want, storedIn(t, openWith(t, cfg)))

	// One that was whole is put in its place by whoever opens it.
	at := config(t)
	require.NoError(t, os.CopyFS(filepath.Join(at.Dir, "restored"), os.DirFS(cfg.Dir)))
	require.NoError(t, os.Rename(filepath.Join(at.Dir, "restored", "lock"), filepath.Join(at.Dir, "lock")))
	twin := config(t)
	require.NoError(t, os.CopyFS(twin.Dir, os.DirFS(at.Dir)))
	require.NoError(t, eventstore.SettleRestore(t.Context(), twin))
	require.NoError(t, eventstore.SettleRestore(t.Context(), twin))
	require.NoDirExists(t, filepath.Join(twin.Dir, "restored"))
	require.Equal(t, want, storedIn(t, openWith(t, twin)))
	require.Equal(t, want, storedIn(t, openWith(t, at)))
}

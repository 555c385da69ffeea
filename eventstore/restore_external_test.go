package eventstore_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/eventstore"
)

const (
	logStream      = "milepost-test"
	evidenceStream = "OBJ_milepost-test"
)

// backed is what is in a backup.
type backed struct {
	metadata map[string]string
	records  []eventstore.Record
	report   []byte
	hash     string
}

func backedUp(t *testing.T) backed {
	t.Helper()
	s, records, hash := told(t)
	for i := range uint64(50) { // each expects the one before, which is under way when it is restored
		mustAppend(t, s, message("often", []uint64{0, uint64(len(records)) + i}[min(i, 1)], "x"))
	}
	e, err := s.Evidence(t.Context(), hash)
	require.NoError(t, err)
	var report bytes.Buffer
	_, err = report.ReadFrom(e)
	require.NoError(t, err)
	return backed{s.Metadata(), storedIn(t, s), report.Bytes(), hash}
}

// onto is where a restore goes: a new directory, and a server.
func onto(t *testing.T, url string) eventstore.Config {
	return eventstore.Config{Dir: filepath.Join(t.TempDir(), "new"), URL: url, Ledger: "test"}
}

// Points of a restore at which something may happen.
const (
	begun    = "it has begun"
	half     = "half the records are sent"
	recorded = "the records are there"
	whole    = "all is there"
)

// restore restores a backup, and has something happen at a point of it.
func (b backed) restore(t *testing.T, cfg eventstore.Config, at func(point string) error) error {
	t.Helper()
	return b.restoreWith(t, t.Context(), cfg, at)
}

func (b backed) restoreWith(t *testing.T, ctx context.Context, cfg eventstore.Config, at func(point string) error) error {
	t.Helper()
	if at == nil {
		at = func(string) error { return nil }
	}
	return eventstore.Restore(ctx, cfg, func(r *eventstore.Restoring) error {
		if err := os.WriteFile(filepath.Join(r.Dir(), "more"), []byte("a file"), 0o600); err != nil {
			return err
		}
		middle := len(b.records) / 2
		var s *eventstore.Store
		for _, step := range []struct {
			do    func() error
			point string
		}{
			{func() error { return r.Begin(ctx, "test", b.metadata) }, begun},
			{func() error { return r.Append(ctx, b.records[:middle]) }, half},
			{func() error { return r.Append(ctx, b.records[middle:]) }, recorded},
			{func() error { return r.PutEvidence(ctx, bytes.NewReader(b.report), b.hash) }, ""},
			{func() (err error) { s, err = r.Finish(ctx); return err }, whole},
		} {
			if err := step.do(); err != nil {
				return err
			}
			if err := at(step.point); err != nil {
				return err
			}
		}
		require.Equal(t, b.records, storedIn(t, s))
		return nil
	})
}

// isThere checks that a ledger is the one that was backed up, and goes on.
func (b backed) isThere(t *testing.T, cfg eventstore.Config) {
	t.Helper()
	s := openWith(t, cfg)
	assert.Equal(t, b.records, storedIn(t, s))
	assert.Equal(t, b.metadata, s.Metadata())
	e, err := s.Evidence(t.Context(), b.hash)
	require.NoError(t, err)
	var report bytes.Buffer
	_, err = report.ReadFrom(e)
	require.NoError(t, err)
	assert.True(t, bytes.Equal(b.report, report.Bytes()))
	_, err = s.Append(t.Context(), []eventstore.Message{message("p1", 3, "stale")})
	require.ErrorAs(t, err, new(*eventstore.ConflictError))
	mustAppend(t, s, message("next", 0, "next"))
	require.NoError(t, s.Close())
	assert.FileExists(t, filepath.Join(cfg.Dir, "more"))
	for _, left := range []string{"restored", "restoring", "restore.json"} {
		_, err := os.Stat(filepath.Join(cfg.Dir, left))
		assert.ErrorIs(t, err, os.ErrNotExist, left)
	}
}

// streamsOn are the streams of a server by name.
func streamsOn(t *testing.T, url string) map[string]*jetstream.StreamInfo {
	t.Helper()
	_, js := connect(t, url)
	found := map[string]*jetstream.StreamInfo{}
	list := js.ListStreams(t.Context())
	for info := range list.Info() {
		info.TimeStamp, info.Mirror = info.Created, nil // when it was asked does not matter
		found[info.Config.Name] = info
	}
	require.NoError(t, list.Err())
	return found
}

func TestRestore_ontoAServer(t *testing.T) {
	t.Parallel()
	b := backedUp(t)
	for name, c := range map[string]struct {
		url           func() string
		replicas, got int
	}{
		"one server":            {func() string { return external(t).ClientURL() }, 0, 1},
		"a cluster":             {func() string { return cluster(t) }, 0, 3},
		"one server of cluster": {func() string { return cluster(t) }, 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			// given a server on which nothing is
			cfg := onto(t, c.url())
			cfg.Replicas = c.replicas
			// when a backup is restored there
			refused := 0
			require.NoError(t, b.restore(t, cfg, func(point string) error {
				// then there is no ledger before it is whole
				_, err := eventstore.Open(t.Context(), eventstore.Config{URL: cfg.URL, Ledger: "test"})
				require.ErrorAs(t, err, new(*eventstore.UnfinishedRestoreError), point)
				refused++
				return nil
			}))
			require.Equal(t, 5, refused)
			// and then it is the same, with the settings of any other, and goes on.
			for name, info := range streamsOn(t, cfg.URL) {
				assert.Equal(t, c.got, info.Config.Replicas, name)
				assert.Equal(t, eventstore.DuplicateWindow, info.Config.Duplicates, name)
				assert.NotContains(t, info.Config.Metadata["milepost-restore"], "unfinished", name)
			}
			b.isThere(t, cfg)
		})
	}
}

func TestRestore_neverReplacesWhatIsOnAServer(t *testing.T) {
	b := backedUp(t)
	for name, c := range map[string]struct {
		make func(url string)
		has  string
	}{
		"the ledger": {func(url string) {
			mustAppend(t, openWith(t, eventstore.Config{URL: url, Ledger: "test"}), message("p1", 0, "mine"))
		}, "the log (stream milepost-test)"},
		"evidence alone": {func(url string) {
			_, err := openWith(t, eventstore.Config{URL: url, Ledger: "test"}).PutEvidence(t.Context(), strings.NewReader("mine"), "")
			require.NoError(t, err)
			_, js := connect(t, url)
			require.NoError(t, js.DeleteStream(t.Context(), logStream))
		}, "evidence (stream OBJ_milepost-test)"},
		"a copy": {func(url string) {
			_, js := connect(t, url)
			_, err := js.CreateStream(t.Context(), jetstream.StreamConfig{
				Name: logStream, Mirror: &jetstream.StreamSource{Name: "origin"}, Metadata: map[string]string{"milepost-restore": "unfinished x"},
			})
			require.NoError(t, err)
		}, "a copy (stream milepost-test)"},
		"evidence beside what a restore left": {func(url string) {
			_, js := connect(t, url)
			for _, cfg := range []jetstream.StreamConfig{
				{Name: logStream, Subjects: []string{"a"}, Metadata: map[string]string{"milepost-restore": "unfinished x"}},
				{Name: evidenceStream, Subjects: []string{"b"}, Metadata: map[string]string{"milepost-restore": "y"}},
			} {
				_, err := js.CreateStream(t.Context(), cfg)
				require.NoError(t, err)
			}
		}, "evidence (stream OBJ_milepost-test)"},
	} {
		t.Run(name, func(t *testing.T) {
			url := external(t).ClientURL()
			c.make(url)
			there := streamsOn(t, url)
			cfg := onto(t, strings.Replace(url, "nats://", "nats://user:secret@", 1))
			err := b.restore(t, cfg, nil)
			occupied := (*eventstore.OccupiedError)(nil)
			require.ErrorAs(t, err, &occupied)
			require.Equal(t, &eventstore.OccupiedError{Server: url, Ledger: "test", Has: c.has}, occupied)
			require.NotContains(t, err.Error(), "secret")
			require.Equal(t, there, streamsOn(t, url), "nothing was touched")
			require.NoDirExists(t, cfg.Dir)
		})
	}
	t.Run("a directory", func(t *testing.T) {
		url := external(t).ClientURL()
		cfg := eventstore.Config{Dir: t.TempDir(), URL: url}
		require.NoError(t, os.WriteFile(filepath.Join(cfg.Dir, "mine"), nil, 0o600))
		require.ErrorAs(t, b.restore(t, cfg, nil), new(*eventstore.OccupiedError))
		require.Empty(t, streamsOn(t, url))
	})
}

// One that fails takes back what it made.
func TestRestore_thatFailsLeavesNothingOnAServer(t *testing.T) {
	b := backedUp(t)
	failed := errors.New("not so")
	for _, at := range []string{begun, half, recorded, whole} {
		t.Run(at, func(t *testing.T) {
			cfg := onto(t, external(t).ClientURL())
			require.ErrorIs(t, b.restore(t, cfg, func(point string) error {
				if point == at {
					return failed
				}
				return nil
			}), failed)
			require.Empty(t, streamsOn(t, cfg.URL))
			require.NoDirExists(t, cfg.Dir)
		})
	}
	t.Run("it is interrupted", func(t *testing.T) {
		for _, at := range []string{begun, half, recorded, whole} {
			cfg := onto(t, external(t).ClientURL())
			ctx, interrupt := context.WithCancel(t.Context())
			require.ErrorIs(t, b.restoreWith(t, ctx, cfg, func(point string) error {
				if point == at {
					interrupt()
				}
				return nil
			}), context.Canceled)
			require.Empty(t, streamsOn(t, cfg.URL))
			require.NoDirExists(t, cfg.Dir)
		}
	})
	t.Run("its connection is lost", func(t *testing.T) {
		srv := external(t)
		p := newProxy(t, srv.ClientURL())
		cfg := onto(t, p.url())
		err := b.restore(t, cfg, func(point string) error {
			if point == half {
				p.cut()
			}
			return nil
		})
		require.ErrorContains(t, err, "the connection to the server was lost")
		require.Empty(t, streamsOn(t, srv.ClientURL()))
		require.NoDirExists(t, cfg.Dir)
	})
	t.Run("records that are not in order", func(t *testing.T) {
		cfg := onto(t, external(t).ClientURL())
		bad := b
		bad.records = append(bad.records[:0:0], bad.records...)
		bad.records[len(bad.records)-1].Subject = subject("p2") // went on
		require.Error(t, bad.restore(t, cfg, nil))
		require.Empty(t, streamsOn(t, cfg.URL))
		require.NoDirExists(t, cfg.Dir)
	})
}

// The servers of a cluster answer for a record a moment before they take the next one of
// its subject, which expects it.
func TestRestore_ofOneSubjectOntoACluster(t *testing.T) {
	t.Parallel()
	b := backedUp(t)
	s := open(t)
	for i := range uint64(1000) {
		mustAppend(t, s, message("often", i, "x"))
	}
	b.records, b.metadata = storedIn(t, s), s.Metadata()
	cfg := onto(t, cluster(t))
	require.NoError(t, b.restore(t, cfg, nil))
	restored := openWith(t, cfg)
	require.Equal(t, b.records, storedIn(t, restored))
}

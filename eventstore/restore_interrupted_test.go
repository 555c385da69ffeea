package eventstore_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/eventstore"
)

// A restore from which the server is taken away leaves on it what one leaves that is
// killed.
func TestRestore_interruptedOnAServer(t *testing.T) {
	t.Parallel()
	b := backedUp(t)
	for name, c := range map[string]struct {
		url string
		at  string
	}{
		"when it had begun":                {external(t).ClientURL(), begun},
		"in the middle":                    {external(t).ClientURL(), half},
		"before it was said to have ended": {external(t).ClientURL(), whole},
		"in a cluster":                     {cluster(t), whole},
	} {
		t.Run(name, func(t *testing.T) {
			first, _, _ := strings.Cut(c.url, ",")
			p := newProxy(t, first)
			cfg := onto(t, p.url())
			require.Error(t, b.restore(t, cfg, func(point string) error {
				if point != c.at {
					return nil
				}
				_ = p.listener.Close()
				p.cut()
				return errors.New("killed")
			}))
			// then there is no ledger, from nowhere
			left := streamsOn(t, c.url)
			require.Len(t, left, 2)
			cfg.URL = c.url
			other := onto(t, c.url)
			for _, open := range []eventstore.Config{cfg, other, {URL: c.url, Ledger: "test"}} {
				_, err := eventstore.Open(t.Context(), open)
				require.ErrorAs(t, err, new(*eventstore.UnfinishedRestoreError))
			}
			require.ErrorAs(t, eventstore.SettleRestore(t.Context(), cfg), new(*eventstore.UnfinishedRestoreError))
			_, err := eventstore.MakeMirror(t.Context(), eventstore.MirrorConfig{Ledger: "test", URL: c.url, API: "$JS.API"})
			require.ErrorAs(t, err, new(*eventstore.UnfinishedRestoreError))
			// and it can be restored again, there or by another.
			if c.at == half {
				cfg = onto(t, c.url)
			}
			require.NoError(t, b.restore(t, cfg, nil))
			for name, info := range streamsOn(t, c.url) {
				require.NotEqual(t, left[name].Created, info.Created, "begun anew")
			}
			b.isThere(t, cfg)
		})
	}
}

// What was interrupted when the server had been told is finished by whoever opens it.
func TestRestore_interruptedBehindItsEnd(t *testing.T) {
	b := backedUp(t)
	url := external(t).ClientURL()
	cfg := onto(t, url)
	require.NoError(t, b.restore(t, cfg, nil))
	// given a directory as it is when the mark is taken off, and no more is done
	back := func(id string) {
		t.Helper()
		work := filepath.Join(t.TempDir(), "restoring")
		require.NoError(t, os.Rename(cfg.Dir, work))
		require.NoError(t, os.RemoveAll(filepath.Join(work, "lock")))
		note, err := json.Marshal(map[string]string{"ledger": "test", "id": id})
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(work, "restore.json"), note, 0o600))
		require.NoError(t, os.Mkdir(cfg.Dir, 0o750))
		require.NoError(t, os.Rename(work, filepath.Join(cfg.Dir, "restoring")))
	}
	id := streamsOn(t, url)[logStream].Config.Metadata["milepost-restore"]
	back(id)
	// when it is restored again then that is refused, as it is there
	occupied := (*eventstore.OccupiedError)(nil)
	require.ErrorAs(t, b.restore(t, cfg, nil), &occupied)
	require.Equal(t, cfg.Dir, occupied.Dir)
	require.FileExists(t, filepath.Join(cfg.Dir, "more"))
	// and when it is opened then the rest is done.
	back(id)
	require.NoError(t, eventstore.SettleRestore(t.Context(), cfg))
	require.FileExists(t, filepath.Join(cfg.Dir, "more"))
	back(id)
	b.isThere(t, cfg)
	// But what is of another restore than the ledger is no part of it, and stays.
	back("another")
	_, err := eventstore.Open(t.Context(), cfg)
	require.ErrorAs(t, err, new(*eventstore.RestoredElsewhereError))
	require.ErrorAs(t, b.restore(t, cfg, nil), new(*eventstore.RestoredElsewhereError))
	require.FileExists(t, filepath.Join(cfg.Dir, "restoring", "more"))
	openWith(t, eventstore.Config{URL: url, Ledger: "test"})
}

// What belongs to a ledger on a server is nobody's to throw away who did not ask that
// server, whether the ledger is whole there or not.
func TestRestore_interruptedAndAskedElsewhere(t *testing.T) {
	t.Parallel()
	b := backedUp(t)
	for name, ended := range map[string]bool{"whole": true, "unfinished": false} {
		t.Run(name, func(t *testing.T) {
			// given a restore that was killed
			srv := external(t)
			p := newProxy(t, srv.ClientURL())
			cfg := onto(t, strings.Replace(p.url(), "nats://", "nats://user:secret@", 1))
			require.Error(t, b.restore(t, cfg, func(point string) error {
				if point != whole {
					return nil
				}
				if ended {
					remark(t, srv.ClientURL(), func(was string) string { return strings.TrimPrefix(was, "unfinished ") })
				}
				_ = p.listener.Close()
				p.cut()
				return errors.New("killed")
			}))
			// when no server is given, or another one, or one that does not answer
			for asked, says := range map[string]string{
				"":                          "give that server with --nats",
				external(t).ClientURL():     "cannot tell: give that server",
				"nats://secret@127.0.0.1:1": "no servers available",
			} {
				wrong := cfg
				wrong.URL = asked
				_, opened := eventstore.Open(t.Context(), wrong)
				for _, err := range []error{opened, eventstore.SettleRestore(t.Context(), wrong), b.restore(t, wrong, nil)} {
					// then that is refused, with what to do, and nothing is gone.
					elsewhere := (*eventstore.RestoredElsewhereError)(nil)
					require.ErrorAs(t, err, &elsewhere, asked)
					require.Equal(t, "test", elsewhere.Ledger)
					require.Equal(t, p.url(), elsewhere.Server)
					require.ErrorContains(t, err, says)
					require.NotContains(t, err.Error(), "secret")
					require.NotErrorAs(t, err, new(*eventstore.UnfinishedRestoreError))
					require.FileExists(t, filepath.Join(cfg.Dir, "restoring", "more"))
				}
			}
			// And where it is, it is there, or is restored again.
			cfg.URL = srv.ClientURL()
			if !ended {
				_, err := eventstore.Open(t.Context(), cfg)
				require.ErrorAs(t, err, new(*eventstore.UnfinishedRestoreError))
				require.NoError(t, b.restore(t, cfg, nil))
			}
			b.isThere(t, cfg)
		})
	}
}

// One that goes on is not taken for one that was interrupted.
func TestRestore_whileAnotherGoesOn(t *testing.T) {
	b := backedUp(t)
	for name, url := range map[string]string{"one server": external(t).ClientURL(), "a cluster": cluster(t)} {
		t.Run(name, func(t *testing.T) {
			cfg := onto(t, url)
			refused := 0
			require.NoError(t, b.restore(t, cfg, func(point string) error {
				other := onto(t, url)
				err := b.restore(t, other, nil)
				occupied := (*eventstore.OccupiedError)(nil)
				require.ErrorAs(t, err, &occupied, point)
				require.True(t, occupied.Busy)
				require.NoDirExists(t, other.Dir)
				refused++
				return nil
			}))
			require.Equal(t, 5, refused)
			b.isThere(t, cfg)
		})
	}
}

// Of some that begin at once no more than one ends, and that is the ledger.
func TestRestore_atOnce(t *testing.T) {
	t.Parallel()
	b := backedUp(t)
	together := func(url string) (ended []eventstore.Config) {
		var all sync.WaitGroup
		var mu sync.Mutex
		for range 4 {
			cfg := onto(t, url)
			all.Go(func() {
				err := eventstore.Restore(context.Background(), cfg, func(r *eventstore.Restoring) error {
					if err := os.WriteFile(filepath.Join(r.Dir(), "more"), []byte("a file"), 0o600); err != nil {
						return err
					}
					if err := r.Begin(context.Background(), "test", b.metadata); err != nil {
						return err
					}
					if err := r.Append(context.Background(), b.records); err != nil {
						return err
					}
					if err := r.PutEvidence(context.Background(), bytes.NewReader(b.report), b.hash); err != nil {
						return err
					}
					_, err := r.Finish(context.Background())
					return err
				})
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					ended = append(ended, cfg)
				case errors.Is(err, context.DeadlineExceeded): // a cluster that is busy did not make the stream in time
				default:
					assert.ErrorAs(t, err, new(*eventstore.OccupiedError))
				}
			})
		}
		all.Wait()
		return ended
	}
	// one is the ledger: they may all have heard each other.
	one := func(t *testing.T, url string) {
		t.Helper()
		ended := together(url)
		require.LessOrEqual(t, len(ended), 1)
		if len(ended) == 0 {
			ended = append(ended, onto(t, url))
			require.NoError(t, b.restore(t, ended[0], nil))
		}
		b.isThere(t, ended[0])
	}
	t.Run("where nothing is", func(t *testing.T) { one(t, external(t).ClientURL()) })
	t.Run("in a cluster", func(t *testing.T) { one(t, cluster(t)) })
	t.Run("where something is left", func(t *testing.T) {
		srv := external(t)
		p := newProxy(t, srv.ClientURL())
		require.Error(t, b.restore(t, onto(t, p.url()), func(string) error {
			_ = p.listener.Close()
			p.cut()
			return errors.New("killed")
		}))
		one(t, srv.ClientURL())
	})
}

package eventstore_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/eventstore"
)

// remark has the log's stream say something else of the restore that made it.
func remark(t *testing.T, url string, change func(string) string) {
	t.Helper()
	_, js := connect(t, url)
	st, err := js.Stream(t.Context(), logStream)
	require.NoError(t, err)
	cfg := st.CachedInfo().Config
	cfg.Metadata["milepost-restore"] = change(cfg.Metadata["milepost-restore"])
	_, err = js.UpdateStream(t.Context(), cfg)
	require.NoError(t, err)
}

// One whose stream is another's, at its end, says nothing of that and takes nothing back.
func TestRestore_whoseStreamIsAnothers(t *testing.T) {
	b := backedUp(t)
	cfg := onto(t, external(t).ClientURL())
	require.ErrorAs(t, b.restore(t, cfg, func(point string) error {
		if point == whole {
			remark(t, cfg.URL, func(string) string { return "unfinished another" })
		}
		return nil
	}), new(*eventstore.OccupiedError))
	require.Equal(t, "unfinished another", streamsOn(t, cfg.URL)[logStream].Config.Metadata["milepost-restore"])
	require.NoDirExists(t, cfg.Dir)
}

// One that does not hear that it ended takes nothing back.
func TestRestore_whoseEndIsNotHeard(t *testing.T) {
	b := backedUp(t)
	cfg := onto(t, external(t).ClientURL())
	err := b.restore(t, cfg, func(point string) error {
		if point != whole {
			return nil
		}
		remark(t, cfg.URL, func(was string) string { return strings.TrimPrefix(was, "unfinished ") })
		return errors.New("nothing was heard")
	})
	require.ErrorContains(t, err, "nothing was heard")
	require.ErrorContains(t, err, "restored all the same: open it in this directory")
	require.NotContains(t, err.Error(), "is no ledger")
	b.isThere(t, cfg)
}

// An answer that does not come, as while a leader is chosen, does not undo a restore at
// its end.
func TestRestore_whoseLastAnswersAreMissed(t *testing.T) {
	t.Parallel()
	b := backedUp(t)
	p := newProxy(t, external(t).ClientURL())
	cfg := onto(t, p.url())
	require.NoError(t, eventstore.Restore(t.Context(), cfg, func(r *eventstore.Restoring) error {
		require.NoError(t, os.WriteFile(filepath.Join(r.Dir(), "more"), []byte("a file"), 0o600))
		require.NoError(t, r.Begin(t.Context(), "test", b.metadata))
		require.NoError(t, r.Append(t.Context(), b.records))
		require.NoError(t, r.PutEvidence(t.Context(), bytes.NewReader(b.report), b.hash))
		_, err := r.Finish(t.Context()) // now no record is under way
		require.NoError(t, err)
		swallowed := p.muted.Load()
		p.mute.Store(true)
		finished := make(chan error, 1)
		go func() {
			_, err := r.Finish(t.Context())
			finished <- err
		}()
		eventually(t, "an answer that is swallowed", func() bool { return p.muted.Load() > swallowed })
		p.mute.Store(false)
		return <-finished
	}))
	b.isThere(t, cfg)
}

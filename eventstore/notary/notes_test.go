package notary_test

import (
	"bytes"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/eventstore"
	"github.com/milepost-ledger/milepost/eventstore/notary"
)

// A directory of checkpoints that is not read would let any log pass.
func TestNotes_directory(t *testing.T) {
	changed := func(list []eventstore.Record) []eventstore.Record {
		list[1].Data[len(list[1].Data)-2] ^= 1
		return list
	}

	t.Run("of any name", func(t *testing.T) {
		// given checkpoints in a directory whose name a pattern would not match
		r := newRig(t)
		r.notes = filepath.Join(t.TempDir(), "[main] *")
		r.append("a", "a", "b")
		public := r.public
		r.checkpoint(r.notary(), "")
		newest, err := notary.Newest(r.notes, "main", public)
		require.NoError(t, err)
		require.Equal(t, uint64(3), newest.Size)
		// when the log is changed, then it is noticed
		r.rewrite(changed)
		_, err = r.tryNotary()
		require.ErrorAs(t, err, new(*notary.DisagreeError))
	})

	t.Run("that cannot be read", func(t *testing.T) {
		r := newRig(t)
		r.append("a")
		tree := filepath.Join(r.notes, "ledger")
		require.NoError(t, os.MkdirAll(r.notes, 0o750))
		require.NoError(t, os.WriteFile(tree, nil, 0o600)) // no directory: root may read those that are
		_, err := r.tryNotary()
		require.ErrorContains(t, err, tree)
		require.NotErrorIs(t, err, fs.ErrNotExist)
		_, err = notary.Newest(r.notes, "main", r.public)
		require.NotErrorIs(t, err, fs.ErrNotExist)
	})

	t.Run("that is another one", func(t *testing.T) {
		var said bytes.Buffer
		logging := func(o *notary.Options) { o.Logger = slog.New(slog.NewTextHandler(&said, nil)) }
		r := newRig(t)
		r.notary(logging) // nothing is signed yet, and there is nothing to sign
		r.append("a")
		require.Empty(t, said.String())
		n := r.notary(logging)
		require.Contains(t, said.String(), "no checkpoint is kept")
		require.Contains(t, said.String(), r.notes)
		said.Reset()
		r.checkpoint(n, "")
		r.notary(logging)
		require.Empty(t, said.String())
	})

	t.Run("with files of others", func(t *testing.T) {
		// given a directory that somebody keeps other things in
		r := newRig(t)
		var theirs []string
		for _, name := range []string{"photos/a.jpg", "photos/x.checkpoint", "ledger/README"} {
			file := filepath.Join(r.notes, name)
			require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o750))
			require.NoError(t, os.WriteFile(file, []byte("theirs"), 0o600))
			theirs = append(theirs, file)
		}
		// when a ledger is opened with it, then they stay
		r.notary()
		for _, file := range theirs {
			require.FileExists(t, file)
		}
	})
}

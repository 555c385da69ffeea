package eventstore_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/eventstore"
)

// A server that has met the very end of the disk writes nothing more by itself, so
// the store starts it again when there is room.
func TestALogThatHasMetTheEndOfItsDiskGoesOn(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=32m"); err != nil {
		t.Skipf("no file system can be mounted here: %v", err)
	}
	t.Cleanup(func() { require.NoError(t, syscall.Unmount(dir, 0)) })
	// given a store whose disk somebody else has filled, and whose server tries to write
	cfg := config(t)
	cfg.Dir = filepath.Join(dir, "data")
	s := openWith(t, cfg)
	mustAppend(t, s, message("p1", 0, "x"))
	fillDisk(t, filepath.Join(dir, "filler"))
	js, err := jetstream.New(s.Raw())
	require.NoError(t, err)
	for err == nil { // past the store, which asks for the room first
		_, err = js.Publish(t.Context(), subject("p2"), make([]byte, 100_000))
	}
	eventually(t, "the store to notice", func() bool {
		_, err := s.Append(t.Context(), []eventstore.Message{message("p1", 1, "y")})
		require.ErrorIs(t, err, eventstore.ErrNoRoom)
		return strings.Contains(err.Error(), "write error")
	})
	// when there is room
	require.NoError(t, os.Remove(filepath.Join(dir, "filler")))
	// then it goes on, with all that it had
	eventually(t, "appends to be taken", func() bool {
		_, err := s.Append(t.Context(), []eventstore.Message{message("p1", 1, "y")})
		return err == nil
	})
	var kept []string
	for r, err := range s.Aggregate(t.Context(), subject("p1"), 1) {
		require.NoError(t, err)
		kept = append(kept, string(r.Data))
	}
	require.Equal(t, []string{"x", "y"}, kept)
}

// fillDisk takes all that is left of a disk.
func fillDisk(t *testing.T, file string) {
	t.Helper()
	f, err := os.Create(file)
	require.NoError(t, err)
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.NoError(t, f.Close())
}

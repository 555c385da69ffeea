package eventstore_test

import (
	"errors"
	"fmt"
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
	t.Parallel()
	// given a store whose disk is full
	s, _, makeRoom := fullDisk(t)
	// when there is room
	makeRoom()
	// then it goes on, with all that it had
	requireGoesOn(t, s)
}

// A log that cannot be opened again when there is room is tried again until it can.
func TestALogThatCannotBeOpenedAgainAtOnceGoesOn(t *testing.T) {
	t.Parallel()
	// given a store whose disk is full
	s, disk, makeRoom := fullDisk(t)
	// when there is room for what is in files, and none for more of these
	var files []string
	for n := 0; ; n++ {
		file := filepath.Join(disk, fmt.Sprint("file", n))
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			require.ErrorIs(t, err, syscall.ENOSPC)
			break
		}
		files = append(files, file)
	}
	makeRoom()
	last := filepath.Join(disk, "last") // in place of what filled the disk
	require.NoError(t, os.WriteFile(last, nil, 0o600))
	// then it says why it is not there
	eventually(t, "the store to try", func() bool {
		_, err := s.Append(t.Context(), []eventstore.Message{message("p1", 1, "y")})
		require.Error(t, err)
		return errors.Is(err, eventstore.ErrUnavailable) && strings.Contains(err.Error(), "did not come up")
	})
	// and when there is room for files too it goes on, with all that it had
	for _, file := range append(files, last) {
		require.NoError(t, os.Remove(file))
	}
	requireGoesOn(t, s)
}

// fullDisk is a store with one record whose disk somebody else has filled, and whose
// server has tried to write since; where that disk is, and what makes room.
func fullDisk(t *testing.T) (s *eventstore.Store, disk string, makeRoom func()) {
	t.Helper()
	disk = t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=32m,nr_inodes=200"); err != nil {
		t.Skipf("no file system can be mounted here: %v", err)
	}
	t.Cleanup(func() { require.NoError(t, syscall.Unmount(disk, 0)) })
	cfg := config(t)
	cfg.Dir = filepath.Join(disk, "data")
	s = openWith(t, cfg)
	mustAppend(t, s, message("p1", 0, "x"))
	filler := filepath.Join(disk, "filler")
	fillDisk(t, filler)
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
	return s, disk, func() { require.NoError(t, os.Remove(filler)) }
}

// requireGoesOn has the store of a full disk take another record behind the first.
func requireGoesOn(t *testing.T, s *eventstore.Store) {
	t.Helper()
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

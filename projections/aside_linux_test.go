package projections_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/eventstore/durable"
	"github.com/milepost-ledger/milepost/projections"
)

// What a replay forgets is not kept aside where the log needs the room that is left.
func TestAReplayLeavesRoomForTheLog(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("a replay on a disk that is nearly full is not tried: a file system of its own takes root")
	}
	// given read models on a disk that is nearly full
	dir := t.TempDir()
	require.NoError(t, syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64m"))
	t.Cleanup(func() { require.NoError(t, syscall.Unmount(dir, 0)) })
	l, log := inMemory(t)
	l.projectsInTurn()
	m, err := projections.Open(t.Context(), projections.Options{Dir: dir, Ledger: "test", CacheParts: 1})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.Close()) })
	_, err = m.Rebuild(t.Context(), log, nil)
	require.NoError(t, err)
	free, err := durable.Free(dir)
	require.NoError(t, err)
	filler := filepath.Join(dir, "filler")
	require.NoError(t, os.WriteFile(filler, make([]byte, free-2<<20), 0o600))

	// when the log is replayed, then it says what is missing,
	_, err = m.Replay(t.Context(), log, projections.ReplayOptions{})
	require.ErrorIs(t, err, durable.ErrNoRoom)
	left, err := durable.Free(dir)
	require.NoError(t, err)
	require.GreaterOrEqual(t, left, int64(1<<20))

	// and is done when there is room again.
	require.NoError(t, os.Remove(filler))
	require.True(t, replayed(t, m, log).Identical)
}

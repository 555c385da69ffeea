package signing_test

import (
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/milepost-ledger/milepost/cmd/internal/signing"
)

// A key that another user has is told from one that is not there.
func TestReadKey_ofAnotherUser(t *testing.T) {
	// given a key, which nobody may read by its mode, and who may read all files
	file := filepath.Join(t.TempDir(), "key")
	_, err := signing.NewKey(file, "test")
	require.NoError(t, err)
	require.NoError(t, unix.Chmod(file, 0))
	// when it is read by somebody else, as this thread is for the files it opens
	const nobody = 65534
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	self, err := unix.SetfsuidRetUid(nobody)
	require.NoError(t, err)
	_, readErr := signing.ReadKey(file)
	_, err = unix.SetfsuidRetUid(self)
	require.NoError(t, err)
	// then that is said
	require.ErrorContains(t, readErr, file+" is a key that this user cannot read: run this as the user whose file it is")
}

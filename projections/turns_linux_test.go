package projections

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// The thread of who makes read models has short turns, and its own again afterwards.
func TestShortTurns(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	turns := func() *unix.SchedAttr {
		attr, err := unix.SchedGetAttr(0, 0)
		require.NoError(t, err)
		return attr
	}
	before := turns()
	want := *before
	if before.Runtime != 0 { // else the kernel is older than 6.12, and knows none
		want.Runtime = uint64(shortTurn)
	}

	end := shortTurns()
	during := turns()
	end()

	assert.Equal(t, &want, during)
	assert.Equal(t, before, turns())
}

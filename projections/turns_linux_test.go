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
	if before.Runtime == 0 {
		t.Skip("this kernel knows no turns: it is older than 6.12")
	}

	end := shortTurns()
	during := turns()
	end()

	assert.EqualValues(t, shortTurn.Nanoseconds(), during.Runtime)
	assert.Equal(t, before.Nice, during.Nice)
	assert.Equal(t, before.Runtime, turns().Runtime)
}

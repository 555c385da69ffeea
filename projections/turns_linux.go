package projections

import (
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// shortTurn is the shortest time that the kernel lets a thread ask for.
const shortTurn = 100 * time.Microsecond

// shortTurns has the kernel take the processor from this goroutine after a turn, when
// something else wants it, until end is called. A transaction of read models computes
// for some milliseconds, and as long the kernel would leave it alone: its own threads,
// among them those that end the sync of a commit, wait that long for the processor
// that they belong to. It gets as much of the processors as before.
//
// Kernels before 6.12 know no turns, and leave everything as it was.
func shortTurns() (end func()) {
	runtime.LockOSThread()
	if setTurn(shortTurn) != nil { // as where a sandbox does not allow it
		runtime.UnlockOSThread()
		return func() {}
	}
	return func() {
		if setTurn(0) == nil { // what the kernel gives by itself
			runtime.UnlockOSThread()
		} // else the thread ends with its goroutine
	}
}

// setTurn is of this thread.
func setTurn(d time.Duration) error {
	attr, err := unix.SchedGetAttr(0, 0)
	if err != nil || attr.Policy != unix.SCHED_NORMAL { // an operator has said otherwise
		return err
	}
	attr.Runtime = uint64(d)
	return unix.SchedSetAttr(0, attr, 0)
}

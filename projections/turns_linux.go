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
// Kernels before 6.12 know no turns, and a sandbox may not let them be set: then
// nothing is changed.
func shortTurns() (end func()) {
	runtime.LockOSThread()
	attr, err := unix.SchedGetAttr(0, 0) // of this thread
	if err == nil && attr.Policy == unix.SCHED_NORMAL && setTurn(attr, uint64(shortTurn)) {
		return func() {
			if setTurn(attr, attr.Runtime) {
				runtime.UnlockOSThread()
			} // else it stays with its thread, which nobody else shall have
		}
	}
	runtime.UnlockOSThread()
	return func() {}
}

// setTurn has the thread be as attr says, but for its turns, and reports whether it is.
func setTurn(attr *unix.SchedAttr, ns uint64) bool {
	with := *attr
	with.Runtime = ns
	if unix.SchedSetAttr(0, &with, 0) != nil {
		return false
	}
	now, err := unix.SchedGetAttr(0, 0)
	return err == nil && now.Runtime == ns
}

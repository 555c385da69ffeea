package main

import (
	"os"
	"runtime"
	"sync"
)

// processors counts those who want one more processor of Go's scheduler than it has by
// itself.
var processors struct {
	sync.Mutex
	spared int
	there  int // before any was spared
}

// spareProcessor lets one goroutine more run at a time than there are processors, until
// it is given back: for a node that serves many at a time. The embedded server syncs its log for some hundred microseconds
// after every commit, and the scheduler, which looks for processors that wait for the
// system only every few milliseconds, keeps one of its own from all others meanwhile:
// half of all there are, on a small machine. Where GOMAXPROCS says how many there are
// to be, that holds. A container's limit that is changed later is not followed.
func (n *node) spareProcessor() (giveBack func()) {
	if n.cfg.natsURL != "" || os.Getenv("GOMAXPROCS") != "" {
		return func() {}
	}
	processors.Lock()
	defer processors.Unlock()
	if processors.spared++; processors.spared == 1 {
		processors.there = runtime.GOMAXPROCS(0)
		runtime.GOMAXPROCS(processors.there + 1)
	}
	return func() {
		processors.Lock()
		defer processors.Unlock()
		if processors.spared--; processors.spared == 0 {
			runtime.GOMAXPROCS(processors.there)
		}
	}
}

package faults_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The rig itself: what is acknowledged is found in the log, and what is not there
// is missed.
func TestRig(t *testing.T) {
	thorough(t, 1, 1)
	// given a server under load
	s := serve(t, t.TempDir())
	p := newPromises()
	l := startLoad(t, p, 1, 8, s)
	require.Eventually(t, func() bool { return p.count() > 500 }, time.Minute, 10*time.Millisecond)
	// when it is killed and started again
	s.kill()
	s = serve(t, s.dir)
	l.to(s)
	count := p.count()
	require.Eventually(t, func() bool { return p.count() > count+500 }, time.Minute, 10*time.Millisecond)
	l.stop(t)
	t.Log(l.tally())
	// then all are there, and the read models are those of the log
	p.requireKept(t, s.events(t))
	s.requireFiles(t, p)
	s.requireReplay(t)
	s.stop(t)
}

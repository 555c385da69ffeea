package faults_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// The rig itself: what is acknowledged is found in the log, and what is not there
// is missed.
func TestRig(t *testing.T) {
	thorough(t, 1, 1)
	// given a server that acknowledged commands
	s := serve(t, t.TempDir())
	p := newPromises()
	for i := range 20 {
		_, err := s.do(t.Context(), p, fmt.Sprintf("c%d", i), "register-party", fmt.Sprintf(`{"party":"p%d","title":{"en":"Party"},"kind":"other"}`, i))
		require.NoError(t, err)
	}
	// when it is killed and started again
	s.kill()
	s = serve(t, s.dir)
	// then all are there, and the read models are those of the log
	p.requireKept(t, s.events(t))
	s.requireReplay(t)
	s.stop(t)
}

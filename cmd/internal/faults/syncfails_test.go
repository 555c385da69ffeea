package faults_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestSyncFails has a sync to disk fail, the first, the second, and so on, as a disk
// that dies does: what was not synced is not acknowledged, and what was acknowledged
// is there when the server is started again.
func TestSyncFails(t *testing.T) {
	calls := []int{30, 90}
	if thorough(t, 0, 1) == 1 {
		calls = nil
		for n := 1; n <= 120; n++ { // the first ones are of the start
			calls = append(calls, n)
		}
	}
	needs(t, "strace")
	for _, n := range calls {
		t.Run(strconv.Itoa(n), func(t *testing.T) { testSyncFails(t, n) })
	}
}

func testSyncFails(t *testing.T, n int) {
	// given a server whose nth sync fails
	dir := filepath.Join(t.TempDir(), "data")
	trace := filepath.Join(t.TempDir(), "trace")
	p := newPromises()
	// (-D: the process is the server, so that to kill it kills the server)
	s, err := launch(dir, []string{"strace", "-D", "-f", "-o", trace, "-e", "trace=fsync,fdatasync", "-e", fmt.Sprintf("inject=fsync,fdatasync:error=EIO:when=%d", n)},
		"serve", "--data", dir, "--listen", "127.0.0.1:0")
	if err == nil {
		t.Cleanup(s.kill)
		// when it writes until then
		l := startLoad(t, p, uint64(n), 4, s)
		require.Eventually(t, func() bool { return p.count() > 3*n+50 || failedSyncs(t, trace) > 0 }, 2*time.Minute, 10*time.Millisecond)
		l.cancel()
		l.writers.Wait()
		require.NotContains(t, l.tally(), "fault")
		s.kill()
	}
	// then all that was acknowledged is there
	if _, err := os.Stat(filepath.Join(dir, "ledger.key")); os.IsNotExist(err) {
		require.Zero(t, p.count(), "nothing is acknowledged without a key")
		return
	}
	s = serve(t, dir)
	s.requireKept(t, p)
	s.requireGoesOn(t, p)
	s.stop(t)
	require.Positive(t, failedSyncs(t, trace))
	t.Logf("%d commands were acknowledged", p.count())
}

func failedSyncs(t *testing.T, trace string) int {
	t.Helper()
	b, err := os.ReadFile(trace)
	if os.IsNotExist(err) {
		return 0
	}
	require.NoError(t, err)
	return strings.Count(string(b), "(INJECTED)")
}

package faults_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestSyncFails has a sync to disk fail, the first, the second, and so on, as a disk
// that dies does: what was not synced is not acknowledged, and what was acknowledged
// is there when the server is started again.
func TestSyncFails(t *testing.T) {
	calls := []int{2, 25, 90}
	if thorough(t, 0, 1) == 1 {
		calls = nil
		for n := 1; n <= 120; n++ {
			calls = append(calls, n)
		}
	}
	needs(t, "strace")
	for _, call := range []string{"fdatasync", "fsync"} {
		for _, n := range calls {
			t.Run(fmt.Sprintf("%s %d", call, n), func(t *testing.T) { testSyncFails(t, call, n) })
		}
	}
}

func testSyncFails(t *testing.T, call string, n int) {
	// given a server whose nth sync fails, and all after it
	dir := filepath.Join(t.TempDir(), "data")
	trace := filepath.Join(t.TempDir(), "trace")
	p := newPromises()
	s, err := launch(dir, []string{"strace", "-f", "-o", trace, "-e", "trace=" + call, "-e", fmt.Sprintf("inject=%s:error=EIO:when=%d+", call, n)},
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
	t.Logf("%d commands were acknowledged, %d syncs failed", p.count(), failedSyncs(t, trace))
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

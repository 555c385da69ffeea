package faults_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestPowerCut cuts the power of the disk in the middle of writes: nothing is lost
// that was acknowledged before, and what comes back is a ledger that goes on.
func TestPowerCut(t *testing.T) {
	cuts := thorough(t, 2, 12)
	disk := newCuttable(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))

	// given a server under load
	s := serve(t, filepath.Join(disk.dir, "data"))
	p := newPromises()
	l := startLoad(t, p, seed, 8, s)
	type cut struct {
		image   string
		kept    *promises
		signed  uint64 // size of a checkpoint that was handed out
		secrets map[string]string
	}
	var all []cut

	// when the power is cut, at any moment
	for i := range cuts {
		former, more := p.count(), 100+random.IntN(400)
		require.Eventually(t, func() bool { return p.count() >= former+more }, time.Minute, time.Millisecond)
		c := cut{signed: s.checkpoint(t), kept: p.now(), secrets: secretsOf(t, s.dir)}
		c.image = disk.cut(t, "cut"+strconv.Itoa(i)+".img")
		all = append(all, c)
	}
	l.stop(t)
	s.kill()

	// then each time all is there that had been acknowledged
	for i, c := range all {
		dir := filepath.Join(after(t, c.image), "data")
		require.Equal(t, c.secrets, secretsOf(t, dir))
		require.GreaterOrEqual(t, newestCheckpoint(t, dir), c.signed)
		s := serve(t, dir)
		s.requireKept(t, c.kept)
		s.requireGoesOn(t, c.kept)
		out, errs, code := s.run(t, nil, "rebuild")
		require.Zero(t, code, out+errs)
		require.Contains(t, out, "identical")
		s.stop(t)
		t.Logf("cut %d: %d commands and %d files of evidence; %s", i, len(c.kept.all), len(c.kept.files), strings.TrimSpace(out))
	}
}

// checkpoint has the ledger sign what it has, and tells how many events that are.
func (s *server) checkpoint(t *testing.T) uint64 {
	t.Helper()
	a, err := s.ask(t.Context(), "GET", "/v1/checkpoint", nil)
	require.NoError(t, err)
	require.Equal(t, 200, a.status, string(a.body))
	lines := strings.Split(string(a.body), "\n")
	require.Greater(t, len(lines), 2)
	size, err := strconv.ParseUint(lines[1], 10, 64)
	require.NoError(t, err)
	return size
}

// newestCheckpoint is how many events the newest checkpoint is signed for that is
// kept in a data directory.
func newestCheckpoint(t *testing.T, dir string) (size uint64) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "checkpoints", "ledger", "*.checkpoint"))
	require.NoError(t, err)
	for _, file := range files {
		n, err := strconv.ParseUint(strings.TrimSuffix(filepath.Base(file), ".checkpoint"), 10, 64)
		require.NoError(t, err)
		size = max(size, n)
	}
	return size
}

// secretsOf are the files without which nobody signs, and nobody gets in.
func secretsOf(t *testing.T, dir string) map[string]string {
	t.Helper()
	secrets := map[string]string{}
	for _, name := range []string{"ledger.key", "admin.token"} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		secrets[name] = string(b)
	}
	return secrets
}

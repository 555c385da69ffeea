package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/backup"
	"github.com/milepost-ledger/milepost/eventstore"
)

// alone runs a verb on a directory that no server has.
func alone(t *testing.T, in io.Reader, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs strings.Builder
	code = Main(args, in, &out, &errs, func(string) string { return "" })
	return out.String(), errs.String(), code
}

// TestBackupWhileFourWrite takes a backup while four writers write: whatever was
// acknowledged before it began is in it, and what is restored of it is the origin
// as of its sequence.
func TestBackupWhileFourWrite(t *testing.T) {
	// given four writers
	origin := startServer(t, t.TempDir())
	var acknowledged atomic.Uint64
	done := make(chan struct{})
	var writers sync.WaitGroup
	for w := range 4 {
		writers.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-done:
					return
				default:
				}
				resp, err := origin.ask(http.MethodPost, "/v1/commands/register-party", fmt.Sprintf(`{"party":"p-%d-%d","title":"Party","kind":"other"}`, w, i))
				if !assert.NoError(t, err) {
					return
				}
				var receipt struct{ Seq uint64 }
				err = json.NewDecoder(resp.Body).Decode(&receipt)
				_ = resp.Body.Close()
				if !assert.NoError(t, err) || !assert.Equal(t, http.StatusCreated, resp.StatusCode) {
					return
				}
				for old := acknowledged.Load(); receipt.Seq > old && !acknowledged.CompareAndSwap(old, receipt.Seq); old = acknowledged.Load() {
				}
			}
		})
	}
	_, code := origin.run(t, strings.NewReader("A report."), "attach", "-")
	require.Equal(t, exitDone, code)
	require.Eventually(t, func() bool { return acknowledged.Load() > 200 }, time.Minute, time.Millisecond)

	// when a backup is taken
	before := acknowledged.Load()
	file := filepath.Join(t.TempDir(), "main.backup")
	out := origin.must(t, "", "backup", "--out", file, "-o", "json")
	var taken backedUp
	require.NoError(t, json.Unmarshal([]byte(out), &taken))
	require.Eventually(t, func() bool { return acknowledged.Load() > taken.LastSeq }, time.Minute, time.Millisecond, "they went on")
	close(done)
	writers.Wait()
	require.GreaterOrEqual(t, taken.LastSeq, before)
	out = origin.must(t, "", "replay", "--to", fmt.Sprintf("seq:%d", taken.LastSeq), "--out", filepath.Join(t.TempDir(), "then.db"), "-o", "json")
	var then struct{ Digest string }
	require.NoError(t, json.Unmarshal([]byte(out), &then))
	origin.stop(t, syscall.SIGTERM)

	// then what is restored of it is the origin as of then
	dir := filepath.Join(t.TempDir(), "restored")
	_, stderr, code := alone(t, nil, "restore", "--from", file, "--data", dir, "--key", filepath.Join(origin.dir, "ledger.key"))
	require.Equal(t, exitDone, code, stderr)
	require.Equal(t, logOf(t, origin.dir)[:taken.LastSeq], logOf(t, dir))
	again := startServer(t, dir)
	now := again.settled(t)
	require.Equal(t, taken.LastSeq, now.LastSeq)
	require.Equal(t, then.Digest, now.Digest)
	require.Contains(t, again.must(t, "", "replay"), "identical at seq")
	again.must(t, "", "do", "register-party", "--party", "next", "--title", "Next", "--kind", "other")
	again.stop(t, syscall.SIGTERM)
}

// breaking is a way to a server that passes on the first bytes of a backup, and
// then does as it is told.
func breaking(t *testing.T, s *child, bytes int64, then func(*http.Request)) string {
	t.Helper()
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		resp, err := s.ask(r.Method, r.URL.Path, "")
		if !assert.NoError(t, err) {
			return
		}
		defer func() { _ = resp.Body.Close() }()
		_, _ = io.CopyN(w, resp.Body, bytes)
		_ = http.NewResponseController(w).Flush()
		then(r)
		panic(http.ErrAbortHandler)
	}))
	t.Cleanup(proxy.Close)
	return proxy.URL
}

// A backup that breaks off, is interrupted, or finds no room leaves nothing under
// its name, nor beside it.
func TestBackupLeavesNothingHalf(t *testing.T) {
	s := startServer(t, t.TempDir())
	setup, err := os.ReadFile("testdata/setup.jsonl")
	require.NoError(t, err)
	s.must(t, string(setup), "import", "-")
	dir := t.TempDir()
	file := filepath.Join(dir, "main.backup")
	nothing := func(t *testing.T) {
		t.Helper()
		entries, err := os.ReadDir(dir)
		require.NoError(t, err)
		require.Empty(t, entries)
	}
	t.Run("the connection breaks", func(t *testing.T) {
		url := breaking(t, s, 9000, func(*http.Request) {})
		_, stderr, code := s.runWith(t, nil, "backup", "--server", url, "--out", file)
		require.Equal(t, exitFailed, code)
		require.Contains(t, stderr, "broke off")
		nothing(t)
	})
	t.Run("it is interrupted", func(t *testing.T) {
		reached := make(chan struct{})
		url := breaking(t, s, 9000, func(r *http.Request) { close(reached); <-r.Context().Done() })
		cmd := exec.Command(s.program, "backup", "--server", url, "--out", file)
		cmd.Env = []string{"MILEPOST_TOKEN=any", quickExit}
		var errs bytes.Buffer
		cmd.Stderr = &errs
		require.NoError(t, cmd.Start())
		<-reached
		require.NoError(t, cmd.Process.Signal(os.Interrupt))
		require.Error(t, cmd.Wait())
		require.Equal(t, "milepost: interrupted\n", errs.String())
		nothing(t)
	})
	good := filepath.Join(t.TempDir(), "good.backup")
	s.must(t, "", "backup", "--out", good)
	s.stop(t, syscall.SIGTERM)

	t.Run("the disk is full", func(t *testing.T) {
		small := smallDisk(t, 64<<10)
		require.NoError(t, os.WriteFile(filepath.Join(small, "fill"), make([]byte, 48<<10), 0o600))
		_, stderr, code := alone(t, nil, "backup", "--data", s.dir, "--out", filepath.Join(small, "main.backup"))
		require.Equal(t, exitFailed, code)
		require.Contains(t, stderr, "no space left on device")
		entries, err := os.ReadDir(small)
		require.NoError(t, err)
		require.Len(t, entries, 1)
	})
	t.Run("the disk is full of what is restored", func(t *testing.T) {
		small := smallDisk(t, 20<<10)
		place := filepath.Join(small, "new")
		cmd := exec.Command(s.program, "restore", "--from", good, "--data", place)
		cmd.Env = []string{quickExit}
		out, _ := cmd.CombinedOutput() // the exit code tells
		require.Equal(t, exitFailed, cmd.ProcessState.ExitCode())
		t.Logf("%s", out)
		require.NoDirExists(t, place)
	})
}

// A restore that is killed is no ledger, and can be begun again.
func TestRestoreKilled(t *testing.T) {
	s := startServer(t, t.TempDir())
	setup, err := os.ReadFile("testdata/setup.jsonl")
	require.NoError(t, err)
	s.must(t, string(setup), "import", "-")
	file := filepath.Join(t.TempDir(), "main.backup")
	s.must(t, "", "backup", "--out", file)
	s.stop(t, syscall.SIGTERM)
	whole, err := os.ReadFile(file)
	require.NoError(t, err)
	key := filepath.Join(s.dir, "ledger.key")

	// given one that has come into the middle
	dir := filepath.Join(t.TempDir(), "new")
	cmd := exec.Command(s.program, "restore", "--from", "-", "--data", dir)
	cmd.Env = []string{quickExit}
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	_, err = in.Write(whole[:len(whole)-4000])
	require.NoError(t, err)
	stream := filepath.Join(dir, "restoring", "jetstream")
	require.Eventually(t, func() bool { return exists(stream) }, 20*time.Second, time.Millisecond)
	require.NoError(t, cmd.Process.Kill())
	require.Error(t, cmd.Wait())

	// then nothing takes it for a ledger, and it can be begun again
	for _, verb := range [][]string{
		{"serve", "--data", dir, "--listen", "127.0.0.1:0"}, {"replay", "--data", dir}, {"backup", "--data", dir, "--out", file + "2"},
	} {
		_, stderr, code := alone(t, nil, verb...)
		require.Equal(t, exitFailed, code)
		require.Contains(t, stderr, "no ledger")
	}
	_, stderr, code := alone(t, nil, "restore", "--from", file, "--data", dir, "--key", key)
	require.Equal(t, exitDone, code, stderr)
	require.Equal(t, logOf(t, s.dir), logOf(t, dir))
}

// TestEveryVersionRestores restores a backup of each version of the format that was
// ever released. The files in testdata/backups are never edited, only added to.
func TestEveryVersionRestores(t *testing.T) {
	backups, err := filepath.Glob("testdata/backups/*.backup")
	require.NoError(t, err)
	_, present, _ := strings.Cut(backup.Format, "/")
	require.Contains(t, backups, filepath.Join("testdata", "backups", "v"+present+".backup"), "one of the present version")
	for _, file := range backups {
		name := strings.TrimSuffix(file, ".backup")
		t.Run(filepath.Base(name), func(t *testing.T) {
			key := filepath.Join(t.TempDir(), "ledger.key") // with the mode that it must have
			secret, err := os.ReadFile(name + ".key")
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(key, secret, 0o600))
			dir := filepath.Join(t.TempDir(), "new")
			out, stderr, code := alone(t, nil, "restore", "--from", file, "--data", dir, "--ledger-key", name+".vkey", "--key", key, "-o", "json")
			require.Equal(t, exitDone, code, stderr)
			var r restored
			require.NoError(t, json.Unmarshal([]byte(out), &r))
			out, stderr, code = alone(t, nil, "replay", "--data", dir)
			require.Equal(t, exitDone, code, stderr)
			require.Contains(t, out, fmt.Sprintf("identical at seq %d:", r.LastSeq))
			s, err := eventstore.Open(t.Context(), eventstore.Config{Dir: dir, Ledger: r.Ledger})
			require.NoError(t, err)
			hashes, err := s.EvidenceHashes(t.Context())
			require.NoError(t, errors.Join(err, s.Close()))
			require.Len(t, hashes, r.Evidence)
			require.Positive(t, r.Evidence)
		})
	}
}

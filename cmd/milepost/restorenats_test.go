package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"
)

// A restore onto a NATS server that is killed is no ledger, and can be begun again; one
// that is interrupted takes back what it made.
func TestRestoreOntoNATSKilled(t *testing.T) {
	s := startServer(t, t.TempDir())
	setup, err := os.ReadFile("testdata/setup.jsonl")
	require.NoError(t, err)
	s.must(t, string(setup), "import", "-")
	s.must(t, "A report.", "attach", "-")
	file := filepath.Join(t.TempDir(), "main.backup")
	s.must(t, "", "backup", "--out", file)
	want := s.settled(t)
	s.stop(t, syscall.SIGTERM)
	backup, err := os.ReadFile(file)
	require.NoError(t, err)
	key := filepath.Join(s.dir, "ledger.key")

	// stopped runs a restore that has come to some byte of the backup, and ends it there.
	stopped := func(t *testing.T, url, dir string, at int, signal os.Signal) {
		t.Helper()
		cmd := exec.Command(s.program, "restore", "--from", "-", "--nats", url, "--data", dir, "--key", key)
		cmd.Env = []string{quickExit}
		in, err := cmd.StdinPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		_, err = in.Write(backup[:at])
		require.NoError(t, err)
		nc, err := nats.Connect(url)
		require.NoError(t, err)
		defer nc.Close()
		js, err := jetstream.New(nc)
		require.NoError(t, err)
		require.Eventually(t, func() bool {
			log, err := js.Stream(t.Context(), "milepost-main")
			if err != nil {
				return false
			}
			_, err = js.Stream(t.Context(), "OBJ_milepost-main")
			return err == nil && (at < len(backup)/2 || log.CachedInfo().State.Msgs == want.LastSeq)
		}, 20*time.Second, time.Millisecond)
		require.NoError(t, cmd.Process.Signal(signal))
		if signal == os.Interrupt {
			require.NoError(t, in.Close()) // it reads until then
		}
		require.Error(t, cmd.Wait())
	}
	for name, at := range map[string]int{"at its beginning": 2048, "before its end": len(backup) - 1} {
		t.Run(name, func(t *testing.T) {
			url, dir := externalNATS(t), filepath.Join(t.TempDir(), "new")
			stopped(t, url, dir, at, os.Kill)
			for _, verb := range [][]string{
				{"serve", "--data", dir, "--nats", url, "--listen", "127.0.0.1:0"}, {"replay", "--data", dir, "--nats", url},
				{"serve", "--data", filepath.Join(t.TempDir(), "other"), "--nats", url, "--key", key, "--listen", "127.0.0.1:0"},
			} {
				_, stderr, code := alone(t, nil, verb...)
				require.Equal(t, exitFailed, code)
				require.Contains(t, stderr, "so there is no ledger: restore ")
			}
			_, stderr, code := alone(t, nil, "restore", "--from", file, "--nats", url, "--data", dir, "--key", key)
			require.Equal(t, exitDone, code, stderr)
			again := startServer(t, dir, "--nats", url)
			got := again.settled(t)
			require.Equal(t, want.LastSeq, got.LastSeq)
			require.Equal(t, want.Digest, got.Digest)
			require.Contains(t, again.must(t, "", "replay"), "identical at seq")
			again.stop(t, syscall.SIGTERM)
		})
		t.Run("interrupted "+name, func(t *testing.T) {
			url, dir := externalNATS(t), filepath.Join(t.TempDir(), "new")
			stopped(t, url, dir, at, os.Interrupt)
			names, err := streamNames(t.Context(), url)
			require.NoError(t, err)
			require.Empty(t, names)
			require.NoDirExists(t, dir)
		})
	}
}

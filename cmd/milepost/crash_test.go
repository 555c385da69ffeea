package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/signin"
)

// A server killed in the middle of an import loses nothing that it
// acknowledged and keeps nothing twice: the same file, imported again, comes to
// the digest of an undisturbed import. (The digest leaves out recorded times
// and event ids, which cannot be the same.)
func TestKilledDuringAnImport(t *testing.T) {
	const commands = 5000
	text := newWorkload(commands).chunk(0, commands, commands)
	lines := strings.SplitAfter(text, "\n")
	require.Greater(t, len(lines), commands*9/10)

	// Given what an undisturbed import comes to
	calm := startServer(t, t.TempDir())
	_, code := calm.run(t, strings.NewReader(text), "import", "-", "-o", "json")
	require.Equal(t, exitDone, code)
	want := calm.settled(t)
	require.Greater(t, want.LastSeq, uint64(commands))
	calm.stop(t, syscall.SIGTERM)

	// When a server is killed while an import is under way, of which some
	// batches are in the log and more is to come
	dir := t.TempDir()
	victim := startServer(t, dir)
	in, feed := io.Pipe()
	imported := make(chan int)
	go func() {
		_, code := victim.run(t, in, "import", "--format", "jsonl", "-")
		imported <- code
	}()
	_, err := io.WriteString(feed, strings.Join(lines[:commands/2], ""))
	require.NoError(t, err)
	require.Eventually(t, func() bool { return victim.status(t).LastSeq > 1000 }, 20*time.Second, 5*time.Millisecond)
	victim.stop(t, syscall.SIGKILL)
	require.NoError(t, feed.Close())
	assert.Equal(t, exitFailed, <-imported, "the client says that the import broke off")

	// Then after a restart a part is there, whole,
	again := startServer(t, dir)
	part := again.status(t)
	require.Greater(t, part.LastSeq, uint64(1000))
	require.Less(t, part.LastSeq, want.LastSeq)

	// and the same file adds the rest and nothing else.
	out, code := again.run(t, strings.NewReader(text), "import", "-", "-o", "json")
	require.Equal(t, exitDone, code)
	var sum struct {
		FirstSeq uint64 `json:"first_seq"`
		Skipped  int    `json:"skipped"`
	}
	require.NoError(t, json.Unmarshal([]byte(out), &sum))
	assert.Equal(t, part.LastSeq+1, sum.FirstSeq)
	assert.Positive(t, sum.Skipped)
	assert.Equal(t, want, again.settled(t))
	again.stop(t, syscall.SIGINT)
}

// child is a server in a process of its own.
type child struct {
	cmd     *exec.Cmd
	program string
	dir     string
	url     string
	log     lockedBuffer // its standard error
}

// startServer runs serve on dir until it is ready.
func startServer(t *testing.T, dir string, flags ...string) *child {
	t.Helper()
	c := &child{program: asProgram(t), dir: dir}
	c.cmd = exec.Command(c.program, append([]string{"serve", "--data", dir, "--listen", "127.0.0.1:0"}, flags...)...)
	c.cmd.Stderr = io.MultiWriter(os.Stderr, &c.log)
	out, err := c.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.cmd.Start())
	t.Cleanup(func() {
		if c.cmd.ProcessState == nil {
			_ = c.cmd.Process.Kill()
			_ = c.cmd.Wait()
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	m := readyLine.FindStringSubmatch(line)
	require.NotNil(t, m, line)
	c.url = m[1]
	return c
}

// ask asks the server's API as its administrator.
func (c *child) ask(method, path, body string) (*http.Response, error) {
	req, err := http.NewRequest(method, c.url+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	token, err := signin.ReadAdminToken(c.dir)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	return http.DefaultClient.Do(req)
}

// stop signals the server and waits for it; only a killed one may fail.
func (c *child) stop(t *testing.T, signal syscall.Signal) {
	t.Helper()
	require.NoError(t, c.cmd.Process.Signal(signal))
	err := c.cmd.Wait()
	if signal != syscall.SIGKILL {
		require.NoError(t, err)
	}
}

// run runs a client verb to its end.
func (c *child) run(t *testing.T, in io.Reader, args ...string) (stdout string, code int) {
	stdout, _, code = c.runWith(t, in, args...)
	return stdout, code
}

func (c *child) runWith(t *testing.T, in io.Reader, args ...string) (stdout, stderr string, code int) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, c.program, args...)
	cmd.Env = []string{"MILEPOST_SERVER=" + c.url, "MILEPOST_DATA=" + c.dir, "MILEPOST_ACTOR=tester", quickExit}
	var out, errs strings.Builder
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, &out, &errs
	_ = cmd.Run() // the exit code tells
	t.Logf("milepost %s: %s%s", strings.Join(args, " "), out.String(), errs.String())
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// settled is the status when the read models show the whole log.
func (c *child) settled(t *testing.T) statusOf {
	_, code := c.run(t, nil, "show", "parties", "--min-seq", strconv.FormatUint(c.status(t).LastSeq, 10))
	require.Equal(t, exitDone, code)
	return c.status(t)
}

func (c *child) status(t *testing.T) statusOf {
	out, code := c.run(t, nil, "status", "-o", "json")
	var s statusOf
	if err := json.Unmarshal([]byte(out), &s); err != nil || code != exitDone {
		t.Errorf("status: exit code %d, %v", code, err)
	}
	return s
}

// asProgram returns a name for this test binary under which it is the program.
func asProgram(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	program := filepath.Join(t.TempDir(), "milepost")
	require.NoError(t, os.Symlink(self, program), fmt.Sprintf("link %s", self))
	return program
}

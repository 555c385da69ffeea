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
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/signin"
)

// child is a server in a process of its own.
type child struct {
	cmd     *exec.Cmd
	program string
	dir     string
	url     string
	flags   []string     // beside those that say where
	log     lockedBuffer // its standard error
}

// startServer runs serve on dir until it is ready.
func startServer(t *testing.T, dir string, flags ...string) *child {
	t.Helper()
	c := &child{program: asProgram(t), dir: dir, flags: flags}
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

// again starts a server that has ended, at the same address.
func (c *child) again(t *testing.T) *child {
	t.Helper()
	return startServer(t, c.dir, append(slices.Clip(c.flags), "--listen", strings.TrimPrefix(c.url, "http://"))...)
}

// metric is the value of a line of the server's metrics, "" where there is none yet.
func (c *child) metric(t *testing.T, line string) string {
	t.Helper()
	resp, err := c.ask("GET", "/metrics", "")
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	metrics, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	_, rest, _ := strings.Cut(string(metrics), "\n"+line+" ")
	value, _, _ := strings.Cut(rest, "\n")
	return value
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

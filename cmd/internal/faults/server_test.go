package faults_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/signin"
)

// server is a ledger's server in a process of its own.
type server struct {
	url   string
	dir   string                 // its data directory
	token func() (string, error) // its administrator's
	at    place
	web   *http.Client

	process *exec.Cmd
	output  transcript
	ready   chan string   // has the address, once
	ended   chan struct{} // closed when the process has ended
	err     error         // what Wait said, after ended
}

// transcript keeps what a process said.
type transcript struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (t *transcript) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.Write(b)
}

func (t *transcript) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.String()
}

var readyLine = regexp.MustCompile(`ready on (http://\S+)`)

// start starts the program on dir, at a place. Wrap names a program and arguments
// that run it, such as strace or nsenter.
func start(at place, dir string, wrap []string, args ...string) (*server, error) {
	file, err := program()
	if err != nil {
		return nil, err
	}
	line := slices.Concat(at.inside, wrap, []string{file}, args)
	token := sync.OnceValues(func() (string, error) { return signin.ReadAdminToken(dir) })
	s := &server{dir: dir, token: token, at: at, web: at.client(), process: exec.Command(line[0], line[1:]...), ready: make(chan string, 1), ended: make(chan struct{})}
	s.process.Stderr = &s.output
	out, err := s.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.process.Start(); err != nil {
		return nil, err
	}
	go func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			fmt.Fprintln(&s.output, lines.Text())
			if m := readyLine.FindStringSubmatch(lines.Text()); m != nil {
				s.ready <- m[1]
			}
		}
		s.err = s.process.Wait()
		close(s.ended)
	}()
	return s, nil
}

// launch runs the program in dir until it is ready, or has ended without.
func launch(dir string, wrap []string, args ...string) (*server, error) {
	return launchAt(here(), dir, wrap, args...)
}

// launchAt is launch at a place of its own.
func launchAt(at place, dir string, wrap []string, args ...string) (*server, error) {
	s, err := start(at, dir, wrap, args...)
	if err != nil {
		return nil, err
	}
	select {
	case s.url = <-s.ready:
		return s, nil
	case <-s.ended:
		return s, fmt.Errorf("the server ended before it was ready: %v\n%s", s.err, s.output.String())
	case <-time.After(2 * time.Minute):
		s.kill()
		return s, fmt.Errorf("the server was not ready after 2 minutes\n%s", s.output.String())
	}
}

// serve runs serve on dir; it is killed when the test ends, if it runs by then.
func serve(t *testing.T, dir string, flags ...string) *server {
	t.Helper()
	return serveAt(t, here(), dir, flags...)
}

// serveAt is serve at a place of its own.
func serveAt(t *testing.T, at place, dir string, flags ...string) *server {
	t.Helper()
	s, err := launchAt(at, dir, nil, append([]string{"serve", "--data", dir, "--listen", "127.0.0.1:0"}, flags...)...)
	require.NoError(t, err)
	t.Cleanup(func() {
		s.kill()
		if t.Failed() {
			for _, line := range s.failures() {
				t.Logf("%s logged %s", s.url, line)
			}
		}
	})
	return s
}

// failures are the first lines of the log that tell why something was answered 500,
// and then of what else went wrong.
func (s *server) failures() (lines []string) {
	const most = 20
	for _, sign := range []string{`"code":"internal"`, `"level":"ERROR"`} {
		n := 0
		for line := range strings.Lines(s.output.String()) {
			if strings.Contains(line, sign) && !strings.Contains(line, `"status":507`) && n < most {
				lines = append(lines, strings.TrimSpace(line))
				n++
			}
		}
	}
	return lines
}

// kill ends the process as a crash does. To kill what has ended does nothing.
func (s *server) kill() {
	_ = s.process.Process.Kill()
	<-s.ended
}

// stop ends the process as an operator does.
func (s *server) stop(t *testing.T) {
	t.Helper()
	require.NoError(t, s.process.Process.Signal(syscall.SIGTERM))
	<-s.ended
	require.NoError(t, s.err, s.output.String())
}

// answer is what the server said to a request.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// done says whether what was asked for is done, now or before.
func (a answer) done() bool { return a.status == http.StatusCreated || a.status == http.StatusOK }

// ask asks the server's API as its administrator. An error is a request without
// a whole answer: what it asked for may have happened or not.
func (s *server) ask(ctx context.Context, method, path string, body io.Reader, header ...string) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, method, s.url+path, body)
	if err != nil {
		return answer{}, err
	}
	token, err := s.token()
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := s.web.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, b}, err
}

// get asks for JSON, which has to come with 200.
func (s *server) get(t *testing.T, path string, into any) {
	t.Helper()
	a, err := s.ask(t.Context(), "GET", path, nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, a.status, string(a.body))
	require.NoError(t, json.Unmarshal(a.body, into))
}

// run runs a client's verb to its end, and returns what it said and its exit code.
func (s *server) run(t *testing.T, in io.Reader, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	return runProgram(t, s.at, []string{"MILEPOST_SERVER=" + s.url, "MILEPOST_DATA=" + s.dir, "MILEPOST_ACTOR=tester"}, in, args...)
}

func runProgram(t *testing.T, at place, env []string, in io.Reader, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	file, err := program()
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	line := slices.Concat(at.inside, []string{file}, args)
	cmd := exec.CommandContext(ctx, line[0], line[1:]...)
	cmd.Env = append(os.Environ(), env...)
	var out, errs strings.Builder
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, &out, &errs
	_ = cmd.Run() // the exit code tells
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

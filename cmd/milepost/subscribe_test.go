package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// subscriber is milepost subscribe in a process of its own.
type subscriber struct {
	t        *testing.T
	cmd      *exec.Cmd
	out, err lockedBuffer
}

// lockedBuffer takes what a process writes while the test looks at it.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (c *child) subscribe(t *testing.T, flags ...string) *subscriber {
	t.Helper()
	s := &subscriber{t: t, cmd: exec.Command(c.program, append([]string{"subscribe"}, flags...)...)}
	s.cmd.Env = []string{"MILEPOST_SERVER=" + c.url, "MILEPOST_DATA=" + c.dir, "PATH=" + os.Getenv("PATH"), quickExit}
	s.cmd.Stdout, s.cmd.Stderr = &s.out, &s.err
	require.NoError(t, s.cmd.Start())
	t.Cleanup(func() {
		if s.cmd.ProcessState == nil {
			_ = s.cmd.Process.Kill()
			_ = s.cmd.Wait()
		}
	})
	return s
}

// stop signals the process, waits for it and returns its exit code.
func (s *subscriber) stop(signal syscall.Signal) int {
	s.t.Helper()
	require.NoError(s.t, s.cmd.Process.Signal(signal))
	return s.wait()
}

func (s *subscriber) wait() int {
	_ = s.cmd.Wait() // the exit code tells
	return s.cmd.ProcessState.ExitCode()
}

func (s *subscriber) until(what string, condition func() bool) {
	s.t.Helper()
	require.Eventually(s.t, condition, 20*time.Second, time.Millisecond, "%s\n%s%s", what, &s.out, &s.err)
}

// register appends n events.
func (c *child) register(t *testing.T, n int) {
	for range n {
		resp, err := c.ask(http.MethodPost, "/v1/commands/register-party", `{"title":"One of many","kind":"other"}`)
		if !assert.NoError(t, err) {
			return
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		assert.NoError(t, resp.Body.Close())
		assert.Equal(t, http.StatusCreated, resp.StatusCode)
	}
}

// stored is the line of an event, with the bytes that the log has.
func (c *child) stored(t *testing.T, seq uint64) string {
	t.Helper()
	resp, err := c.ask(http.MethodGet, "/v1/events/"+strconv.FormatUint(seq, 10), "")
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, resp.StatusCode, "%s", raw)
	return fmt.Sprintf(`{"seq":%d,"event":%s}`, seq, raw)
}

func lineCount(s string) int { return strings.Count(s, "\n") }

func fileSize(name string) int64 {
	info, err := os.Stat(name)
	if err != nil {
		return 0
	}
	return info.Size()
}

func readMark(t *testing.T, name string) (k kept) {
	t.Helper()
	raw, err := os.ReadFile(name)
	if os.IsNotExist(err) {
		return k
	}
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(raw, &k), "a position is whole at any moment: %s", raw)
	return k
}

// A subscriber that is killed and started again at random has each event once and
// in order in its output file, with the bytes that are stored.
func TestSubscribe_killedAtRandomHasEachEventOnce(t *testing.T) {
	kills := 100
	if testing.Short() {
		kills = 15
	}
	rnd := rand.New(rand.NewPCG(5, 6))
	c := startServer(t, t.TempDir())
	dir := t.TempDir()
	out, position := filepath.Join(dir, "events.jsonl"), filepath.Join(dir, "position")
	flags := []string{"--from", "first", "--out", out, "--position", position}

	torn := 0
	for range kills {
		// When events are appended, and the subscriber is killed at some moment:
		// before it has begun, or when so much more is in its file, or done with
		more := rnd.IntN(12)
		var appending sync.WaitGroup
		appending.Go(func() { c.register(t, more) })
		size, seq := fileSize(out)+int64(rnd.IntN(more*150+1)), readMark(t, position).Seq+uint64(rnd.IntN(more+1))
		byPosition := rnd.IntN(3) == 0
		s := c.subscribe(t, flags...)
		s.until("it goes on", func() bool {
			if byPosition {
				return readMark(t, position).Seq >= seq
			}
			return fileSize(out) >= size
		})
		s.stop(syscall.SIGKILL)
		if mark := readMark(t, position); mark.OutBytes != nil && *mark.OutBytes < fileSize(out) {
			torn++
		}
		appending.Wait()
	}
	t.Logf("of %d kills %d came when the file had more than the position said", kills, torn)
	assert.Positive(t, torn, "the test kills where it matters")

	s := c.subscribe(t, flags...)
	c.register(t, 1) // which it can only have when it runs
	last := c.status(t).LastSeq
	s.until("it has all", func() bool { return readMark(t, position).Seq == last })
	assert.Equal(t, exitDone, s.stop(syscall.SIGTERM), "%s", &s.err)

	// Then each event is there once, in order
	raw, err := os.ReadFile(out)
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSuffix(string(raw), "\n"), "\n")
	require.Len(t, lines, int(last))
	for i, line := range lines {
		require.True(t, strings.HasPrefix(line, fmt.Sprintf(`{"seq":%d,"event":{`, i+1)), line)
		if i%10 == 0 {
			require.Equal(t, c.stored(t, uint64(i+1)), line)
		}
	}
	assert.EqualValues(t, len(raw), *readMark(t, position).OutBytes)
}

func TestSubscribe_printsAndGoesOn(t *testing.T) {
	dir := t.TempDir()
	c := startServer(t, dir)
	c.register(t, 3)
	position := filepath.Join(t.TempDir(), "position")

	// From a sequence on, and live, with the position kept
	s := c.subscribe(t, "--from", "2", "--position", position)
	s.until("what is there", func() bool { return lineCount(s.out.String()) == 2 })
	c.register(t, 1)
	s.until("what is new", func() bool { return lineCount(s.out.String()) == 3 })
	assert.Equal(t, c.stored(t, 2)+"\n"+c.stored(t, 3)+"\n"+c.stored(t, 4)+"\n", s.out.String())

	// which nobody else may use meanwhile
	_, stderr, code := c.runWith(t, nil, "subscribe", "--position", position)
	assert.Equal(t, exitFailed, code)
	assert.Contains(t, stderr, "another milepost subscribe")

	// over a restart of the server, which it is told of
	address := strings.TrimPrefix(c.url, "http://")
	c.stop(t, syscall.SIGTERM)
	s.until("it says so", func() bool { return strings.Contains(s.err.String(), "(closing)") })
	program := c.program
	c = startServer(t, dir, "--listen", address)
	c.program = program
	c.register(t, 1)
	s.until("it is there again", func() bool { return lineCount(s.out.String()) == 4 })

	// until it is stopped; the next one goes on from there, wherever it is told to begin.
	assert.Equal(t, exitDone, s.stop(syscall.SIGINT))
	assert.EqualValues(t, 5, readMark(t, position).Seq)
	c.register(t, 1)
	s = c.subscribe(t, "--from", "first", "--position", position)
	s.until("it goes on", func() bool { return lineCount(s.out.String()) == 1 })
	assert.Equal(t, c.stored(t, 6)+"\n", s.out.String())
	assert.Equal(t, exitDone, s.stop(syscall.SIGINT))

	// By default it begins now, and filters are the server's.
	s = c.subscribe(t, "--kind", "party", "--position", position+"2")
	s.until("it has begun", func() bool { return readMark(t, position+"2").Seq == 6 })
	c.register(t, 1)
	s.until("what is new", func() bool { return lineCount(s.out.String()) == 1 })
	assert.Equal(t, c.stored(t, 7)+"\n", s.out.String())
	assert.Equal(t, exitDone, s.stop(syscall.SIGTERM))

	for _, refused := range [][]string{{"--kind", "nothing"}, {"--type", "nothing"}, {"--from", "99"}} {
		_, stderr, code := c.runWith(t, nil, append([]string{"subscribe"}, refused...)...)
		assert.Equal(t, exitFailed, code, refused)
		assert.Contains(t, stderr, "(code invalid-parameter", refused)
	}
}

func TestSubscribe_runsACommandForEachEvent(t *testing.T) {
	c := startServer(t, t.TempDir())
	c.register(t, 3)
	dir := t.TempDir()
	position := filepath.Join(dir, "position")

	// Given a command that fails the first time for each event
	command := fmt.Sprintf(`cd %s; test -e tried-$MILEPOST_SEQ || { touch tried-$MILEPOST_SEQ; exit 3; }; echo "$MILEPOST_SEQ $MILEPOST_TYPE" >>done; cat >event-$MILEPOST_SEQ`, dir)
	s := c.subscribe(t, "--from", "first", "--position", position, "--exec", command)
	s.until("it has run", func() bool { return readMark(t, position).Seq == 3 })
	assert.Equal(t, exitDone, s.stop(syscall.SIGTERM))

	// Then it has succeeded once for each, in order, and had the event as it is stored
	const registered = " milepost.party.registered.v1\n"
	done, err := os.ReadFile(filepath.Join(dir, "done"))
	require.NoError(t, err)
	assert.Equal(t, "1"+registered+"2"+registered+"3"+registered, string(done))
	event, err := os.ReadFile(filepath.Join(dir, "event-2"))
	require.NoError(t, err)
	assert.Equal(t, c.stored(t, 2), `{"seq":2,"event":`+string(event)+"}")
	assert.Contains(t, s.err.String(), "the command failed for event 1: exit status 3; running it again")

	// One that keeps failing ends it after so many tries, before that event
	s = c.subscribe(t, "--from", "2", "--position", position+"2", "--exec", "test $MILEPOST_SEQ != 3", "--retries", "1")
	assert.Equal(t, exitFailed, s.wait())
	assert.Contains(t, s.err.String(), "milepost: the command failed for event 3: exit status 1\n")
	assert.EqualValues(t, 2, readMark(t, position+"2").Seq)

	// A signal lets the command that runs end, and counts it
	go1 := filepath.Join(dir, "go")
	s = c.subscribe(t, "--from", "1", "--position", position+"3", "--exec", "touch "+dir+"/runs; until test -e "+go1+"; do sleep 0.01; done")
	s.until("it runs", func() bool { return exists(filepath.Join(dir, "runs")) })
	require.NoError(t, s.cmd.Process.Signal(syscall.SIGTERM))
	require.NoError(t, os.WriteFile(go1, nil, 0o600))
	assert.Equal(t, exitDone, s.wait())
	assert.GreaterOrEqual(t, readMark(t, position+"3").Seq, uint64(1))
}

func TestSubscribe_refusesFilesThatDoNotBelongTogether(t *testing.T) {
	c := startServer(t, t.TempDir())
	c.register(t, 2)
	dir := t.TempDir()
	file := func(name, content string) string {
		name = filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(name, []byte(content), 0o600))
		return name
	}
	for name, c1 := range map[string]struct {
		flags []string
		code  int
		want  string
	}{
		"an output without a position":            {[]string{"--out", file("a", "")}, exitUsage, "--out takes --position"},
		"an output with something in it":          {[]string{"--out", file("b", "x\n"), "--position", filepath.Join(dir, "bp")}, exitFailed, "name a new file"},
		"an output that was cut":                  {[]string{"--out", file("c", "x"), "--position", file("cp", `{"seq":1,"out_bytes":2}`)}, exitFailed, "it was cut"},
		"a position of an output, without it":     {[]string{"--position", file("dp", `{"seq":1,"out_bytes":2}`)}, exitFailed, "name it with --out"},
		"a position of none, with one":            {[]string{"--out", file("e", ""), "--position", file("ep", `{"seq":1}`)}, exitFailed, "not that of an output"},
		"a position that is none":                 {[]string{"--position", file("fp", "1")}, exitFailed, "is not a position"},
		"a position of all events":                {[]string{"--position", file("ip", `{"seq":1,"filter":""}`), "--kind", "party"}, exitFailed, "is that of a subscription to all events: give the same --agreement"},
		"a position of other events":              {[]string{"--position", file("jp", `{"seq":1,"filter":"kind=project"}`), "--kind", "party"}, exitFailed, "is that of a subscription to kind=project: give the same --agreement"},
		"both ways":                               {[]string{"--out", file("g", ""), "--exec", "true"}, exitUsage, "give one of them"},
		"retries of nothing":                      {[]string{"--retries", "3"}, exitUsage, "--retries is for --exec"},
		"no beginning":                            {[]string{"--from", "0"}, exitUsage, "first or now"},
		"a position that the log has not reached": {[]string{"--position", file("hp", `{"seq":9}`)}, exitFailed, "of another ledger"},
	} {
		t.Run(name, func(t *testing.T) {
			_, stderr, code := c.runWith(t, nil, append([]string{"subscribe"}, c1.flags...)...)
			assert.Equal(t, c1.code, code)
			assert.Contains(t, stderr, c1.want)
		})
	}
}

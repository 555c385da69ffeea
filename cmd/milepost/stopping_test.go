package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/signin"
)

// writers give commands, one after the other, until the server is gone.
type writers struct {
	all   sync.WaitGroup
	mu    sync.Mutex
	acked []string // parties of whom the server said that they are registered
	other []string // what it said otherwise
}

func (c *child) write(n int) *writers {
	w := &writers{}
	for i := range n {
		w.all.Go(func() {
			for j := 0; ; j++ {
				party := fmt.Sprintf("party-%d-%d", i, j)
				answer, err := c.ask("POST", "/v1/commands/register-party", `{"party":"`+party+`","title":{"en":"Party"},"kind":"other"}`)
				if err != nil { // it may have been done or not
					return
				}
				_ = answer.Body.Close()
				w.mu.Lock()
				if answer.StatusCode == http.StatusCreated {
					w.acked = append(w.acked, party)
				} else {
					w.other = append(w.other, answer.Status)
				}
				w.mu.Unlock()
			}
		})
	}
	return w
}

func (w *writers) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.acked)
}

// signal tells the server to stop, and waits until it says so.
func (c *child) signal(t *testing.T) {
	t.Helper()
	require.NoError(t, c.cmd.Process.Signal(syscall.SIGTERM))
	require.Eventually(t, func() bool {
		answer, err := http.Get(c.url + "/readyz")
		if err != nil {
			return false
		}
		defer func() { _ = answer.Body.Close() }()
		var problem struct{ Code string }
		return json.NewDecoder(answer.Body).Decode(&problem) == nil && answer.StatusCode == http.StatusServiceUnavailable && problem.Code == "stopping"
	}, 10*time.Second, time.Millisecond, "it does not say that it stops")
}

// upload begins to send a file; more of it goes out by more, and answer is what the server
// says.
func (c *child) upload(t *testing.T) (more *io.PipeWriter, answer <-chan string) {
	t.Helper()
	in, more := io.Pipe()
	req, err := http.NewRequest("POST", c.url+"/v1/evidence", in)
	require.NoError(t, err)
	token, err := signin.ReadAdminToken(c.dir)
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+token)
	said := make(chan string, 1)
	go func() {
		answer, err := http.DefaultClient.Do(req)
		if err != nil {
			said <- err.Error()
			return
		}
		defer func() { _ = answer.Body.Close() }()
		body, _ := io.ReadAll(answer.Body)
		said <- strconv.Itoa(answer.StatusCode) + " " + string(body)
	}()
	_, err = io.WriteString(more, evidenceHead) // taken, so it is under way
	require.NoError(t, err)
	return more, said
}

const evidenceHead, evidenceTail = "The minutes of ", "the last meeting."

// importing begins an import and gives it lines.
func (c *child) importing(t *testing.T, lines string) (more *os.File, ended <-chan string) {
	t.Helper()
	in, more, err := os.Pipe() // a file, as nobody waits for what is read of it
	require.NoError(t, err)
	said := make(chan string, 1)
	go func() {
		out, errs, code := c.runWith(t, in, "import", "--format", "jsonl", "-")
		said <- fmt.Sprintf("%d %s%s", code, out, errs)
		_ = in.Close()
	}()
	_, err = io.WriteString(more, lines)
	require.NoError(t, err)
	return more, said
}

// What is under way when a server is told to stop comes to its end, what comes while
// it can still be asked is answered, and all of it is there afterwards.
func TestStoppingLeavesNothingHalfDone(t *testing.T) {
	// given a server with everything under way: commands, an import, an upload, a stream
	s := startServer(t, t.TempDir(), "--drain", "1s", "--grace", "30s")
	const commands = 3000
	lines := strings.SplitAfter(newWorkload(commands).chunk(0, commands, commands), "\n")
	half := len(lines) / 2
	rest, imported := s.importing(t, strings.Join(lines[:half], ""))
	more, uploaded := s.upload(t)
	stream := s.subscribe(t, "--from", "now")
	load := s.write(8)
	require.Eventually(t, func() bool { return load.count() > 200 && s.status(t).LastSeq > 1000 }, 60*time.Second, 10*time.Millisecond)

	// when it is told to stop
	s.signal(t)
	// then it says so, and still takes what comes
	answer, err := s.ask("POST", "/v1/commands/register-party", `{"party":"late","title":{"en":"Late"},"kind":"other"}`)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	assert.Equal(t, http.StatusCreated, answer.StatusCode)
	assert.True(t, answer.Close, "the next request shall look for another server")
	backup, err := s.ask("GET", "/v1/backup", "")
	require.NoError(t, err)
	// and what is under way when nobody new is let in comes to its end
	load.all.Wait() // as no connection is taken any more
	_, err = io.WriteString(rest, strings.Join(lines[half:], ""))
	require.NoError(t, err)
	require.NoError(t, rest.Close())
	assert.Regexp(t, `^0 \d+ lines read`, <-imported)
	_, err = io.WriteString(more, evidenceTail)
	require.NoError(t, err)
	require.NoError(t, more.Close())
	assert.Contains(t, <-uploaded, "201 ")
	taken, err := io.Copy(io.Discard, backup.Body)
	require.NoError(t, err)
	assert.Positive(t, taken)
	require.NoError(t, s.cmd.Wait(), "the exit code of a server with nothing cut off")
	assert.Empty(t, load.other, "commands that were neither done nor broken off")
	require.Equal(t, exitDone, stream.stop(syscall.SIGTERM))

	// and afterwards everything is there, once
	have := partiesOf(t, s.dir)
	assert.Equal(t, 1, have["late"])
	for _, party := range load.acked {
		require.Equal(t, 1, have[party], party)
	}
	again := startServer(t, s.dir)
	hash := sha256.Sum256([]byte(evidenceHead + evidenceTail))
	_, code := again.run(t, nil, "evidence", "get", hex.EncodeToString(hash[:]), "--out", t.TempDir()+"/minutes")
	assert.Equal(t, exitDone, code)
	_, code = again.run(t, nil, "replay")
	assert.Equal(t, exitDone, code)
	again.stop(t, syscall.SIGTERM)
}

// partiesOf counts the events of each party in the log of a server that has ended.
func partiesOf(t *testing.T, dir string) map[string]int {
	t.Helper()
	found := map[string]int{}
	for _, rec := range logOf(t, dir) {
		if _, party, ok := strings.Cut(rec.Subject, ".party."); ok {
			found[party]++
		}
	}
	return found
}

// What outlasts the grace period is told to end: an import says how far it came, and
// nothing of what was being sent is kept.
func TestStoppingPastTheGracePeriod(t *testing.T) {
	// given an import and an upload of which the rest does not come
	s := startServer(t, t.TempDir(), "--grace", "200ms")
	const commands = 3000
	lines := strings.SplitAfter(newWorkload(commands).chunk(0, commands, commands), "\n")
	half := len(lines) / 2
	rest, imported := s.importing(t, strings.Join(lines[:half], ""))
	more, uploaded := s.upload(t)
	require.Eventually(t, func() bool { return s.status(t).LastSeq > 500 }, 60*time.Second, 10*time.Millisecond)

	// when the server is told to stop
	require.NoError(t, s.cmd.Process.Signal(syscall.SIGTERM))
	// then it waits no longer than it was told, and the exit code says that
	err := s.cmd.Wait()
	failed := (*exec.ExitError)(nil)
	require.ErrorAs(t, err, &failed)
	assert.Equal(t, exitFailed, failed.ExitCode())
	assert.Contains(t, s.log.String(), "2 requests took longer than --grace 200ms and were told to end")
	assert.Contains(t, <-uploaded, `"code":"stopping"`)
	said := <-imported
	m := regexp.MustCompile(`^1 (?s).*all up to number (\d+) is in the ledger, and nothing behind it.*code stopping`).FindStringSubmatch(said)
	require.NotNil(t, m, said)
	require.NoError(t, errors.Join(rest.Close(), more.Close()))

	// and the import is where it said: the same file, again, skips so many lines and adds the rest
	again := startServer(t, s.dir)
	out, code := again.run(t, strings.NewReader(strings.Join(lines, "")), "import", "--format", "jsonl", "-", "-o", "json")
	require.Equal(t, exitDone, code)
	var sum struct{ Skipped, Lines int }
	require.NoError(t, json.Unmarshal([]byte(out), &sum))
	assert.Equal(t, m[1], strconv.Itoa(sum.Skipped))
	hash := sha256.Sum256([]byte(evidenceHead))
	_, code = again.run(t, nil, "evidence", "get", hex.EncodeToString(hash[:]), "--out", t.TempDir()+"/minutes")
	assert.Equal(t, exitFailed, code, "half a file was kept")
	again.stop(t, syscall.SIGTERM)
}

// Who cannot wait says it twice.
func TestASecondSignalEndsAtOnce(t *testing.T) {
	s := startServer(t, t.TempDir(), "--drain", "10m")
	s.signal(t)
	begun := time.Now()
	require.NoError(t, s.cmd.Process.Signal(syscall.SIGTERM))
	err := s.cmd.Wait()
	failed := (*exec.ExitError)(nil)
	require.ErrorAs(t, err, &failed)
	assert.Equal(t, syscall.SIGTERM, failed.Sys().(syscall.WaitStatus).Signal())
	assert.Less(t, time.Since(begun), 10*time.Second)
}

// A stream that ends with the server says so, and when to come back: not all of them
// in the same moment.
func TestStreamsOfAServerThatStops(t *testing.T) {
	s := startServer(t, t.TempDir())
	req, err := http.NewRequest("GET", s.url+"/v1/events", nil)
	require.NoError(t, err)
	token, err := signin.ReadAdminToken(s.dir)
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Accept", "text/event-stream")
	answer, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { _ = answer.Body.Close() }()
	in := bufio.NewReader(answer.Body)
	_, err = in.ReadString('\n') // it is open
	require.NoError(t, err)
	s.stop(t, syscall.SIGTERM)
	rest, err := io.ReadAll(in)
	require.NoError(t, err, "a stream that was cut off")
	assert.Regexp(t, `retry: [2-5]\d{3}\nevent: closing\ndata: {"after":0,"detail":"The server stops[^\n]*}\n\n$`, string(rest))
}

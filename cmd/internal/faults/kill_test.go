package faults_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
)

// Killed at any moment, also while it starts, under commands, an import, a
// rebuild and an upload of evidence, the ledger keeps what it acknowledged, once,
// and shows nothing torn: a command with all of its events or none, a batch of an
// import whole or not at all.
func TestKilledUnderLoad(t *testing.T) {
	kills := thorough(t, 4, 200)
	const seed = 2026
	rng := rand.New(rand.NewPCG(seed, 1<<32))
	p := newPromises()
	f := &imports{}
	seen := &audit{promises: p, whole: 50}

	// given a server under load
	s := serve(t, t.TempDir())
	l := startLoad(t, p, seed, 8, s)
	for kill := range kills {
		t.Logf("%s kill %d: %d acknowledged, %d events", time.Now().Format(time.TimeOnly), kill, p.count(), len(seen.log))
		imported, settle := f.begin(t, s)
		ended := besides(t, s, p, rng)
		// when it is killed at some moment, after many more commands or few,
		more := p.count() + rng.IntN(1<<rng.IntN(9))
		if rng.IntN(4) == 0 {
			<-imported
		}
		require.Eventually(t, func() bool { return p.count() >= more }, time.Minute, time.Millisecond)
		s.kill()
		settle()
		ended()
		// and at times again as it starts, or what makes the read models again beside it
		for rng.IntN(3) == 0 {
			args := []string{"serve", "--data", s.dir, "--listen", "127.0.0.1:0"}
			if rng.IntN(2) == 0 {
				args = []string{"rebuild", "--data", s.dir}
			}
			again, err := start(here(), s.dir, nil, args...)
			require.NoError(t, err)
			<-time.After(time.Duration(rng.IntN(1000)) * time.Millisecond)
			again.kill()
		}
		s = serve(t, s.dir)
		l.to(s)
		// then all that was acknowledged is there, and nothing in part
		seen.requireKept(t, s)
		f.requireWhole(t, seen.log)
		l.requireNoFault(t)
		if kill%50 == 4 {
			s.requireReplay(t)
		}
	}
	l.stop(t)
	seen.log = nil // to be read again from its beginning
	seen.requireKept(t, s)
	f.requireWhole(t, seen.log)
	s.requireFiles(t, p)
	out, errs, code := s.run(t, nil, "rebuild")
	assert.Zero(t, code, errs)
	assert.Contains(t, out, "identical")
	s.stop(t)
	assert.Len(t, readModels(t, s.dir), 1, "what was being made when it was killed is left over")
	t.Logf("%d kills: %d events, %d commands and %d files acknowledged, %d files of commands imported; answers: %v", kills, len(seen.log), p.count(), len(p.files), f.done, l.tally())
}

func readModels(t *testing.T, dir string) []string {
	files, err := filepath.Glob(filepath.Join(dir, "read-v*"))
	require.NoError(t, err)
	return files
}

// audit holds what is in the log to what was promised. It remembers the log, and
// reads it from its beginning only now and then.
type audit struct {
	promises *promises
	whole    int // how often it takes what it remembers for what is there
	turn     int
	log      []logged
	files    *promises // those that were got
}

func (a *audit) requireKept(t *testing.T, s *server) {
	t.Helper()
	promised := a.promises.copy() // before the log is read: more is acknowledged meanwhile
	if a.turn++; a.turn%a.whole == 0 {
		a.log = nil
	}
	a.log = append(a.log, s.eventsAfter(t, uint64(len(a.log)))...)
	promised.requireKept(t, a.log)
	if a.files != nil {
		for hash := range a.files.files {
			delete(promised.files, hash)
		}
	}
	s.requireFiles(t, promised)
	a.files = a.promises.copy()
}

// imports are files of commands that are imported one after the other, each as
// often as it takes.
type imports struct {
	done int // files
}

const (
	batchLines = 1000 // as many commands of one event as an atomic batch takes
	fileLines  = 3 * batchLines
)

// begin has the next file imported, or what a kill has left of it. Imported is closed
// when that is done or has broken off, and settle says how.
func (f *imports) begin(t *testing.T, s *server) (imported <-chan struct{}, settle func()) {
	ended := make(chan struct{})
	var errs string
	var code int
	go func() {
		defer close(ended)
		_, errs, code = s.run(t, strings.NewReader(f.text()), "import", "--format", "jsonl", "-")
	}()
	return ended, func() {
		<-ended
		if code == 0 {
			f.done++
		} else {
			require.Regexp(t, noServer, errs)
		}
	}
}

// besides has files uploaded and, every other time, the read models made again.
// Ended waits for both once the server is gone.
func besides(t *testing.T, s *server, p *promises, rng *rand.Rand) (ended func()) {
	var g errgroup.Group
	files := rand.New(rand.NewPCG(rng.Uint64(), 0))
	g.Go(func() error {
		for range 3 {
			file := make([]byte, 1+files.IntN(1<<20))
			for i := range file {
				file[i] = byte(files.Uint32())
			}
			a, err := s.attach(t.Context(), p, file)
			if a.status == 0 {
				return nil
			}
			if err != nil || !a.done() {
				return fmt.Errorf("an upload was answered %d: %s (%w)", a.status, a.body, err)
			}
		}
		return nil
	})
	if rng.IntN(2) == 0 {
		g.Go(func() error {
			out, errs, code := s.run(t, nil, "rebuild")
			if code == 0 && strings.Contains(out, "identical") || code != 0 && noServer.MatchString(errs) {
				return nil
			}
			return fmt.Errorf("a rebuild ended with %d: %s%s", code, out, errs)
		})
	}
	return func() { require.NoError(t, g.Wait()) }
}

// noServer is what a client says whose server is there no more.
var noServer = regexp.MustCompile("broke off|no server answers")

// text is the file that is to be imported next.
func (f *imports) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, `{"command":"register-party","party":"import-%d","title":{"en":"Imported"},"kind":"other"}`+"\n", f.done)
	for i := 1; i < fileLines; i++ {
		fmt.Fprintf(&b, `{"command":"change-party","party":"import-%d","title":{"en":"Line %d"}}`+"\n", f.done, i)
	}
	return b.String()
}

// requireWhole requires of each batch of the files that its events are all there,
// in order and side by side, or none.
func (f *imports) requireWhole(t *testing.T, log []logged) {
	t.Helper()
	lines := 0
	for _, e := range log {
		if !strings.HasPrefix(e.Event.Subject, "party/import-") {
			require.Zero(t, lines%batchLines, "the batch before sequence %d is in the log in part", e.Seq)
			continue
		}
		require.Equal(t, fmt.Sprintf("party/import-%d", lines/fileLines), e.Event.Subject, "sequence %d", e.Seq)
		if line := lines % fileLines; line > 0 {
			require.Equal(t, fmt.Sprintf("Line %d", line), e.Event.Data.Title["en"], "sequence %d", e.Seq)
		}
		lines++
	}
	require.Zero(t, lines%batchLines, "the last batch is in the log in part")
	require.GreaterOrEqual(t, lines, f.done*fileLines)
}

package faults_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// makeFormer stamps the read models of a server that does not run as those of a
// former version, with which the next one has to serve until there are new ones.
func makeFormer(t *testing.T, dir string) {
	t.Helper()
	files := modelsIn(t, dir)
	require.NotEmpty(t, files)
	conn, err := sqlite.OpenConn(filepath.Join(dir, files[len(files)-1]), sqlite.OpenReadWrite)
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close()) }()
	require.NoError(t, sqlitex.Execute(conn, "UPDATE meta SET value = '0' WHERE name = 'projection'", nil))
	require.Equal(t, 1, conn.Changes())
}

var completeModels = regexp.MustCompile(`^read-v\d+-\d{6}\.db$`)

// modelsIn lists the complete files of read models in a data directory.
func modelsIn(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		if completeModels.MatchString(e.Name()) {
			names = append(names, e.Name())
		}
	}
	return names
}

// told is what status says of read models.
type told struct {
	Ready    bool
	LastSeq  uint64 `json:"last_seq"`
	Digest   string
	Build    struct{ State, Due, Why, Error string }
	Timezone string
}

// written is a file of commands for an import, which many authors said.
func written(t *testing.T, authors, each int) string {
	t.Helper()
	var b strings.Builder
	for n := range authors {
		a := newAuthor(2, uint64(100+n))
		for range each {
			said := a.speak()
			if said.file != nil { // a claim by a file, and its confirmation: files do not come with an import
				a.next = a.next[2:]
				continue
			}
			fmt.Fprintf(&b, `{"command":"%s",%s`+"\n", said.command, said.body[1:])
		}
	}
	name := filepath.Join(t.TempDir(), "said.jsonl")
	require.NoError(t, os.WriteFile(name, []byte(b.String()), 0o600))
	return name
}

// readPaths are questions about what the first author wrote.
var readPaths = []string{
	"/v1/agreements/w100-a1?",
	"/v1/agreements/w100-a1?as_of=seq:400",
	"/v1/agreements/w100-a1/projects?",
	"/v1/agreements/w100-a1/projects/base?",
	"/v1/agreements/w100-a1/projects?effective_at=2030-01-01&",
	"/v1/agreements?limit=20&",
	"/v1/parties?limit=50&",
	"/v1/changes?limit=20&agreement=w100-a1&",
}

// readers ask a server without a pause: each for what was written before it asks.
type readers struct {
	end   chan struct{}
	group sync.WaitGroup

	mu    sync.Mutex
	took  []time.Duration // since lap
	wrong []string
}

func startReaders(t *testing.T, s *server, p *promises, n int) *readers {
	r := &readers{end: make(chan struct{})}
	for i := range n {
		r.group.Go(func() { r.ask(t.Context(), s, p, rand.New(rand.NewPCG(3, uint64(i)))) })
	}
	return r
}

func (r *readers) ask(ctx context.Context, s *server, p *promises, rng *rand.Rand) {
	for seen := uint64(0); ; {
		select {
		case <-r.end:
			return
		default:
		}
		// What anybody was acknowledged before is in the answer, whichever file it is from.
		path := readPaths[rng.IntN(len(readPaths))]
		asOf := strings.Contains(path, "as_of")
		if !asOf {
			path += fmt.Sprintf("min_seq=%d", p.last())
		}
		start := time.Now()
		a, err := s.ask(ctx, "GET", path, nil)
		took := time.Since(start)
		var body struct {
			AsOf struct{ Seq uint64 } `json:"as_of"`
			To   struct{ Seq uint64 } // of changes
		}
		switch {
		case err != nil:
			r.note(took, fmt.Sprintf("%s: %v", path, err))
			return
		case a.status != http.StatusOK:
			r.note(took, fmt.Sprintf("%s: %d %s", path, a.status, a.body))
			return
		case asOf:
			r.note(took, "")
			continue
		}
		err = json.Unmarshal(a.body, &body)
		seq := max(body.AsOf.Seq, body.To.Seq)
		if err != nil || seq > 0 && seq < seen { // one thing by itself does not say
			r.note(took, fmt.Sprintf("%s: as of %d, after %d was seen: %v %s", path, seq, seen, err, a.body))
			return
		}
		seen = max(seen, seq)
		r.note(took, "")
	}
}

func (r *readers) note(took time.Duration, wrong string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.took = append(r.took, took)
	if wrong != "" {
		r.wrong = append(r.wrong, wrong)
	}
}

// lap is how long answers took since the last lap.
func (r *readers) lap() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	took := r.took
	r.took = nil
	slices.Sort(took)
	if len(took) == 0 {
		return "no answers"
	}
	at := func(q float64) time.Duration { return took[int(q*float64(len(took)-1))].Round(10 * time.Microsecond) }
	return fmt.Sprintf("%d answers, p50 %s, p99 %s, longest %s", len(took), at(.5), at(.99), at(1))
}

func (r *readers) stop(t *testing.T) {
	t.Helper()
	close(r.end)
	r.group.Wait()
	require.Empty(t, r.wrong)
}

// New read models are made and take the place of those of a former version while
// everybody asks and writes: nobody is refused, and nobody sees less than before.
func TestReadModelsSwitchUnderLoad(t *testing.T) {
	authors := thorough(t, 12, 400)
	const each = 500
	// given a server that starts with read models of a former version
	dir := t.TempDir()
	s := serve(t, dir)
	out, errs, code := s.run(t, nil, "import", written(t, authors, each))
	require.Zero(t, code, out+errs)
	s.stop(t)
	makeFormer(t, dir)
	start := time.Now()
	s = serve(t, dir)
	ready := time.Since(start)
	var status told
	s.get(t, "/v1/status", &status)
	assert.True(t, status.Ready)
	assert.Contains(t, status.Build.Due, "they are of version")

	// when everybody asks and writes until the new ones serve
	p := newPromises()
	l := startLoad(t, p, 1, 4, s)
	r := startReaders(t, s, p, 4)
	began := time.Now()
	require.Eventually(t, func() bool {
		s.get(t, "/v1/status", &status)
		return status.Build.Due == ""
	}, 5*time.Minute, 10*time.Millisecond)
	made := time.Since(began)
	during := r.lap()
	require.Equal(t, "done", status.Build.State)
	time.AfterFunc(max(made, 2*time.Second), func() { // as long again
		r.stop(t)
	})
	r.group.Wait()
	quiet := r.lap()
	l.stop(t)

	// then all were answered, by what the log says, and the former file is gone
	tally := l.tally()
	for outcome := range tally {
		assert.Contains(t, []string{"done", "again"}, outcome, "%v", tally)
	}
	p.requireKept(t, s.events(t))
	s.requireReplay(t)
	start = time.Now()
	out, errs, code = s.run(t, nil, "rebuild")
	alone := time.Since(start)
	require.Zero(t, code, out+errs)
	require.Contains(t, out, "identical")
	require.Eventually(t, func() bool { return len(modelsIn(t, dir)) == 1 && len(goneButOpen(t, s)) == 0 }, time.Minute, 10*time.Millisecond,
		"%v %v", modelsIn(t, dir), goneButOpen(t, s))
	s.get(t, "/v1/status", &status)
	t.Logf("%d events: ready after %s; made in %s under load, rebuilt and compared in %s without; %v commands\nwhile they were made: %s\nafterwards:           %s",
		status.LastSeq, ready.Round(time.Millisecond), made.Round(time.Millisecond), alone.Round(time.Millisecond), tally, during, quiet)
	s.stop(t)
}

// goneButOpen lists the files of read models that the server has open and that have
// no name any more.
func goneButOpen(t *testing.T, s *server) (names []string) {
	t.Helper()
	fds := fmt.Sprintf("/proc/%d/fd", s.process.Process.Pid)
	entries, err := os.ReadDir(fds)
	if err != nil {
		return nil // another system has it elsewhere
	}
	for _, e := range entries {
		if to, err := os.Readlink(filepath.Join(fds, e.Name())); err == nil && strings.Contains(to, "/read-v") && strings.HasSuffix(to, " (deleted)") {
			names = append(names, to)
		}
	}
	return names
}

// A server that is killed while new read models are made, at whatever it is then,
// starts with whole ones, and makes them again.
func TestKilledWhileReadModelsAreMade(t *testing.T) {
	times := thorough(t, 6, 100)
	dir := t.TempDir()
	s := serve(t, dir)
	out, errs, code := s.run(t, nil, "import", written(t, 8, 500))
	require.Zero(t, code, out+errs)
	p := newPromises()
	l := startLoad(t, p, 5, 4, s)
	rng := rand.New(rand.NewPCG(7, 7))
	left := map[string]int{}
	took := 2 * time.Second // of a build
	for i := range times {
		// given read models of a former version, of which new ones are made
		s.kill()
		names := modelsIn(t, dir)
		left[fmt.Sprintf("%d complete", len(names))]++
		require.NotEmpty(t, names, "round %d", i)
		makeFormer(t, dir)
		s = serve(t, dir)
		l.to(s)
		began := time.Now()
		// when the server is killed meanwhile, or a moment after
		if i%3 == 0 { // for once it gets to its end
			var status told
			require.Eventually(t, func() bool { s.get(t, "/v1/status", &status); return status.Build.Due == "" }, time.Minute, 5*time.Millisecond)
			took = time.Since(began)
			left["switched"]++
		} else {
			<-time.After(time.Duration(rng.Int64N(int64(took))))
		}
	}
	// then the next one serves whole ones, and nothing was lost
	s.kill()
	s = serve(t, dir)
	l.to(s)
	l.stop(t)
	var status told
	require.Eventually(t, func() bool {
		s.get(t, "/v1/status", &status)
		return status.Build.Due == "" && len(modelsIn(t, dir)) == 1
	}, time.Minute, 5*time.Millisecond)
	p.requireKept(t, s.events(t))
	s.requireFiles(t, p)
	s.requireReplay(t)
	out, errs, code = s.run(t, nil, "rebuild")
	require.Zero(t, code, out+errs)
	require.Contains(t, out, "identical")
	s.stop(t)
	t.Logf("%d kills of a build of %s: %v; %d commands kept", times, took.Round(time.Millisecond), left, p.count())
}

package faults_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// load is writers that keep one or several servers busy. Each is an author, which
// says the next thing when the last one was acknowledged: a command that is refused
// in a way that faults explain, or of which nothing is heard, is sent again under
// the same id, to any server that is there by then. So every other refusal is a
// fault of the ledger. One in ten commands that were acknowledged is sent once
// more, and has to get the same receipt.
type load struct {
	promises *promises
	servers  atomic.Pointer[[]*server]

	end     chan struct{} // closed: no writer begins anything more
	writers sync.WaitGroup
	cancel  context.CancelFunc

	mu     sync.Mutex
	counts map[string]int // answers: "done", "again", "cut", or the code of a refusal
	faults []error
	waits  []time.Duration // of each command and file, from when it was first sent until it was acknowledged
}

// explained are refusals that say: try again.
var explained = map[int]bool{
	http.StatusConflict:            true,
	http.StatusServiceUnavailable:  true,
	http.StatusInsufficientStorage: true,
}

// startLoad starts so many writers, whose seed makes them say the same each time.
func startLoad(t *testing.T, p *promises, seed uint64, writers int, servers ...*server) *load {
	ctx, cancel := context.WithCancel(t.Context())
	l := &load{promises: p, end: make(chan struct{}), cancel: cancel, counts: map[string]int{}}
	l.to(servers...)
	for n := range writers {
		w := &writer{load: l, author: newAuthor(seed, uint64(n)), rng: rand.New(rand.NewPCG(seed, uint64(1_000_000+n)))}
		l.writers.Go(func() { w.write(ctx) })
	}
	t.Cleanup(func() {
		cancel()
		l.writers.Wait()
	})
	return l
}

// to says which servers are asked from now on.
func (l *load) to(servers ...*server) { l.servers.Store(&servers) }

// stop has each writer end with what it is at acknowledged, and requires that
// nothing was refused without an explanation.
func (l *load) stop(t *testing.T) {
	t.Helper()
	close(l.end)
	late := time.AfterFunc(time.Minute, l.cancel)
	l.writers.Wait()
	require.True(t, late.Stop(), "writers were not done a minute after all was well again: %v", l.tally())
	l.requireNoFault(t)
}

// requireNoFault holds the ledger to what it has answered so far.
func (l *load) requireNoFault(t *testing.T) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	require.NoError(t, errors.Join(l.faults[:min(len(l.faults), 3)]...))
}

// tally is how often each answer was given.
func (l *load) tally() map[string]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.counts)
}

// waited says how long most of it took, and how long the slowest: where there was
// none to ask for a time, that time.
func (l *load) waited() (p99, longest time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	sorted := slices.Sorted(slices.Values(l.waits))
	return sorted[len(sorted)*99/100], sorted[len(sorted)-1]
}

func (l *load) note(outcome string, fault error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counts[outcome]++
	if fault != nil {
		l.faults = append(l.faults, fault)
	}
}

type writer struct {
	*load
	author *author
	rng    *rand.Rand // what it draws depends on answers, and the author must not
	sent   int
}

func (w *writer) write(ctx context.Context) {
	for {
		select {
		case <-w.end:
			return
		case <-ctx.Done():
			return
		default:
		}
		what := w.author.speak()
		w.sent++
		id := fmt.Sprintf("%s-%d", w.author.name, w.sent)
		if !w.insist(ctx, id, what, "done") {
			return
		}
		if what.file == nil && w.rng.IntN(10) == 0 && !w.insist(ctx, id, what, "again") {
			return
		}
	}
}

// insist says it until it is acknowledged, and counts that as outcome. It gives up
// when the test is over, or the ledger at fault.
func (w *writer) insist(ctx context.Context, id string, what said, outcome string) bool {
	begun := time.Now()
	for try := 0; ctx.Err() == nil; try++ {
		a, err := w.tell(ctx, id, what)
		switch {
		case a.status == 0 && ctx.Err() == nil:
			w.note("cut", nil)
		case a.status == 0:
		case err != nil:
			w.note("fault", err)
			return false
		case a.done():
			w.note(outcome, nil)
			w.mu.Lock()
			w.waits = append(w.waits, time.Since(begun))
			w.mu.Unlock()
			return true
		default:
			var problem struct{ Code string }
			_ = json.Unmarshal(a.body, &problem) // one without a code is counted as such
			if !explained[a.status] {
				w.note(problem.Code, fmt.Errorf("%s %s was answered %d: %s", id, what.command, a.status, a.body))
				return false
			}
			w.note(problem.Code, nil)
		}
		pause := time.NewTimer(time.Duration(1+w.rng.IntN(10*min(try+1, 20))) * time.Millisecond)
		select {
		case <-pause.C:
		case <-ctx.Done():
		}
	}
	return false
}

func (w *writer) tell(ctx context.Context, id string, what said) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second) // a server that is cut off may never answer
	defer cancel()
	servers := *w.servers.Load()
	s := servers[w.rng.IntN(len(servers))]
	if what.file != nil {
		return s.attach(ctx, w.promises, what.file)
	}
	a, err := s.command(ctx, w.promises, id, what.command, what.body)
	if n := w.promises.events(id); err == nil && a.done() && n != what.events {
		err = fmt.Errorf("%s %s made %d events, not %d: %s", id, what.command, n, what.events, a.body)
	}
	return a, err
}

package faults_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
)

// Offered ten times the commands that it can take, the ledger takes as many as it
// can, refuses the others early and says when to come again, goes on answering questions,
// needs no more memory than at other times, and is as fast as before when it is over.
func TestOverload(t *testing.T) {
	window := time.Duration(thorough(t, 5, 60)) * time.Second
	// given what it sustains
	s := serve(t, t.TempDir())
	o := &offer{server: s, promises: newPromises()}
	o.register(t)
	o.sustained(t, time.Second)
	before := o.sustained(t, window/4)

	// when ten times as many arrive, and somebody reads
	reads := o.read(t)
	flood := o.flood(t, 10*before.rate(), window)
	asked := reads()
	t.Logf("before:   %v", before)
	t.Logf("overload: %v", flood)
	t.Logf("reads:    %v", asked)

	// then it does what it can, and the rest is refused: all in a way that says what to do
	assert.Empty(t, flood.faults)
	assert.Positive(t, flood.refused)
	assert.Greater(t, flood.rate(), before.rate()/5, "commands are still taken, on what those who ask have left of the processors")
	// and questions are answered
	assert.Empty(t, asked.faults)
	assert.NotEmpty(t, asked.took)
	// and memory is bounded: by a buffer for each of the connections, and for each command in the queue,
	// and by the ids of the commands of two minutes, which are kept to know them again
	peak, bound := s.memory(t, "VmHWM"), maxResident+perCommand*o.promises.count()
	t.Logf("memory:   at most %d MiB, of %d, with %d commands done", peak>>20, bound>>20, o.promises.count())
	assert.Less(t, peak, bound)

	// and when it is over it is as fast as before
	assert.Eventually(t, func() bool {
		after := o.sustained(t, window/4)
		t.Logf("after:    %v", after)
		return after.rate() > 0.7*before.rate() && after.percentile(50) < before.percentile(50)*3/2
	}, max(3*window, 30*time.Second), time.Millisecond)
	// and nothing that was acknowledged is lost
	o.promises.requireKept(t, s.events(t))
	s.stop(t)
}

const (
	maxResident = 512 << 20 // for a full queue and all of the connections
	perCommand  = 2 << 10   // and as much again until garbage is collected
	connections = 2000      // more than the queue has places
	steady      = 64        // writers whom it serves as fast as it can
	partyCount  = 4000      // of the ledger: what is kept of each in memory is not for the overload
)

// offer is commands that nobody waits with: each is another change of a party.
type offer struct {
	server   *server
	promises *promises
	count    atomic.Int64
}

// measured is what came of it.
type measured struct {
	window  time.Duration
	mu      sync.Mutex
	offered int
	took    []time.Duration // of those that were done
	refused int
	refusal []time.Duration
	retry   map[string]int // by what Retry-After said
	faults  []error
}

func (o *measured) rate() float64 { return float64(len(o.took)) / o.window.Seconds() }

func (o *measured) percentile(p int) time.Duration { return percentile(o.took, p) }

func percentile(took []time.Duration, p int) time.Duration {
	if len(took) == 0 {
		return 0
	}
	took = slices.Sorted(slices.Values(took))
	return took[len(took)*p/100]
}

func (o *measured) String() string {
	return fmt.Sprintf("%.0f/s done in %v (p50), %v (p99); %.0f/s offered, %.0f/s refused in %v (p50), %v (p99), with Retry-After %v",
		o.rate(), o.percentile(50), o.percentile(99), float64(o.offered)/o.window.Seconds(), float64(o.refused)/o.window.Seconds(),
		percentile(o.refusal, 50), percentile(o.refusal, 99), o.retry)
}

func (o *measured) note(a answer, err error, took time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	var problem struct{ Code string }
	switch {
	case err == nil && a.done():
		o.took = append(o.took, took)
		return
	case err == nil && a.status == http.StatusServiceUnavailable:
		err = json.Unmarshal(a.body, &problem)
		after, _ := strconv.Atoi(a.header.Get("Retry-After"))
		if err == nil && problem.Code == "overloaded" && after >= 1 && after <= 60 {
			o.refused++
			o.refusal = append(o.refusal, took)
			o.retry[strconv.Itoa(after)]++
			return
		}
	}
	if len(o.faults) < 3 {
		o.faults = append(o.faults, fmt.Errorf("%d: %s (%w)", a.status, a.body, err))
	}
}

// one sends one command.
func (o *offer) one(ctx context.Context, out *measured) {
	n := o.count.Add(1)
	begun := time.Now()
	a, err := o.server.command(ctx, o.promises, fmt.Sprintf("o%d", n), "change-party", fmt.Sprintf(`{"party":"o%d","title":{"en":"Party %d"}}`, n%partyCount, n))
	out.note(a, err, time.Since(begun))
}

// register makes the parties.
func (o *offer) register(t *testing.T) {
	var g errgroup.Group
	g.SetLimit(steady)
	for n := range partyCount {
		g.Go(func() error {
			_, err := o.server.do(t.Context(), o.promises, fmt.Sprintf("r%d", n), "register-party", fmt.Sprintf(`{"party":"o%d","title":{"en":"Party"},"kind":"other"}`, n))
			return err
		})
	}
	require.NoError(t, g.Wait())
}

// sustained is what comes of writers who wait for each answer.
func (o *offer) sustained(t *testing.T, window time.Duration) *measured {
	out := &measured{window: window, retry: map[string]int{}}
	var writers sync.WaitGroup
	for end, n := time.Now().Add(window), 0; n < steady; n++ {
		writers.Go(func() {
			for time.Now().Before(end) {
				o.one(t.Context(), out)
			}
		})
	}
	writers.Wait()
	out.offered = len(out.took)
	require.Empty(t, out.faults)
	return out
}

// flood is what comes of so many commands a second, whatever the answers are. They
// come on as many connections as it takes, up to a bound: beyond it they wait for one.
func (o *offer) flood(t *testing.T, rate float64, window time.Duration) *measured {
	out := &measured{window: window, retry: map[string]int{}}
	due := make(chan struct{}, int(rate*window.Seconds())+1)
	var senders sync.WaitGroup
	for range connections {
		senders.Go(func() {
			for range due {
				o.one(t.Context(), out)
			}
		})
	}
	begun := time.Now()
	every := time.NewTicker(time.Millisecond)
	defer every.Stop()
	for past := time.Duration(0); past < window; past = time.Since(begun) {
		for ; out.offered < int(rate*past.Seconds()); out.offered++ {
			due <- struct{}{}
		}
		<-every.C
	}
	for len(due) > 0 { // who waits for a connection gives up
		<-due
		out.offered--
	}
	close(due)
	senders.Wait()
	return out
}

// read has one reader ask one question after the other, until reads is called.
func (o *offer) read(t *testing.T) (reads func() *measured) {
	ctx, cancel := context.WithCancel(t.Context())
	out := &measured{retry: map[string]int{}}
	ended := make(chan struct{})
	begun := time.Now()
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			begun := time.Now()
			a, err := o.server.ask(t.Context(), "GET", "/v1/parties?limit=10", nil)
			out.note(a, err, time.Since(begun))
		}
	}()
	return func() *measured {
		cancel()
		<-ended
		out.window, out.offered = time.Since(begun), len(out.took)
		return out
	}
}

// memory is a figure that the kernel has of the process, in bytes.
func (s *server) memory(t *testing.T, figure string) int {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.process.Process.Pid))
	require.NoError(t, err)
	_, rest, found := strings.Cut(string(b), figure+":")
	require.True(t, found, figure)
	kb, err := strconv.Atoi(strings.Fields(rest)[0])
	require.NoError(t, err)
	return kb << 10
}

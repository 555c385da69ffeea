package faults_test

import (
	"context"
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"
)

// change is a command that changes a party, under an idempotency key: one that is
// conditional expects a version.
type change struct {
	party  string
	key    string
	expect uint64 // 0: whatever it is
}

// verdict is what a change was answered: done at a version, or refused because the
// party is at another one.
type verdict struct {
	known   bool // false: nobody knows whether it is done, or will be
	done    bool
	version uint64
}

// partyState is the sequential specification of a party: the version that it is at, and
// which key made which version. The beginning, nil, is version 1.
type partyState struct {
	before  *partyState
	key     string
	version uint64
	hash    uint64 // of all keys so far
}

var hashSeed = maphash.MakeSeed()

func (p *partyState) at() uint64 {
	if p == nil {
		return 1
	}
	return p.version
}

func (p *partyState) with(key string) *partyState {
	next := &partyState{before: p, key: key, version: p.at() + 1}
	if p != nil {
		next.hash = p.hash
	}
	next.hash = maphash.String(hashSeed, strconv.FormatUint(next.hash, 36)+key)
	return next
}

// made is the version that a key made.
func (p *partyState) made(key string) (uint64, bool) {
	for ; p != nil; p = p.before {
		if p.key == key {
			return p.version, true
		}
	}
	return 0, false
}

// step says whether the party may answer a change so, and what it is then.
func (p *partyState) step(c change, o verdict) (bool, *partyState) {
	if made, again := p.made(c.key); again {
		return !o.known || o.done && o.version == made, p
	}
	fits := c.expect == 0 || c.expect == p.at()
	switch {
	case fits && (!o.known || o.done && o.version == p.at()+1):
		return true, p.with(c.key)
	case !fits && (!o.known || !o.done && o.version == p.at()):
		return true, p
	}
	return false, p
}

var parties = porcupine.Model{
	Partition: func(history []porcupine.Operation) (parts [][]porcupine.Operation) {
		of := map[string]int{}
		for _, op := range history {
			name := op.Input.(change).party
			n, ok := of[name]
			if !ok {
				n = len(parts)
				of[name], parts = n, append(parts, nil)
			}
			parts[n] = append(parts[n], op)
		}
		return parts
	},
	Init: func() any { return (*partyState)(nil) },
	Step: func(state, input, output any) (bool, any) {
		return state.(*partyState).step(input.(change), output.(verdict))
	},
	Equal: func(a, b any) bool {
		p, q := a.(*partyState), b.(*partyState)
		return p.at() == q.at() && (p == nil || p.hash == q.hash)
	},
}

// replica carries out a change, or knows not whether it did.
type replica func(ctx context.Context, c change) verdict

// history is what clients asked of replicas, and when each was answered.
type history struct {
	mu      sync.Mutex
	begun   time.Time
	ops     []porcupine.Operation
	stopped chan struct{}
	clients sync.WaitGroup
}

const (
	clients     = 6
	partyNumber = 3
)

func partyName(n int) string { return fmt.Sprintf("lin-%d", n) }

// record has clients change parties until stop, each of its own mind: half of the
// changes expect the version that the client knows of last, and half are sent to
// two replicas at once. One of which nobody knows whether it is done is sent again
// under its key, to any replica, so many times.
func record(t *testing.T, seed uint64, tries int, replicas ...replica) *history {
	h := &history{begun: time.Now(), stopped: make(chan struct{})}
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(func() { cancel(); h.clients.Wait() })
	for n := range clients {
		c := &client{history: h, number: n, rng: rand.New(rand.NewPCG(seed, uint64(n))), replicas: replicas, tries: tries, knows: map[string]uint64{}}
		h.clients.Go(func() { c.run(ctx) })
	}
	return h
}

func (h *history) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.ops)
}

// stop ends the clients, when each knows what became of its last change.
func (h *history) stop() []porcupine.Operation {
	close(h.stopped)
	h.clients.Wait()
	return h.ops
}

// requireLinearizable holds a history against the specification.
func requireLinearizable(t *testing.T, ops []porcupine.Operation, want porcupine.CheckResult) {
	t.Helper()
	var done, refused, unknown int
	for _, op := range ops {
		switch o := op.Output.(verdict); {
		case !o.known:
			unknown++
		case o.done:
			done++
		default:
			refused++
		}
	}
	begun := time.Now()
	result := porcupine.CheckOperationsTimeout(parties, ops, time.Minute)
	t.Logf("%d done, %d refused, %d unknown; checked in %v: %s", done, refused, unknown, time.Since(begun).Round(time.Millisecond), result)
	require.NotZero(t, done)
	require.True(t, refused > 0 || want != porcupine.Ok, "nothing was refused, so nothing was at stake")
	require.Equal(t, want, result)
}

type client struct {
	*history
	number   int
	rng      *rand.Rand
	replicas []replica
	tries    int
	knows    map[string]uint64 // versions
	sent     int
}

func (c *client) run(ctx context.Context) {
	for {
		select {
		case <-c.stopped:
			return
		case <-ctx.Done():
			return
		default:
		}
		c.sent++
		next := change{party: partyName(c.rng.IntN(partyNumber)), key: fmt.Sprintf("lin-%d-%d", c.number, c.sent)}
		if c.rng.IntN(2) == 0 {
			next.expect = max(c.knows[next.party], 1)
			c.insist(ctx, next, c.replicas[c.rng.IntN(len(c.replicas))])
			continue
		}
		var both sync.WaitGroup
		for _, r := range c.replicas {
			both.Go(func() { c.insist(ctx, next, r) })
		}
		both.Wait()
	}
}

// insist sends a change until it is known what became of it, first to a replica
// and then to any.
func (c *client) insist(ctx context.Context, next change, to replica) {
	called := time.Since(c.begun)
	o := to(ctx, next)
	for try := 1; !o.known && try < c.tries && ctx.Err() == nil; try++ {
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
		}
		o = c.replicas[try%len(c.replicas)](ctx, next)
	}
	returned := time.Since(c.begun)
	if !o.known {
		returned = time.Hour // it may be done at any time yet
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ops = append(c.ops, porcupine.Operation{ClientId: c.number, Input: next, Output: o, Call: int64(called), Return: int64(returned)})
	if o.known {
		c.knows[next.party] = max(c.knows[next.party], o.version)
	}
}

package eventstore

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
)

// The committer groups appends. An atomic batch syncs its messages to disk
// once, but costs some plain publishes before its first message, because the
// server makes a file store for the staging and removes it: five to eleven
// where that is on disk, three to four in memory. Plain publishes go one behind
// the other without waiting for the answers. Up to where the two are equal, as
// measured, appends are published plainly, more share a batch.
const (
	singlesOnDisk   = 10
	singlesInMemory = 3

	// The server commits one batch after the other. A second one under way
	// waits there for the first, and saves the way there and back in between;
	// but while it grows here it costs less, so it flies when it has as many
	// messages as the first, or is full.
	maxBatches = 2

	// How long to wait for company after a shared commit, at most: a part of
	// the time the commit took, see gathering.
	gatherPart = 2

	// maxBatchBytes bounds a shared batch; a single append may exceed it.
	maxBatchBytes = 8 << 20

	// Retries of what was certainly not written: batches the server had no
	// room for (10176, 10210), and publishes that met no leader.
	maxAttempts  = 6
	firstBackoff = 20 * time.Millisecond

	// maxTips bounds the memory of last known sequences.
	maxTips = 1 << 16
)

// committer owns the order in which appends are sent. One goroutine runs loop
// and owns all fields of the second group; everybody else hands work over
// through the first.
type committer struct {
	wire       *wire
	log        *slog.Logger
	observe    func(AppendStats)
	staging    *staging
	tail       *tail
	maxPending int
	wake       chan struct{} // room for one
	ended      chan struct{} // closed when loop has returned

	acknowledged atomic.Uint64 // the last sequence that an append was told

	mu       sync.Mutex
	incoming []*request
	landed   []*flight
	again    []*flight // waited out their backoff
	pending  int       // submitted and not yet sent, nor abandoned
	closed   bool

	ready    []*request            // hold all their subjects, in order of arrival
	messages int                   // in ready
	solo     []*request            // like ready, but each to be sent alone
	busy     map[string][]*request // subjects of ready and flying requests, and who waits for each
	parked   int                   // how many wait in busy
	singles  int                   // plain publishes flying
	batches  int                   // batches flying
	aboard   int                   // messages in them
	backoff  int                   // flights waiting to be sent again
	tips     map[string]uint64

	company   int // appends worth waiting for until gatherEnd
	gatherEnd time.Time
	gather    *time.Timer
}

func startCommitter(nc *nats.Conn, cfg Config, log *slog.Logger, staging *staging, tail *tail) (*committer, error) {
	c := &committer{
		log:        log,
		observe:    cfg.Observe,
		staging:    staging,
		tail:       tail,
		maxPending: cfg.MaxPending,
		wake:       make(chan struct{}, 1),
		ended:      make(chan struct{}),
		busy:       make(map[string][]*request),
		tips:       make(map[string]uint64),
	}
	w, err := newWire(nc, c.land)
	if err != nil {
		return nil, err
	}
	c.wire = w
	go c.loop()
	return c, nil
}

// submit queues a request, or says why not.
func (c *committer) submit(r *request) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return ErrClosed
	}
	if c.pending >= c.maxPending {
		return ErrOverloaded
	}
	c.pending++
	c.incoming = append(c.incoming, r)
	c.poke()
	return nil
}

// left counts a request out that was sent, or abandoned by its caller.
func (c *committer) left() {
	c.mu.Lock()
	c.pending--
	c.mu.Unlock()
}

// land is called by the wire. Who waits for an append is told at once; the
// committer learns of it afterwards, unless there is more to do.
func (c *committer) land(f *flight) {
	c.tail.landed(f)
	if f.err == nil && !f.duplicate {
		for last := f.first + uint64(f.messages) - 1; ; {
			known := c.acknowledged.Load()
			if known >= last || c.acknowledged.CompareAndSwap(known, last) {
				break
			}
		}
		f.succeed()
	}
	c.mu.Lock()
	c.landed = append(c.landed, f)
	c.poke()
	c.mu.Unlock()
}

func (c *committer) disconnected() { c.wire.lost(nats.ErrDisconnected) }

// singlesLimit is how many messages are published plainly at once, at most.
func (c *committer) singlesLimit() int {
	if c.staging.memory.Load() {
		return singlesInMemory
	}
	return singlesOnDisk
}

func (c *committer) poke() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// close takes no more appends, and returns when those it has are settled.
func (c *committer) close() {
	c.mu.Lock()
	c.closed = true
	c.poke()
	c.mu.Unlock()
	<-c.ended
	_ = c.wire.sub.Unsubscribe()
}

func (c *committer) loop() {
	defer close(c.ended)
	for range c.wake {
		c.mu.Lock()
		landed, again, incoming, closed := c.landed, c.again, c.incoming, c.closed
		c.landed, c.again, c.incoming = nil, nil, nil
		c.mu.Unlock()

		for _, f := range landed {
			c.settle(f)
		}
		for _, f := range again {
			c.backoff--
			c.fly(f)
		}
		for _, r := range incoming {
			c.admit(r)
		}
		c.launch()

		idle := len(c.ready)+len(c.solo) == 0 && c.parked == 0 && c.singles+c.batches+c.backoff == 0
		if closed && idle {
			return
		}
	}
}

// admit gives a request its subjects if they are free, and otherwise lets it
// wait for the first one that is not.
func (c *committer) admit(r *request) {
	for _, s := range r.subjects {
		if waiting, taken := c.busy[s]; taken {
			c.busy[s] = append(waiting, r)
			c.parked++
			return
		}
	}
	stale := false
	for i, s := range r.subjects {
		c.busy[s] = nil
		tip, known := c.tips[s]
		stale = stale || known && tip != r.expect[i]
	}
	// A request which is bound to conflict must not spoil a batch. The server
	// still decides: this store is not the only writer there may be.
	if stale {
		c.solo = append(c.solo, r)
		return
	}
	c.ready = append(c.ready, r)
	c.messages += len(r.msgs)
}

// release frees the subjects of a request that is over.
func (c *committer) release(r *request) {
	var waiting []*request
	for _, s := range r.subjects {
		waiting = append(waiting, c.busy[s]...)
		delete(c.busy, s)
	}
	for _, w := range waiting {
		c.parked--
		c.admit(w)
	}
}

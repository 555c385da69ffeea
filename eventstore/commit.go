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

	// maxBatchBytes bounds a shared batch; a single append may exceed it.
	maxBatchBytes = 8 << 20

	// Retries of what was certainly not written: batches the server had no
	// room for (10176, 10210), and publishes that met no leader.
	maxAttempts  = 6
	firstBackoff = 20 * time.Millisecond

	// maxTips bounds the memory of last known sequences.
	maxTips = 1 << 16
)

// committer owns the order in which appends are sent. Work is handed over through
// the fields of the first group; one goroutine at a time works, see run, and owns
// those of the second.
type committer struct {
	wire       *wire
	log        *slog.Logger
	observe    func(AppendStats)
	staging    *staging
	tail       *tail
	maxPending int
	end        sync.Once
	ended      chan struct{} // closed when it is closed and nothing is left to do

	acknowledged atomic.Uint64 // the last sequence that an append was told

	mu       sync.Mutex
	incoming []*request
	landed   []*flight
	again    []*flight // waited out their backoff
	pending  int       // submitted and not yet sent, nor abandoned
	closed   bool
	working  bool
	due      bool // there is something to do since the one who works has begun

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

	gather gather
}

func startCommitter(nc *nats.Conn, cfg Config, log *slog.Logger, staging *staging, tail *tail) (*committer, error) {
	c := &committer{
		log:        log,
		observe:    cfg.Observe,
		staging:    staging,
		tail:       tail,
		maxPending: cfg.MaxPending,
		ended:      make(chan struct{}),
		busy:       make(map[string][]*request),
		tips:       make(map[string]uint64),
	}
	w, err := newWire(nc, c.land)
	if err != nil {
		return nil, err
	}
	c.wire = w
	return c, nil
}

// submit queues a request, or says why not.
func (c *committer) submit(r *request) error {
	c.mu.Lock()
	err := error(nil)
	switch {
	case c.closed:
		err = ErrClosed
	case c.pending >= c.maxPending:
		err = ErrOverloaded
	default:
		c.pending++
		c.incoming = append(c.incoming, r)
	}
	c.mu.Unlock()
	if err == nil {
		c.step()
	}
	return err
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
	c.mu.Unlock()
	c.step()
}

func (c *committer) disconnected() { c.wire.lost(nats.ErrDisconnected) }

// singlesLimit is how many messages are published plainly at once, at most.
func (c *committer) singlesLimit() int {
	if c.staging != nil && c.staging.memory.Load() {
		return singlesInMemory
	}
	return singlesOnDisk
}

// close takes no more appends, and returns when those it has are settled.
func (c *committer) close() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.run()
	<-c.ended
	_ = c.wire.sub.Unsubscribe()
}

// step is run, on a goroutine of its own where the server is an external one: a
// connection over which nothing goes would hold up the caller, who has a context.
func (c *committer) step() {
	if c.staging == nil {
		go c.run()
		return
	}
	c.run()
}

// run does what there is to do, unless somebody is at it, who then does that as well.
// It is called by whoever has brought something: a goroutine of the committer's own
// would have to be woken for every append, and what comes while this one works is for
// another, as it has a caller to go back to.
func (c *committer) run() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.due = true
	if c.working {
		return
	}
	c.working, c.due = true, false
	landed, again, incoming := c.landed, c.again, c.incoming
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
	c.mu.Lock()

	c.working = false
	switch {
	case c.due:
		go c.run()
	case c.closed && idle:
		c.end.Do(func() { close(c.ended) }) // a timer may come later
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

package feed

import (
	"context"
	"slices"
	"sort"
	"sync"

	"github.com/milepost-ledger/milepost/projections"
)

// The ring holds so much that a reader who is busy for a moment need not
// query. It is bounded twice, since events may be as long as 1 MiB.
const (
	ringEvents = 4096
	ringBytes  = 8 << 20
)

// hub reads what is new in models and keeps the last of it for the readers at
// the tail. One goroutine writes; readers take what they have not seen.
type hub struct {
	log     Log
	models  *projections.Models
	readers int // guarded by Feed.mu
	stop    context.CancelFunc
	done    chan struct{} // closed when the goroutine has ended

	mu    sync.Mutex
	ring  []Event // all that models show after low, up to and with high; only ever appended to or replaced
	bytes int     // of the ring's data
	low   uint64
	high  uint64
	err   error         // why the hub has ended
	moved chan struct{} // closed when high moves or the hub ends
}

// startHub begins at the present end of models.
func startHub(log Log, models *projections.Models) *hub {
	at := models.Position().Seq
	ctx, stop := context.WithCancel(context.Background())
	h := &hub{log: log, models: models, stop: stop, done: make(chan struct{}), low: at, high: at, moved: make(chan struct{})}
	go func() {
		defer close(h.done)
		h.end(h.run(ctx))
	}()
	return h
}

// run follows models until ctx ends or they fail.
func (h *hub) run(ctx context.Context) error {
	for at := h.high; ; { // only this goroutine moves high
		if err := h.models.Wait(ctx, at+1); err != nil {
			return errOr(ctx, err)
		}
		to := h.models.Position().Seq
		if to <= at {
			continue // they are being made anew, and Wait waits for that
		}
		for at < to {
			chunk, err := read(ctx, h.log, h.models, Filter{}, at, to)
			if err != nil {
				return errOr(ctx, err)
			}
			at = chunk.UpTo
			h.publish(chunk)
		}
	}
}

// errOr is ctx's error once it has ended, whatever that led to; else err.
func errOr(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

func (h *hub) publish(c Chunk) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ring = append(h.ring, c.Events...)
	for i := range c.Events {
		h.bytes += len(c.Events[i].Data)
	}
	h.high = c.UpTo
	if len(h.ring) > ringEvents || h.bytes > ringBytes {
		h.shorten()
	}
	h.wake()
}

// shorten drops the older half, or as much as the bound of bytes takes. What
// stays is copied: readers may still look at the former ring.
func (h *hub) shorten() {
	drop := max(0, len(h.ring)-ringEvents/2)
	for _, e := range h.ring[:drop] {
		h.bytes -= len(e.Data)
	}
	for h.bytes > ringBytes/2 {
		h.bytes -= len(h.ring[drop].Data)
		drop++
	}
	h.low = h.ring[drop-1].Seq
	h.ring = slices.Clone(h.ring[drop:])
}

// wake lets go of all that wait; h.mu is held.
func (h *hub) wake() {
	close(h.moved)
	h.moved = make(chan struct{})
}

func (h *hub) end(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.err = err
	h.wake()
}

func (h *hub) ended() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.err != nil
}

// next waits for something after a sequence and returns it: from the ring, or
// for a reader that is behind it by a query.
func (h *hub) next(ctx context.Context, filter Filter, after uint64) (Chunk, error) {
	for {
		if ctx.Err() != nil {
			return Chunk{}, ctx.Err()
		}
		h.mu.Lock()
		ring, low, high, err, moved := h.ring, h.low, h.high, h.err, h.moved
		h.mu.Unlock()
		switch {
		case after < low:
			// low is the models' own end or was published, so they have reached it.
			chunk, err := read(ctx, h.log, h.models, filter, after, low)
			if err != nil {
				return Chunk{}, errOr(ctx, err)
			}
			return chunk, nil
		case after < high:
			first := sort.Search(len(ring), func(i int) bool { return ring[i].Seq > after })
			return Chunk{Events: filter.of(slices.Clip(ring[first:])), UpTo: high}, nil
		case err != nil:
			return Chunk{}, err
		}
		select {
		case <-moved:
		case <-ctx.Done():
		}
	}
}

package eventstore

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// errSpanDone ends a feed whose span was read to its end.
var errSpanDone = errors.New("eventstore: span done")

// feed hands records from the consumer's goroutine to the reader's, as many
// at a time as there are.
type feed struct {
	span span

	mu    sync.Mutex
	buf   []Record
	err   error
	space sync.Cond     // there is room in buf, or err is set
	ready chan struct{} // room for one: there is something to take

	putting sync.Mutex // one put at a time: a reset consumer's first may meet the old one's last
	next    uint64     // guarded by putting
	batch   batchCheck // guarded by putting
}

func newFeed(sp span) *feed {
	f := &feed{span: sp, next: sp.from, ready: make(chan struct{}, 1)}
	f.space.L = &f.mu
	return f
}

// put is called by the consumer for every message, in order. It blocks when
// the reader is behind, which in turn stops the server from sending more.
func (f *feed) put(m jetstream.Msg) {
	f.putting.Lock()
	defer f.putting.Unlock()
	rec, err := delivered(m)
	if f.span.headers {
		rec.Headers = m.Headers()
	}
	if err == nil {
		err = f.check(rec.Seq, placeOf(m.Headers()))
	}
	beyond := f.span.to != 0 && rec.Seq > f.span.to
	if err == nil && f.span.to != 0 && rec.Seq >= f.span.to {
		err = errSpanDone
		if id := f.batch.open(); f.span.whole && id != "" {
			err = &TornBatchError{Batch: id, Seq: rec.Seq}
		}
	}

	f.mu.Lock()
	defer f.mu.Unlock()
	for len(f.buf) >= chunkMax && f.err == nil {
		f.space.Wait()
	}
	if f.err != nil {
		return
	}
	if err == nil || errors.Is(err, errSpanDone) && !beyond {
		f.buf = append(f.buf, rec)
	}
	f.err = err
	if len(f.buf) == 1 || err != nil { // else the reader was told before
		f.signal()
	}
}

// check asserts that nothing is missing before seq.
func (f *feed) check(seq uint64, place batchPlace) error {
	if f.span.filter != "" {
		if seq < f.next {
			return &GapError{Want: f.next, Got: seq}
		}
		f.next = seq + 1
		return nil
	}
	if seq != f.next {
		return &GapError{Want: f.next, Got: seq}
	}
	f.next++
	return f.batch.check(seq, place)
}

func (f *feed) signal() {
	select {
	case f.ready <- struct{}{}:
	default:
	}
}

func (f *feed) end(err error) {
	f.mu.Lock()
	if f.err == nil {
		if err == nil {
			err = errSpanDone
		}
		f.err = err
	}
	f.space.Broadcast()
	f.signal()
	f.mu.Unlock()
}

// errStalled says that nothing came for as long as a reader is patient.
var errStalled = fmt.Errorf("%w: a reader gets nothing", ErrUnavailable)

// take waits for records and returns all there are, with the error that ends
// the feed after them; errStalled when it is to be patient for some time, and nothing
// comes.
func (f *feed) take(ctx context.Context, closing <-chan struct{}, patience time.Duration) ([]Record, error) {
	var stalled <-chan time.Time
	if patience > 0 {
		timer := time.NewTimer(patience)
		defer timer.Stop()
		stalled = timer.C
	}
	for {
		select {
		case <-f.ready:
		case <-stalled:
			return nil, errStalled
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-closing:
			return nil, ErrClosed
		}
		f.mu.Lock()
		chunk, err := f.buf, f.err
		f.buf = make([]Record, 0, min(2*len(chunk)+1, chunkMax)) // the next is likely as long
		f.space.Signal()
		f.mu.Unlock()
		if len(chunk) > 0 || err != nil {
			return chunk, err
		}
	}
}

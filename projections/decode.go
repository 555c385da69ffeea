package projections

import (
	"context"
	"fmt"
	"iter"
	"sync"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/catalogue"
	"github.com/milepost-ledger/milepost/eventstore"
)

// decoded is a record and what its bytes say.
type decoded struct {
	rec   eventstore.Record
	env   domain.Envelope
	event domain.Event
	leaf  tlog.Hash // of the bytes
	err   error

	skipped bool       // it is out of a view's scope, and was not decoded
	of      domain.Key // then its agreement, "" for the ledger's
}

// idLength is that of a UUID in the form that has nothing around it.
const idLength = 36

// maxBatch is how many events are decoded, and committed, together at most.
const maxBatch = 1024

// decoders is how many batches are decoded at a time.
const decoders = 2

// batch is a piece of a chunk on its way through a decoder.
type batch struct {
	records []eventstore.Record
	events  []decoded // in room
	room    *[maxBatch]decoded
	err     error         // the end of the chunks
	done    chan struct{} // closed when events are decoded
}

// decode reads a record of the ledger whose events have that source.
func (d *decoded) decode(rec eventstore.Record, source string) {
	d.rec, d.leaf = rec, tlog.RecordHash(rec.Data)
	d.env, d.event, d.err = catalogue.Decode(rec.Data)
	switch {
	case d.err != nil:
	case d.env.Source != source:
		d.err = fmt.Errorf("its source is %q, not %q", d.env.Source, source)
	case len(d.env.ID) != idLength || uuid.Validate(d.env.ID) != nil:
		d.err = fmt.Errorf("its id %q is not a UUID", d.env.ID)
	}
}

// skip reports whether a record is out of scope.
func (d *decoded) skip(rec eventstore.Record, s *scope) bool {
	if d.of, d.skipped = s.skips(rec.Subject); d.skipped {
		d.rec = rec
	}
	return d.skipped
}

// sourceOf is the source of the events of a ledger.
func sourceOf(ledger string) string { return "/ledgers/" + ledger }

// decodeAhead decodes chunks off the goroutine that receives them and off the
// one that consumes them, and keeps their order. What it yields is valid until
// the loop's next turn. An error is the last thing yielded. The chunks are read
// with a context that ends with the loop. What a scope skips is not decoded; nil
// skips nothing.
func decodeAhead(ctx context.Context, source string, of *scope, read func(context.Context) iter.Seq2[[]eventstore.Record, error]) iter.Seq2[[]decoded, error] {
	return func(yield func([]decoded, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		var running sync.WaitGroup
		defer running.Wait()
		defer cancel()

		pool := sync.Pool{New: func() any { return new([maxBatch]decoded) }}
		inOrder := make(chan *batch, 2*decoders)
		work := make(chan *batch, 2*decoders)
		running.Go(func() {
			defer close(inOrder)
			defer close(work)
			send := func(b *batch) bool {
				for _, to := range []chan<- *batch{work, inOrder} {
					select {
					case to <- b:
					case <-ctx.Done():
						return false
					}
				}
				return true
			}
			for chunk, err := range read(ctx) {
				for len(chunk) > 0 && err == nil {
					n := min(len(chunk), maxBatch)
					if !send(&batch{records: chunk[:n], done: make(chan struct{})}) {
						return
					}
					chunk = chunk[n:]
				}
				if err != nil {
					send(&batch{err: err, done: make(chan struct{})})
					return
				}
			}
		})
		for range decoders {
			running.Go(func() {
				for b := range work {
					b.room = pool.Get().(*[maxBatch]decoded)
					b.events = b.room[:len(b.records)]
					for i, rec := range b.records {
						if d := &b.events[i]; of == nil || !d.skip(rec, of) {
							d.decode(rec, source)
						}
					}
					close(b.done)
				}
			})
		}
		for b := range inOrder {
			<-b.done // every batch in order was sent to work before
			if b.err != nil {
				yield(nil, b.err)
				return
			}
			if !yield(b.events, nil) {
				return
			}
			clear(b.events)
			pool.Put(b.room)
		}
	}
}

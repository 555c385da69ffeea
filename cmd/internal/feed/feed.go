package feed

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/eventstore"
	"github.com/milepost-ledger/milepost/projections"
)

// Log is where the stored bytes are; *eventstore.Store is one.
type Log interface {
	// Records yields the records at known sequences, in the order in which they
	// are given: of one subject, or of any where subject is "".
	Records(ctx context.Context, subject string, seqs []uint64) iter.Seq2[eventstore.Record, error]
}

var _ Log = (*eventstore.Store)(nil)

// pageLimit is how many events are read at a time.
const pageLimit = 200

// Feed hands out the events of one log.
type Feed struct {
	log Log

	mu   sync.Mutex
	hubs map[*projections.Models]*hub // those with readers
}

// New returns a feed of log. It needs no closing: what it runs, runs while
// somebody follows.
func New(log Log) *Feed {
	return &Feed{log: log, hubs: map[*projections.Models]*hub{}}
}

// Follow yields the events after a sequence that models show and filter lets
// through, and goes on with new ones, until the reader leaves. Chunks have
// growing UpTo, the first one beyond after; an after beyond the end of the log is
// waited for.
//
// An error is the last thing yielded: that of ctx when it ends,
// projections.ErrClosed when the models are closed, a *projections.BehindError when
// they have stopped following the log, or that of the log. Models that are
// made anew in their place (Rebuild) are followed as before; a view that has
// changed is other models, and the caller's to ask for.
func (f *Feed) Follow(ctx context.Context, models *projections.Models, filter Filter, after uint64) iter.Seq2[Chunk, error] {
	return func(yield func(Chunk, error) bool) {
		h := f.join(models)
		defer f.leave(models, h)
		for {
			chunk, err := h.next(ctx, filter, after)
			if err != nil {
				yield(Chunk{}, err)
				return
			}
			after = chunk.UpTo
			if !yield(chunk, nil) {
				return
			}
		}
	}
}

// join makes the caller a reader of the hub of models, which is started for the
// first one.
func (f *Feed) join(models *projections.Models) *hub {
	f.mu.Lock()
	defer f.mu.Unlock()
	h := f.hubs[models]
	if h == nil || h.ended() { // one that failed is no use to who comes now
		h = startHub(f.log, models)
		f.hubs[models] = h
	}
	h.readers++
	return h
}

// leave undoes join. The last reader stops the hub and waits for it.
func (f *Feed) leave(models *projections.Models, h *hub) {
	f.mu.Lock()
	h.readers--
	last := h.readers == 0
	if last && f.hubs[models] == h {
		delete(f.hubs, models)
	}
	f.mu.Unlock()
	if last {
		h.stop()
		<-h.done
	}
}

// read reads one page of events after a sequence, up to and with another, which
// models have reached. It looks the events up in the register and reads them
// from the log, which alone has what they say.
func read(ctx context.Context, log Log, models *projections.Models, filter Filter, after, to uint64) (Chunk, error) {
	rows, next, err := models.Events(ctx, filter.query(after, to))
	if err != nil {
		return Chunk{}, err
	}
	events := make([]Event, len(rows))
	for i, row := range rows {
		events[i] = Event{Seq: row.Seq, ID: row.EventID, Type: row.Type, Ref: domain.ParsePath(domain.Key(row.Agreement), row.Aggregate)}
	}
	chunk := Chunk{Events: filter.of(events), UpTo: to}
	if next != "" {
		chunk.UpTo = rows[len(rows)-1].Seq
	}
	return chunk, fetch(ctx, log, chunk.Events)
}

// fetch reads the stored bytes of events.
func fetch(ctx context.Context, log Log, events []Event) error {
	seqs := make([]uint64, len(events))
	for i := range events {
		seqs[i] = events[i].Seq
	}
	i := 0
	for rec, err := range log.Records(ctx, "", seqs) {
		if err != nil {
			return fmt.Errorf("feed: %w", err)
		}
		events[i].Data = rec.Data
		i++
	}
	if i != len(events) {
		return errors.New("feed: the log gave fewer records than it was asked for")
	}
	return nil
}

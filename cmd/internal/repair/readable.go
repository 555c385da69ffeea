package repair

import (
	"context"
	"errors"
	"iter"

	"github.com/milepost-ledger/milepost/eventstore"
)

// Log is a log that may be damaged; *eventstore.Store is one.
type Log interface {
	ReadChunks(ctx context.Context, from, to uint64, filter string) iter.Seq2[[]eventstore.Record, error]
	Get(ctx context.Context, seq uint64) (eventstore.Record, error)
	Last(ctx context.Context) (uint64, error)
}

// Last is the last sequence of a log, whether that can be read or not.
func Last(ctx context.Context, log Log) (uint64, error) {
	last, err := log.Last(ctx)
	if damaged := (*eventstore.DamagedError)(nil); errors.As(err, &damaged) {
		return damaged.Last, nil
	}
	return last, err
}

// Readable yields what can be read of a log, past gaps and torn batches. Where its
// end cannot be read, it ends earlier than at Last.
func Readable(log Log) Events {
	return func(ctx context.Context) iter.Seq2[eventstore.Record, error] {
		return func(yield func(eventstore.Record, error) bool) {
			for from := uint64(1); from > 0; {
				next, err := readOn(ctx, log, from, func(rec eventstore.Record) bool { return yield(rec, nil) })
				if err != nil {
					yield(eventstore.Record{}, err)
					return
				}
				from = next
			}
		}
	}
}

// readOn yields records until the log breaks off, and returns where it goes on; 0
// when it does not, or nobody wants more.
func readOn(ctx context.Context, log Log, from uint64, yield func(eventstore.Record) bool) (next uint64, err error) {
	for chunk, err := range log.ReadChunks(ctx, from, 0, "") {
		gap, torn := (*eventstore.GapError)(nil), (*eventstore.TornBatchError)(nil)
		switch {
		case errors.As(err, new(*eventstore.DamagedError)):
			return 0, nil
		case errors.As(err, &gap) && gap.Got > gap.Want:
			return gap.Got, nil
		case errors.As(err, &torn): // that record itself is whole
			rec, err := log.Get(ctx, torn.Seq)
			if err != nil || !yield(rec) {
				return 0, err
			}
			return torn.Seq + 1, nil
		case err != nil:
			return 0, err
		}
		for _, rec := range chunk {
			if !yield(rec) {
				return 0, nil
			}
		}
	}
	return 0, nil
}

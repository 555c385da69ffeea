package eventstore

import (
	"context"
	"iter"
)

// Subscribe yields the records from sequence from on, and goes on with new
// ones as they are written, until the context ends (and then yields its
// error). It survives lost connections. Each record comes once and in order;
// whoever keeps the last sequence and comes back with the next misses nothing
// and repeats nothing.
//
// The checks are those of Read. What others write to the log of an embedded server,
// which nothing does, would come with the next append; and an append whose answer was
// lost with the next one, or when it is given up.
func (s *Store) Subscribe(ctx context.Context, from uint64, filter string) iter.Seq2[Record, error] {
	return flatten(s.subscribe(ctx, from, filter))
}

// SubscribeChunks is Subscribe without a filter, with all records that are at
// hand together: one, if they come one by one, and up to 4096 if the reader is
// behind. So a reader can commit once per chunk. A chunk belongs to the
// caller.
func (s *Store) SubscribeChunks(ctx context.Context, from uint64) iter.Seq2[[]Record, error] {
	return s.subscribe(ctx, from, "")
}

func (s *Store) subscribe(ctx context.Context, from uint64, filter string) iter.Seq2[[]Record, error] {
	return func(yield func([]Record, error) bool) {
		if err := checkFilter(s.cfg.Ledger, filter); err != nil {
			yield(nil, err)
			return
		}
		from := max(from, 1)
		last, err := s.Last(ctx)
		if err != nil {
			yield(nil, err)
			return
		}
		if from > last+1 {
			// The reader has records which the log has not: the log is not
			// the one it read, or it lost its end.
			yield(nil, &GapError{Want: from, Got: last + 1})
			return
		}
		if s.commit.tail != nil {
			if from = s.followTail(ctx, from, filter, yield); from == 0 {
				return
			}
		}
		s.follow(ctx, span{from: from, filter: filter}, yield)
	}
}

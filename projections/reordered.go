package projections

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"strings"

	"zombiezen.com/go/sqlite"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/eventstore"
)

// reordered is the log of one agreement in the order of effective dates, where
// these are the same of sequences: what a projector makes the second axis from.
// Its own sequences count from 1. The versions of its events do not count, and
// neither do their times.
type reordered struct {
	log    source
	events []placed // event n at n-1
}

// placed is an event at its place.
type placed struct {
	seq       uint64 // in the log
	at        int64  // its ledger time, microseconds since 1970
	effective domain.Date
	subject   string
}

// placeEvents finds the events of an agreement up to sequence seq in the
// register, and puts them in order.
func (q *query) placeEvents(ledger string, of domain.Key, seq uint64) (events []placed, err error) {
	agreement, ok, err := selectInt(q.conn, "SELECT id FROM word WHERE text = ?", string(of))
	if err != nil || !ok {
		return nil, err
	}
	subjects := map[int64]string{} // by aggregate
	err = each(q.conn, "SELECT seq, at, effective, aggregate FROM event WHERE agreement = ? AND seq <= ? ORDER BY seq",
		[]any{agreement, seq}, func(stmt *sqlite.Stmt) (bool, error) {
			aggregate := stmt.ColumnInt64(3)
			subject, ok := subjects[aggregate]
			if !ok {
				path, err := q.path(aggregate)
				if err != nil {
					return false, err
				}
				kind, key, _ := strings.Cut(path, "/")
				subject = eventstore.Subject(ledger, string(of), kind, key)
				subjects[aggregate] = subject
			}
			events = append(events, placed{uint64(stmt.ColumnInt64(0)), stmt.ColumnInt64(1), domain.Date(stmt.ColumnInt64(2)), subject})
			return true, nil
		})
	slices.SortStableFunc(events, func(a, b placed) int { return cmp.Compare(a.effective, b.effective) })
	return events, err
}

// ReadChunks yields the records from one place to another.
func (r *reordered) ReadChunks(ctx context.Context, from, to uint64, _ string) iter.Seq2[[]eventstore.Record, error] {
	return func(yield func([]eventstore.Record, error) bool) {
		places := make([]uint64, 0, to+1-from)
		for n := from; n <= to; n++ {
			places = append(places, n)
		}
		var chunk []eventstore.Record
		for rec, err := range r.Records(ctx, "", places) {
			if err != nil {
				yield(nil, err)
				return
			}
			if chunk = append(chunk, rec); len(chunk) == maxBatch || rec.Seq == to {
				if !yield(chunk, nil) {
					return
				}
				chunk = make([]eventstore.Record, 0, maxBatch)
			}
		}
	}
}

// Records yields the records at places.
func (r *reordered) Records(ctx context.Context, subject string, places []uint64) iter.Seq2[eventstore.Record, error] {
	return func(yield func(eventstore.Record, error) bool) {
		seqs := make([]uint64, len(places))
		for i, n := range places {
			seqs[i] = r.events[n-1].seq
		}
		i := 0
		for rec, err := range r.log.Records(ctx, subject, seqs) {
			if err == nil {
				n := places[i]
				if e := r.events[n-1]; rec.Subject != e.subject {
					err = &ForeignLogError{Seq: e.seq, Last: e.seq}
				}
				rec.Seq = n
				i++
			}
			if !yield(rec, err) || err != nil {
				return
			}
		}
	}
}

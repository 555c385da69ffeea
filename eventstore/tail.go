package eventstore

import (
	"context"
	"sync"
	"time"
)

// How much of the end of the log is kept in memory for those who follow it, at least
// and while that is below tailBytes.
const (
	tailRecords = chunkMax
	tailBytes   = 16 << 20
)

// tail is the end of an embedded server's log, as it was acknowledged. Nobody else
// writes there, so whoever follows the log in this process gets what comes from here,
// and the server is spared reading every record again and sending it: that costs as
// much as storing it did. When something is there that this store cannot account for
// (an append with an unknown outcome, a server that was started again) the tail is
// over, and the log is read from the server from then on. Nil is that of an external
// server, which others write to.
type tail struct {
	mu      sync.Mutex
	last    uint64 // of the log
	records []Record
	bytes   int
	over    bool
	grown   chan struct{} // closed when there is more, or it is over; nil while nobody waits
}

// landed takes up what a commit wrote.
func (t *tail) landed(f *flight) {
	if t == nil || f.duplicate || f.err != nil && errorKind(f.err) != "unknown" {
		return // it wrote nothing
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over {
		return
	}
	if f.err != nil || f.first != t.last+1 {
		t.finish()
		return
	}
	now := time.Now()
	for _, r := range f.reqs {
		for _, m := range r.msgs {
			t.last++
			t.records = append(t.records, Record{Seq: t.last, Subject: m.Subject, Data: m.Data, Stored: now})
			t.bytes += len(m.Data) + msgOverhead
		}
	}
	t.trim()
	t.wake()
}

// trim lets go of the first half when there is twice as much as is wanted.
func (t *tail) trim() {
	if len(t.records) < 2*tailRecords && t.bytes < 2*tailBytes {
		return
	}
	for i, r := range t.records {
		if len(t.records)-i <= tailRecords && t.bytes <= tailBytes {
			t.records = append(make([]Record, 0, 2*tailRecords), t.records[i:]...)
			return
		}
		t.bytes -= len(r.Data) + msgOverhead
	}
	t.records = nil
}

// end says that the log may have something that landed was not told of.
func (t *tail) end() {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.finish()
}

func (t *tail) finish() {
	t.over, t.records = true, nil
	t.wake()
}

func (t *tail) wake() {
	if t.grown != nil {
		close(t.grown)
		t.grown = nil
	}
}

// take returns the records from next on, as many as a chunk can have. Without any,
// they are before the first, or wait is closed when there may be some.
func (t *tail) take(next uint64) (chunk []Record, first uint64, wait <-chan struct{}, over bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	first = t.last + 1 - uint64(len(t.records))
	switch {
	case t.over:
		return nil, 0, nil, true
	case next < first:
		return nil, first, nil, false
	case next <= t.last:
		from := t.records[next-first:]
		return append([]Record(nil), from[:min(len(from), chunkMax)]...), first, nil, false
	}
	if t.grown == nil {
		t.grown = make(chan struct{})
	}
	return nil, first, t.grown, false
}

// followTail yields what there is from next on, and what comes, until the tail is
// over, and returns where that was; 0 when the reader has had enough, or was told why
// there is no more.
func (s *Store) followTail(ctx context.Context, next uint64, yield func([]Record, error) bool) uint64 {
	told := false
	pass := func(chunk []Record, err error) bool {
		if len(chunk) > 0 {
			next = chunk[len(chunk)-1].Seq + 1
		}
		told = !yield(chunk, err) || err != nil
		return !told
	}
	for {
		chunk, first, wait, over := s.commit.tail.take(next)
		switch {
		case ctx.Err() != nil:
			pass(nil, ctx.Err())
		case s.isClosing():
			pass(nil, ErrClosed)
		case over:
			return next
		case len(chunk) > 0:
			pass(chunk, nil)
		case wait == nil:
			s.readSpan(ctx, span{from: next, to: first - 1}, pass)
		default:
			select {
			case <-wait:
			case <-ctx.Done():
				pass(nil, ctx.Err())
			case <-s.closing:
				pass(nil, ErrClosed)
			}
		}
		if told {
			return 0
		}
	}
}

package eventstore

import (
	"context"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// How much of the end of the log is kept in memory for those who follow it, at least
// and while that is below tailBytes.
const (
	tailRecords = chunkMax
	tailBytes   = 16 << 20
)

// tail is the end of an embedded server's log, as it was acknowledged. Nobody else
// writes there, so whoever follows the log in this process gets what comes from here,
// and the server is spared reading every record again and sending it, which costs as
// much as storing it did, and waking its consumers before it answers an append. When
// something is there that this store cannot account for (an append with an unknown
// outcome, a server that was started again) the tail is over, and the log is read from
// the server from then on. Nil is that of an external server, which others write to.
type tail struct {
	mu      sync.Mutex
	last    uint64 // of the log
	records []Record
	bytes   int
	over    bool
	waiters map[*waiter]bool
}

// waiter is a reader that has had all there is for it.
type waiter struct {
	filter string
	next   uint64        // nothing before it is for the reader; final when ended is closed
	ended  chan struct{} // closed when there is something for it, or the tail is over
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
			t.wake(m.Subject)
		}
	}
	t.trim()
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
	for w := range t.waiters {
		t.release(w, t.last+1)
	}
}

// wake tells those who wait for a record of the subject that it is the last. A reader
// that has read to the end of the log may be ahead: what is on the disk is told to the
// tail only when the answer is here.
func (t *tail) wake(subject string) {
	for w := range t.waiters {
		if t.last >= w.next && w.wants(subject) {
			t.release(w, t.last)
		}
	}
}

func (t *tail) release(w *waiter, next uint64) {
	w.next = max(w.next, next)
	close(w.ended)
	delete(t.waiters, w)
}

func (w *waiter) wants(subject string) bool {
	return w.filter == "" || server.SubjectMatchesFilter(subject, w.filter)
}

// leave is for a reader that does not wait any more.
func (t *tail) leave(w *waiter) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.waiters, w)
}

// ahead is what there is for a reader: a chunk, or records to be read from the log,
// those before goOn, or something to wait for; or the tail is over.
type ahead struct {
	chunk []Record
	goOn  uint64 // where the reader is afterwards
	wait  *waiter
	over  bool
}

// take looks for records from next on that match the filter, as many as a chunk can
// have.
func (t *tail) take(next uint64, filter string) ahead {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over {
		return ahead{over: true}
	}
	first := t.last + 1 - uint64(len(t.records))
	if next < first {
		return ahead{goOn: first}
	}
	w := &waiter{filter: filter}
	var chunk []Record
	if filter == "" && next <= t.last {
		chunk = make([]Record, 0, min(t.last+1-next, chunkMax))
	}
	for next <= t.last && len(chunk) < chunkMax {
		if r := t.records[next-first]; w.wants(r.Subject) {
			chunk = append(chunk, r)
		}
		next++
	}
	if len(chunk) > 0 {
		return ahead{chunk: chunk, goOn: next}
	}
	w.next, w.ended = next, make(chan struct{})
	if t.waiters == nil {
		t.waiters = make(map[*waiter]bool)
	}
	t.waiters[w] = true
	return ahead{wait: w}
}

// followTail yields what there is from next on, and what comes, until the tail is
// over, and returns where that was; 0 when the reader has had enough, or was told why
// there is no more.
func (s *Store) followTail(ctx context.Context, next uint64, filter string, yield func([]Record, error) bool) uint64 {
	tail, told := s.commit.tail, false
	pass := func(chunk []Record, err error) bool {
		told = !yield(chunk, err) || err != nil
		return !told
	}
	for !told {
		if ctx.Err() != nil {
			pass(nil, ctx.Err())
			break
		}
		if s.isClosing() {
			pass(nil, ErrClosed)
			break
		}
		a := tail.take(next, filter)
		switch {
		case a.over:
			return next
		case a.wait != nil:
			select {
			case <-a.wait.ended:
				next = a.wait.next
			case <-ctx.Done():
				tail.leave(a.wait)
			case <-s.closing:
				tail.leave(a.wait)
			}
		case len(a.chunk) > 0:
			pass(a.chunk, nil)
			next = a.goOn
		default:
			s.chunks(ctx, span{from: next, to: a.goOn - 1, filter: filter})(pass)
			next = a.goOn
		}
	}
	return 0
}

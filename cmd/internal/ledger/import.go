package ledger

import (
	"context"
	"fmt"
	"iter"
	"strconv"

	"golang.org/x/sync/errgroup"
)

// Item is one command of an import, or the error that stands in its place.
type Item struct {
	Line int // where it comes from, from 1: a line of JSONL, a release of OCDS
	Request
	Err error // the line does not read as a command; what follows is not looked at

	// Source, where it is set, stands for the evidence in the key that the
	// import derives: a file whose bytes were put right since is still the same.
	Source string
	// Unless is a code of a refusal that means that nothing is left to do, as
	// already-exists may; the item is then skipped.
	Unless string

	size int // bytes, about
}

// Summary says what an import came to.
type Summary struct {
	Lines    int    `json:"lines" doc:"Lines read."`
	Commands int    `json:"commands" doc:"Commands that this import carried out."`
	Events   int    `json:"events" doc:"Events that they added to the log."`
	FirstSeq uint64 `json:"first_seq" doc:"Sequence of the first event added; 0 when none was."`
	LastSeq  uint64 `json:"last_seq" doc:"Sequence of the last event added; 0 when none was."`
	Skipped  int    `json:"skipped" doc:"Commands that the ledger had already."`
}

// LineError says which line stopped an import, and why. Everything before the
// line is in the log, and nothing from it on.
type LineError struct {
	Line int
	Err  error
}

func (e *LineError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }
func (e *LineError) Unwrap() error { return e.Err }

// Import carries out items in order, in atomic batches of up to [MaxBatch]
// events. It stops at the first that is refused, with a *LineError. An item
// without an idempotency key gets one from what it asks for and from how often
// the same was asked for before in this import: so the same items can be
// imported again, after any interruption, and nothing is added twice.
//
// may, if not nil, is asked before each batch, and ends the import with the error
// that it returns: items can come for hours, and who gave them may have lost the
// right meanwhile.
func (l *Ledger) Import(ctx context.Context, items iter.Seq[Item], may func() error) (Summary, error) {
	// Reading and decoding go on while a batch is decided, and that while the one
	// before is appended.
	g, ctx := errgroup.WithContext(ctx)
	chunks := make(chan []queued, 2)
	g.Go(func() error {
		defer close(chunks)
		return l.feed(ctx, items, chunks)
	})
	var sum Summary
	g.Go(func() (err error) {
		im := importing{Ledger: l, sum: &sum, may: may}
		defer func() {
			if _, e := im.land(ctx); err == nil {
				err = e
			}
		}()
		var queue []queued // what is read and not in the log; a full batch is worth waiting for
		for chunk := range chunks {
			queue = append(queue, chunk...)
			for len(queue) >= MaxBatch || sizeOf(queue) > maxBatchBytes {
				n, err := im.next(ctx, queue)
				if err != nil {
					return err
				}
				queue = queue[n:]
			}
		}
		for len(queue) > 0 && ctx.Err() == nil {
			n, err := im.next(ctx, queue)
			if err != nil {
				return err
			}
			queue = queue[n:]
		}
		return ctx.Err()
	})
	err := g.Wait()
	return sum, err
}

// queued is an item that was checked as far as it can be without the log.
type queued struct {
	line int
	task *task
	err  error // in the place of task
	size int
}

func sizeOf(items []queued) (bytes int) {
	for i := range items {
		bytes += items[i].size
	}
	return bytes
}

// feed gives each item its idempotency key and cuts them into chunks.
func (l *Ledger) feed(ctx context.Context, items iter.Seq[Item], chunks chan<- []queued) error {
	keys := importKeys{}
	var chunk []queued
	bytes := 0
	send := func() bool {
		select {
		case chunks <- chunk:
			chunk, bytes = make([]queued, 0, MaxBatch), 0
			return true
		case <-ctx.Done():
			return false
		}
	}
	for item := range items {
		q := queued{line: item.Line, err: item.Err, size: item.size}
		if q.err == nil {
			if item.Meta.IdempotencyKey == "" {
				item.Meta.IdempotencyKey = keys.of(&item)
			}
			if q.task, q.err = l.newTask(item.Request); q.err == nil {
				q.task.unless = item.Unless
			}
		}
		bytes += q.size
		if chunk = append(chunk, q); (len(chunk) == MaxBatch || bytes > maxBatchBytes) && !send() {
			return ctx.Err()
		}
	}
	if len(chunk) > 0 && !send() {
		return ctx.Err()
	}
	return nil
}

func (s *Summary) add(line int, r Receipt) {
	s.Lines = line
	if r.Replayed {
		s.Skipped++
		return
	}
	s.Commands++
	s.Events += len(r.Events)
	if s.FirstSeq == 0 {
		s.FirstSeq = r.Events[0].Seq
	}
	s.LastSeq = r.Seq
}

// importKeys derives idempotency keys. Two equal lines of one file are two
// commands, so the key counts them.
type importKeys map[string]int

func (k importKeys) of(item *Item) string {
	req := &item.Request
	req.hash = hashOf(*req)
	req.local = req.Command.Ref().Key != ""
	id := req.hash
	if item.Source != "" {
		plain := *req
		plain.Meta.Evidence = nil
		id = hashOf(plain, item.Source)
	}
	k[id]++
	return "import-" + id + "-" + strconv.Itoa(k[id])
}

package ledger

import (
	"context"
	"fmt"
	"maps"

	"github.com/milepost-ledger/milepost/eventstore"
)

// MaxBatch is the most events of one atomic append, JetStream's own bound.
const MaxBatch = 1000

// BatchError says which request of a batch stopped it. Everything before it is
// in the log; it and everything after it is not.
type BatchError struct {
	Index int
	Err   error
}

func (e *BatchError) Error() string { return fmt.Sprintf("request %d: %v", e.Index, e.Err) }
func (e *BatchError) Unwrap() error { return e.Err }

// ExecuteAll decides requests in order, each on the states that those before it
// left, and appends them in atomic batches of up to [MaxBatch] events; a
// command's events are never divided. Requests that are in the log already are
// skipped, with Replayed set in their receipts. The first refusal stops it with
// a *BatchError, after what came before has been appended.
func (l *Ledger) ExecuteAll(ctx context.Context, reqs []Request) ([]Receipt, error) {
	tasks := make([]*task, 0, len(reqs))
	var bad error // of the first request that is not even a task
	for _, req := range reqs {
		t, err := l.newTask(req)
		if err != nil {
			bad = err
			break
		}
		tasks = append(tasks, t)
	}
	receipts := make([]Receipt, 0, len(reqs))
	for len(receipts) < len(tasks) {
		done, err := l.executeBatch(ctx, tasks[len(receipts):])
		receipts = append(receipts, done...)
		if err != nil {
			return receipts, &BatchError{len(receipts), err}
		}
	}
	if bad != nil {
		return receipts, &BatchError{len(receipts), bad}
	}
	return receipts, nil
}

// executeBatch appends as many of tasks as fit into one atomic batch.
func (l *Ledger) executeBatch(ctx context.Context, tasks []*task) ([]Receipt, error) {
	for range maxTries {
		b, refused := l.decideBatch(ctx, tasks)
		if isRejected(refused) && (b.supposed || !l.opts.Exclusive) {
			if err := l.refreshAll(ctx, b.seen); err != nil {
				return nil, err
			}
			b, refused = l.decideBatch(ctx, tasks)
		}
		if len(b.msgs) == 0 {
			return b.receipts, refused
		}
		first, err := l.log.Append(ctx, b.msgs)
		if err == nil {
			return b.settle(l, first), refused
		}
		for _, d := range b.decisions {
			if d == nil {
				continue
			}
			if err := l.recover(ctx, d, err); err != nil {
				return nil, err
			}
		}
	}
	return nil, ErrConflict
}

// batch is a run of decisions that are appended together.
type batch struct {
	receipts  []Receipt   // of requests found in the log; of the others, filled in by settle
	decisions []*decision // nil where the receipt was found in the log
	msgs      []eventstore.Message
	seen      []*aggregate
	supposed  bool // some of the states were
}

// decideBatch decides tasks until one is refused or the batch is full.
func (l *Ledger) decideBatch(ctx context.Context, tasks []*task) (*batch, error) {
	b := &batch{}
	states := overlay{}
	ids := map[string]int{} // command ids of this batch
	for _, t := range tasks {
		if i, twice := ids[t.id]; twice && b.decisions[i] != nil && b.decisions[i].task.hash == t.hash {
			break // found in the log by the next batch
		}
		own, err := l.aggregate(t.Command.Ref())
		if err != nil {
			return b, err
		}
		if states.suppose(t, own) {
			b.supposed = true
		}
		w := &world{ctx: ctx, ledger: l, overlay: states}
		d, receipt, err := l.lookupOrDecide(w, own, t)
		b.seen = append(b.seen, w.seen...)
		if err != nil {
			return b, err
		}
		if d == nil {
			b.receipts, b.decisions = append(b.receipts, receipt), append(b.decisions, nil)
			continue
		}
		if len(b.msgs)+len(d.msgs) > MaxBatch {
			if len(b.msgs) == 0 {
				return b, fmt.Errorf("%s makes %d events, more than one atomic append takes (%d)", t.typ.Name, len(d.msgs), MaxBatch)
			}
			break
		}
		maps.Copy(states, d.after)
		ids[t.id] = len(b.decisions)
		b.msgs = append(b.msgs, d.msgs...)
		b.receipts, b.decisions = append(b.receipts, Receipt{}), append(b.decisions, d)
	}
	return b, nil
}

// settle gives each decision its place behind first.
func (b *batch) settle(l *Ledger, first uint64) []Receipt {
	for i, d := range b.decisions {
		if d != nil {
			b.receipts[i] = d.settle(l, first)
			first += uint64(len(d.msgs))
		}
	}
	return b.receipts
}

package ledger

import (
	"context"
	"fmt"

	"github.com/milepost-ledger/milepost/domain"
)

// CodeTooMany refuses items that no single atomic append takes.
const CodeTooMany = "too-many"

// RefusedError says which items kept all of them out of the log. Nothing was
// written.
type RefusedError struct {
	Lines []*LineError // in the order of the items, at least one
}

func (e *RefusedError) Error() string {
	if n := len(e.Lines) - 1; n > 0 {
		return fmt.Sprintf("%v (and %d more)", e.Lines[0], n)
	}
	return e.Lines[0].Error()
}

// ExecuteAll carries out items in order, in one atomic append: all of them, or
// none when one is refused. It then says with a *RefusedError what is wrong
// with each, not only with the first: an item is judged as if those refused
// before it had not been asked for. Items that are in the log already are
// skipped, by the keys that [Ledger.Import] gives them too, so the same items
// can be sent again. More than MaxBatch new events are refused (CodeTooMany).
func (l *Ledger) ExecuteAll(ctx context.Context, items []Item) (Summary, error) {
	queue := l.enqueue(items)
	var held turns
	defer func() { held.release() }()
	for range maxTries {
		b, err := l.decideAll(ctx, queue, nil)
		if _, refused := err.(*RefusedError); refused { // on states that may be old
			if e := l.again(ctx, b.seen, func(states overlay) []*aggregate {
				b, err = l.decideAll(ctx, queue, states)
				return b.seen
			}); e != nil {
				return Summary{}, e
			}
		}
		if err != nil {
			return Summary{}, err
		}
		var first uint64
		if len(b.msgs) > 0 {
			first, err = l.log.Append(ctx, b.msgs)
		}
		if err == nil {
			return summaryOf(queue, b.settle(l, first)), nil
		}
		if err := l.recover(ctx, err, b.decisions...); err != nil {
			return Summary{}, err
		}
		// Others were faster. They wait their turn while this is tried again.
		held.release()
		held = b.touched()
		if err := held.take(ctx); err != nil {
			held = nil
			return Summary{}, err
		}
	}
	return Summary{}, ErrConflict
}

// enqueue gives each item its idempotency key and checks what can be checked
// without the log.
func (l *Ledger) enqueue(items []Item) []queued {
	keys := importKeys{}
	queue := make([]queued, len(items))
	for i := range items {
		item := &items[i]
		queue[i] = queued{line: item.Line, err: item.Err}
		if item.Err != nil {
			continue
		}
		if item.Meta.IdempotencyKey == "" {
			item.Meta.IdempotencyKey = keys.of(item)
		}
		if queue[i].task, queue[i].err = l.newTask(item.Request); queue[i].err == nil {
			queue[i].task.unless = item.Unless
		}
	}
	return queue
}

// decideAll decides every item that can be, in states where they are given, and
// gathers what is refused.
func (l *Ledger) decideAll(ctx context.Context, queue []queued, earlier overlay) (*batch, error) {
	b := &batch{}
	var refused RefusedError
	refuse := func(q queued, err error) { refused.Lines = append(refused.Lines, &LineError{q.line, err}) }
	states := overlay{}
	ids := map[string]bool{}
	for _, q := range queue {
		switch {
		case q.err != nil:
			refuse(q, q.err)
			continue
		case ids[q.task.id]:
			refuse(q, domain.Refuse(domain.CodeKeyReused, "idempotency_key", "%q is given twice: use a key for each", q.task.id))
			continue
		}
		own, err := l.aggregate(q.task.Command.Ref())
		if err != nil {
			return b, err
		}
		if _, known := earlier[own.ref]; !known {
			states.suppose(q.task, own)
		}
		w := &world{ctx: ctx, ledger: l, overlay: states, earlier: earlier, ahead: len(b.msgs)}
		d, receipt, err := l.lookupOrDecide(w, q.task)
		b.seen = w.seen(b.seen)
		switch {
		case q.task.needless(err):
			d, receipt = nil, q.task.skipped()
		case isRejected(err):
			refuse(q, err)
			continue
		case err != nil:
			return b, err
		}
		ids[q.task.id] = true
		b.receipts, b.decisions = append(b.receipts, receipt), append(b.decisions, d)
		if d != nil {
			d.into(states)
			b.msgs = append(b.msgs, d.msgs...)
		}
	}
	if len(refused.Lines) > 0 {
		return b, &refused
	}
	if n := len(b.msgs); n > MaxBatch {
		return b, domain.Refuse(CodeTooMany, "", "all together make %d events, and one atomic append takes %d: divide them", n, MaxBatch)
	}
	return b, nil
}

func summaryOf(queue []queued, receipts []Receipt) (sum Summary) {
	for i, r := range receipts {
		sum.add(queue[i].line, r)
	}
	sum.Lines = len(queue)
	return sum
}

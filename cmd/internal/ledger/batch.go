package ledger

import (
	"context"
	"fmt"

	"github.com/milepost-ledger/milepost/cmd/internal/traces"
	"github.com/milepost-ledger/milepost/eventstore"
)

// MaxBatch is the most events of one atomic append, JetStream's own bound.
const MaxBatch = 1000

// maxBatchBytes bounds the events of one append: about what they may have
// before the next one.
const maxBatchBytes = 8 << 20

// executeBatch appends as many of tasks as fit into one atomic batch.
//
// A command's events are never divided. Tasks that are in the log already are
// skipped, with Replayed set in their receipts. The first that is refused ends
// the batch: what came before is appended, and the error is its refusal.
func (l *Ledger) executeBatch(ctx context.Context, tasks []*task) ([]Receipt, error) {
	var held turns
	defer func() { held.release() }()
	for range maxTries {
		b, refused := l.decideBatch(ctx, tasks, nil)
		if isRejected(refused) {
			if err := l.again(ctx, b.seen, func(states overlay) []*aggregate {
				b, refused = l.decideBatch(ctx, tasks, &batch{states: states})
				return b.seen
			}); err != nil {
				return nil, err
			}
		}
		if len(b.msgs) == 0 {
			return b.receipts, refused
		}
		first, err := l.log.Append(ctx, b.msgs)
		if err == nil {
			return b.settle(l, first), refused
		}
		if err := l.recover(ctx, err, b.decisions...); err != nil {
			return nil, err
		}
		// Others were faster. They wait their turn while this is tried again.
		held.release()
		held = b.touched()
		if err := held.take(ctx); err != nil {
			held = nil
			return nil, err
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
	states    overlay         // after it; sequences are not set
	ids       map[string]bool // command ids of it
}

// touched returns the aggregates that the batch writes to, one each.
func (b *batch) touched() turns {
	var all turns
	once := map[*aggregate]bool{}
	for _, d := range b.decisions {
		if d == nil {
			continue
		}
		for _, a := range d.touched {
			if !once[a] {
				once[a] = true
				all = append(all, a)
			}
		}
	}
	return all
}

// decideBatch decides tasks until one is refused or the batch is full. They come
// after those of the batch before, if that is not nil: it is on its way into the
// log, see [batch.follow].
func (l *Ledger) decideBatch(ctx context.Context, tasks []*task, before *batch) (_ *batch, err error) {
	ctx, span := traces.Start(ctx, "decide")
	defer func() { decided(span, err) }()
	span.Number("milepost.commands", len(tasks))
	b := &batch{states: overlay{}, ids: map[string]bool{}}
	states := b.states
	var earlier overlay
	ahead := 0
	if before != nil {
		earlier, ahead = before.states, len(before.msgs)
	}
	bytes := 0
	for _, t := range tasks {
		if b.ids[t.id] || before != nil && before.ids[t.id] || bytes > maxBatchBytes {
			break // the next batch finds the id in the log, and judges
		}
		own, err := l.aggregate(t.Command.Ref())
		if err != nil {
			return b, err
		}
		if _, known := earlier[own.ref]; !known {
			states.suppose(t, own)
		}
		w := &world{ctx: ctx, ledger: l, overlay: states, earlier: earlier, ahead: ahead + len(b.msgs)}
		d, receipt, err := l.lookupOrDecide(w, t)
		b.seen = w.seen(b.seen)
		if t.needless(err) {
			receipt, err = t.skipped(), nil
		}
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
		d.into(states)
		b.ids[t.id] = true
		for _, m := range d.msgs {
			bytes += len(m.Data)
		}
		b.msgs = append(b.msgs, d.msgs...)
		b.receipts, b.decisions = append(b.receipts, Receipt{}), append(b.decisions, d)
	}
	return b, nil
}

// follow makes the batch expect what the one before it wrote, now that this is in
// the log: it was decided on that, when the sequences were not known yet.
func (b *batch) follow(before *batch) {
	tips := map[string]uint64{}
	for _, d := range before.decisions {
		if d == nil {
			continue
		}
		for i, a := range d.touched {
			tips[a.subject] = d.after[i].Seq
		}
	}
	for i := range b.msgs {
		if seq, ok := tips[b.msgs[i].Subject]; ok {
			b.msgs[i].Expect = seq // of the first on each subject; it does not count on the others
		}
	}
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

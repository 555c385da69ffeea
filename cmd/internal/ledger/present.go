package ledger

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/milepost-ledger/milepost/eventstore"
)

// confirmed decides the task anew on what the log says now of all that is seen
// when it is decided, and returns the world that this was seen in.
func (l *Ledger) confirmed(ctx context.Context, first *world, own *aggregate, t *task) (w *world, d *decision, receipt Receipt, err error) {
	if e := l.again(ctx, first.seen([]*aggregate{own}), func(states overlay) []*aggregate {
		w = &world{ctx: ctx, ledger: l, earlier: states}
		d, receipt, err = l.lookupOrDecide(w, t)
		return w.seen(nil)
	}); e != nil {
		return nil, nil, Receipt{}, e
	}
	return w, d, receipt, err
}

// again decides anew what was decided on states that may be old: on those that all
// aggregates that were seen had at one moment since the call. What is decided then may
// look at others, and these may be old too, so it does that until nothing else is seen.
//
// It is one moment for all of them, and not one for each, because they change together:
// an agreement may be suspended only after its project was cancelled. Who has the project
// as of before that and the agreement as of after it refuses to start the project for
// the suspension, which no order of the commands explains; and where one state says which
// other counts, what could have been done at any time is refused. It does not matter that
// the log goes on: the refusal is right at that moment, which lies between the command and
// its answer. What is accepted needs no such moment: the append checks that what it rests
// on is still so.
func (l *Ledger) again(ctx context.Context, seen []*aggregate, decide func(states overlay) (seen []*aggregate)) error {
	for {
		states, err := l.present(ctx, seen)
		if err != nil {
			return err
		}
		seen = decide(states)
		if !slices.ContainsFunc(seen, func(a *aggregate) bool { _, known := states[a.ref]; return !known }) {
			return nil
		}
	}
}

// present returns the states that aggregates had at one moment since the call. It asks
// for the ends of all at once, and reads only what came after the cached states, as far
// as that moment: so it is done, however much others write meanwhile.
func (l *Ledger) present(ctx context.Context, aggregates []*aggregate) (overlay, error) {
	states := overlay{}
	var subjects []string
	var newest uint64
	for _, a := range aggregates {
		if _, done := states[a.ref]; done {
			continue
		}
		s, err := l.current(ctx, a)
		if err != nil {
			return nil, err
		}
		states[a.ref] = look{a, s}
		subjects, newest = append(subjects, a.subject), max(newest, s.Seq)
	}
	ends, moment, err := l.log.Ends(ctx, subjects, newest)
	if err != nil {
		return nil, err
	}
	for ref, seen := range states {
		if end := min(ends[seen.subject], moment); seen.snapshot.Seq < end {
			if seen.snapshot, err = l.upTo(ctx, seen, end, moment); err != nil {
				return nil, err
			}
			states[ref] = seen
		}
	}
	return states, nil
}

// upTo takes a state on to a moment, which it has come to when it has seen the event at
// end. It waits until who answers has that, or is not asked any more.
func (l *Ledger) upTo(ctx context.Context, seen look, end, moment uint64) (snapshot, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, upToTimeout, fmt.Errorf("%w: event %d of %s does not come", eventstore.ErrUnavailable, end, seen.ref))
	defer cancel()
	for s := seen.snapshot; ; {
		var at uint64
		var err error
		if s, at, err = l.asOf(ctx, seen.aggregate, s, moment); err != nil || at >= end {
			return s, err
		}
		select {
		case <-time.After(refreshPause):
		case <-ctx.Done():
			return s, context.Cause(ctx)
		}
	}
}

const (
	// refreshPause lies between two looks at a log of which something was not shown.
	refreshPause = 20 * time.Millisecond

	// upToTimeout is for how long it is looked for.
	upToTimeout = 10 * time.Second
)

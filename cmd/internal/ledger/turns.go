package ledger

import (
	"cmp"
	"context"
	"slices"
)

// turns are the aggregates that one command holds while it is decided and
// appended: others of this process wait instead of conflicting. A command holds
// its own aggregate's turn and, when it is tried again, those of all that it
// touches. Whoever takes several takes them in the order of their subjects and
// holds none meanwhile, so nobody waits in a circle.
type turns []*aggregate

// take waits for every turn, and holds none when the context ends first.
func (t turns) take(ctx context.Context) error {
	slices.SortFunc(t, func(a, b *aggregate) int { return cmp.Compare(a.subject, b.subject) })
	for i, a := range t {
		select {
		case a.turn <- struct{}{}:
		case <-ctx.Done():
			t[:i].release()
			return ctx.Err()
		}
	}
	return nil
}

func (t turns) release() {
	for _, a := range t {
		<-a.turn
	}
}

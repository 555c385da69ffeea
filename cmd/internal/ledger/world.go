package ledger

import (
	"context"

	"github.com/milepost-ledger/milepost/domain"
)

// world shows a decision the states of other aggregates, and notes which.
type world struct {
	ctx     context.Context
	ledger  *Ledger
	overlay overlay
	earlier overlay // beneath overlay: after commands that are being appended, or of one moment
	ahead   int     // events that are on their way into the log, at most
	looked  []look  // as first seen: the append expects what was decided on. There are few, so a list does
}

// look is a state that a decision has seen, of the object that knows which commands led
// to it: the cache may forget that, and make another one meanwhile.
type look struct {
	*aggregate
	snapshot snapshot
}

// seen appends the aggregates that were looked at.
func (w *world) seen(to []*aggregate) []*aggregate {
	for i := range w.looked {
		to = append(to, w.looked[i].aggregate)
	}
	return to
}

// overlay holds states that are not, or not yet, those of the log: after
// commands that are decided but not appended, and blank ones, see suppose.
type overlay map[domain.Ref]look

// suppose lets a command that makes something new be decided without a look at
// the log, as if its aggregate did not exist: the append checks just that. If
// it does exist after all, the append conflicts or the decision is refused, and
// both are tried again on what the log says. It saves a read for each new
// aggregate, which an import would feel.
func (o *overlay) suppose(t *task, own *aggregate) {
	_, creating := t.Command.(domain.Creating)
	if _, decided := (*o)[own.ref]; decided || !creating || own.isLoaded() {
		return
	}
	if *o == nil {
		*o = overlay{}
	}
	(*o)[own.ref] = look{own, snapshot{}}
}

func (w *world) snapshot(ref domain.Ref) (*aggregate, snapshot, error) {
	for i := range w.looked {
		if l := &w.looked[i]; l.ref == ref {
			return l.aggregate, l.snapshot, nil
		}
	}
	seen, ok := w.overlay[ref]
	if !ok {
		seen, ok = w.earlier[ref]
	}
	if !ok {
		a, err := w.ledger.aggregate(ref)
		if err != nil {
			return nil, snapshot{}, err
		}
		s, err := w.ledger.current(w.ctx, a)
		if err != nil {
			return a, s, err
		}
		seen = look{a, s}
	}
	w.looked = append(w.looked, seen)
	return seen.aggregate, seen.snapshot, nil
}

// Last implements domain.World.
func (w *world) Last() (uint64, error) {
	last, err := w.ledger.log.Last(w.ctx)
	return last + uint64(w.ahead), err
}

// State implements domain.World. What has no key does not exist: a change of an
// amendment may lack one, and the rules refuse it as they do what is not there.
func (w *world) State(ref domain.Ref) (any, error) {
	if ref.Key == "" {
		return nil, nil
	}
	_, s, err := w.snapshot(ref)
	return s.State, err
}

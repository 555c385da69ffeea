package domain

import "fmt"

// Overlay is a [World] in which more has happened than in the one beneath it:
// what a decision has decided so far, for what it decides next. It belongs to
// one decision and never shows through to the world beneath.
type Overlay struct {
	beneath World
	kinds   []Aggregate
	states  map[Ref]any
}

// NewOverlay returns a world like beneath, in which events of the aggregates of
// kinds can happen.
func NewOverlay(beneath World, kinds ...Aggregate) *Overlay {
	return &Overlay{beneath, kinds, map[Ref]any{}}
}

// State implements World.
func (o *Overlay) State(ref Ref) (any, error) {
	if s, ok := o.states[ref]; ok {
		return s, nil
	}
	return o.beneath.State(ref)
}

// Last implements World: what the decision itself decides is not in the log.
func (o *Overlay) Last() (uint64, error) { return o.beneath.Last() }

// Evolve lets e happen to ref; an event that is [Elsewhere] happens there.
func (o *Overlay) Evolve(ref Ref, e Event) error {
	if there, ok := e.(Elsewhere); ok {
		ref, e = there.Ref, there.Event
	}
	for _, a := range o.kinds {
		if a.Kind == ref.Kind {
			s, err := o.State(ref)
			if err == nil {
				o.states[ref] = a.Evolve(s, e)
			}
			return err
		}
	}
	return fmt.Errorf("%s happens to %s, of a kind that the overlay does not know", e.Type(), ref)
}

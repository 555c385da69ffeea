package web

import (
	"context"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/projections"
)

// stale is what changed since a form was opened.
type stale struct {
	What    string // the aggregate
	Changes []moved
	More    bool // there is more than is shown
}

// staleShown is how many changes are told at most.
const staleShown = 20

// stale says that what the form is about changed while it was filled in, by whom and
// how. What was typed stays, and goes on when somebody has seen this.
func (f *form) stale(ctx context.Context) (commandAnswer, error) {
	a := f.answer("stale")
	a.Hidden, a.Stale = f.hidden(), &stale{}
	cmd := keysOnly(f.zero, f.typ.Fields, f.key)
	if cmd == nil {
		return a, nil
	}
	ref := cmd.Ref()
	var err error
	if f.models, err = f.site.api.Latest(ctx); err != nil {
		return a, err
	}
	if a.Stale.What, err = f.titleOf(ctx, ref); err != nil {
		return a, err
	}
	a.Stale.What = f.Label(ref.Kind) + " " + a.Stale.What
	q := projections.ChangeQuery{Agreement: ref.Agreement, Entity: ref.Path(), Page: projections.Page{Limit: staleShown}}
	if q.From, q.To, err = f.models.ResolveRange(ctx, projections.AsOf("seq:"+f.values.Get(seqField)), "", projections.Page{}); err != nil {
		return a, nil // how it changed cannot be told, only that it did
	}
	found, err := f.models.Changes(ctx, q)
	if err != nil {
		return a, err
	}
	a.Stale.More = !found.Complete
	for _, c := range found.Changes {
		m := moved{Label: f.fieldLabel(partOf(ref, c.Entity), c.Field), Old: f.told(c.Field, c.Old), New: f.told(c.Field, c.New), Who: c.Actor, When: c.RecordedAt}
		if c.Party != "" {
			m.Who += " (" + c.Party + ")"
		}
		a.Stale.Changes = append(a.Stale.Changes, m)
	}
	return a, nil
}

// partOf is a part's name within its aggregate.
func partOf(ref domain.Ref, entity string) string {
	if len(entity) > len(ref.Path()) {
		return entity[len(ref.Path())+1:]
	}
	return ""
}

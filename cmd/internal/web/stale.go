package web

import (
	"context"

	"github.com/milepost-ledger/milepost/projections"
)

// stale is what changed since a form was opened.
type stale struct {
	What    string // the aggregate
	Changes changeList
	More    bool // there is more than is shown
}

// staleShown is how many changes are told at most.
const staleShown = 20

// stale says that what the form is about changed while it was filled in, by whom and
// how. What was typed stays, and goes on when somebody has seen this.
func (f *form) stale(ctx context.Context) (commandAnswer, error) {
	a := f.answer("stale")
	a.Hidden, a.Stale = f.hidden(), &stale{Changes: changeList{visit: f.visit}}
	cmd := keysOnly(f.zero, f.typ.Fields, f.key)
	if cmd == nil {
		return a, nil
	}
	ref := cmd.Ref()
	var err error
	if f.models, err = f.site.api.Latest(ctx); err != nil {
		return a, err
	}
	q := projections.ChangeQuery{Agreement: ref.Agreement, Entity: ref.Path(), Page: projections.Page{Limit: staleShown}}
	if q.From, q.To, err = f.models.ResolveRange(ctx, projections.AsOf("seq:"+f.values.Get(seqField)), "", projections.Page{}); err != nil {
		return a, nil // how it changed cannot be told, only that it did
	}
	f.At, f.titles = q.To, titles{} // what is called otherwise since then
	a.Stale.What = f.called(ref, "")
	found, err := f.models.Changes(ctx, q)
	if err != nil {
		return a, err
	}
	a.Stale.More = !found.Complete
	a.Stale.Changes, err = f.site.changeList(ctx, f.visit, found.Changes)
	return a, err
}

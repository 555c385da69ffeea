package web

import (
	"context"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/projections"
)

// marks are the changes since the point that a page is to be compared with. They are
// read when the first is looked for: most pages mark little, and many nothing.
type marks struct {
	asked *projections.ChangeQuery // nil where no point was chosen
	found map[markKey]projections.Change
}

// markKey names a field of an entity.
type markKey struct{ agreement, entity, field string }

// maxMarks bounds how many changed fields a page marks. Beyond it, the page of the
// changes is the place to look.
const maxMarks = 5000

// resolveMarks finds which changes are to be marked: those of the thing that the page
// is about, of its agreement, or of all.
func (v *visit) resolveMarks(ctx context.Context) (err error) {
	if v.Since == "" {
		return nil
	}
	q := projections.ChangeQuery{Agreement: v.Agreement, Net: true, Page: projections.Page{Limit: projections.MaxLimit}}
	for _, kind := range []string{"project", "fund", "indicator", "meeting", "amendment"} {
		if key := v.request.PathValue(kind); key != "" {
			q.Entity = kind + "/" + key
		}
	}
	if v.EffectiveAt != "" {
		q.From, q.To, err = v.models.ResolveEffectiveRange(ctx, projections.AsOf(v.AsOf), v.Agreement, v.Since, v.EffectiveAt, projections.Page{})
	} else {
		q.From, q.To, err = v.models.ResolveRange(ctx, projections.AsOf(v.Since), projections.AsOf(v.AsOf), projections.Page{})
	}
	v.marks.asked = &q
	return err
}

// marked are the changes by what they are of. Like a title, they are looked for where
// no error can be handed on: see [visit.fail].
func (v *visit) marked() map[markKey]projections.Change {
	if v.marks.asked == nil || v.marks.found != nil {
		return v.marks.found
	}
	v.marks.found = map[markKey]projections.Change{}
	for q := *v.marks.asked; len(v.marks.found) < maxMarks; {
		found, err := v.models.Changes(v.request.Context(), q)
		if err != nil {
			v.fail(err)
			break
		}
		for _, c := range found.Changes {
			v.marks.found[markKey{c.Agreement, c.Entity, c.Field}] = c
		}
		if found.Complete {
			break
		}
		q.Page.Cursor = found.Next
	}
	return v.marks.found
}

// mark is a change to be shown in its place.
type mark struct {
	*visit
	projections.Change
}

// Was is how a field of an entity changed since the chosen point, nil where it did
// not: "project/iot-base/milestone/design", "forecast".
func (v *visit) Was(agreement domain.Key, entity, field string) *mark {
	c, ok := v.marked()[markKey{string(agreement), entity, field}]
	if !ok {
		return nil
	}
	return &mark{v, c}
}

// New reports whether an entity came to be since the chosen point: a field that
// every one of its kind has is new.
func (v *visit) New(agreement domain.Key, entity string) bool {
	c, ok := v.marked()[markKey{string(agreement), entity, "title"}]
	return ok && c.Op == "add"
}

// Marks reports whether any field of an entity is marked.
func (v *visit) Marks(agreement domain.Key, entity string) bool {
	for key := range v.marked() {
		if key.agreement == string(agreement) && key.entity == entity {
			return true
		}
	}
	return false
}

// First reports whether there was nothing before.
func (m *mark) First() bool { return len(m.Old) == 0 || string(m.Old) == "null" }

package web

import (
	"context"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/projections"
)

// markKey names a field of an entity.
type markKey struct{ agreement, entity, field string }

// maxMarks bounds how many changed fields a page marks. Beyond it, the page of the
// changes is the place to look.
const maxMarks = 5000

// loadMarks finds what changed since the chosen point: of the project or the agreement
// that the page is about, or of all.
func (v *visit) loadMarks(ctx context.Context) error {
	if v.Since == "" {
		return nil
	}
	q := projections.ChangeQuery{Agreement: v.Agreement, Net: true, Page: projections.Page{Limit: projections.MaxLimit}}
	if key := domain.Key(v.request.PathValue("project")); key.Valid() {
		q.Project = key
	}
	var err error
	if v.EffectiveAt != "" {
		q.From, q.To, err = v.models.ResolveEffectiveRange(ctx, projections.AsOf(v.AsOf), v.Agreement, v.Since, v.EffectiveAt, projections.Page{})
	} else {
		q.From, q.To, err = v.models.ResolveRange(ctx, projections.AsOf(v.Since), projections.AsOf(v.AsOf), projections.Page{})
	}
	if err != nil {
		return err
	}
	v.marks = map[markKey]projections.Change{}
	for len(v.marks) < maxMarks {
		found, err := v.models.Changes(ctx, q)
		if err != nil {
			return err
		}
		for _, c := range found.Changes {
			v.marks[markKey{c.Agreement, c.Entity, c.Field}] = c
		}
		if found.Complete {
			break
		}
		q.Page.Cursor = found.Next
	}
	return nil
}

// Marked is how many fields are marked.
func (v *visit) Marked() int { return len(v.marks) }

// Was is how a field of an entity changed since the chosen point, nil where it did
// not: "project/iot-base/milestone/design", "forecast".
func (v *visit) Was(agreement domain.Key, entity, field string) *mark {
	c, ok := v.marks[markKey{string(agreement), entity, field}]
	if !ok {
		return nil
	}
	return &mark{v, c}
}

// New reports whether an entity came to be since the chosen point: a field that
// every one of its kind has is new.
func (v *visit) New(agreement domain.Key, entity string) bool {
	c, ok := v.marks[markKey{string(agreement), entity, "title"}]
	return ok && c.Op == "add"
}

// mark is a change to be shown in its place.
type mark struct {
	*visit
	projections.Change
}

// First reports whether there was nothing before.
func (m *mark) First() bool { return len(m.Old) == 0 || string(m.Old) == "null" }

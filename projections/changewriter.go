package projections

import (
	"fmt"

	"github.com/milepost-ledger/milepost/domain"
)

// The changes of an event are written as they are found, by a function that is made
// once: one that had to be made for each event would take five pieces of memory.

// writeChanges writes the difference of two states, and notes in p.parts which
// parts of the aggregate it is about.
func (p *projector) writeChanges(kind *domain.Aggregate, a *aggregate, before, after any) error {
	p.parts, p.newParts, p.ownChanged = p.parts[:0], 0, false
	p.changes = changes{of: a, entity: a.entity}
	if p.writeChange == nil {
		p.writeChange = p.change
	}
	kind.Diff(before, after, p.writeChange)
	return p.changes.err
}

// changes is how far the changes of the event at hand are written.
type changes struct {
	of     *aggregate
	part   string    // to which the last one belongs
	entity entityRef // and the entity of that
	n      int64
	row    changeRow // room
	err    error
}

// change writes one of them.
func (p *projector) change(c domain.Change) {
	to := &p.changes
	if to.err != nil {
		return
	}
	if to.n>>changeBits != 0 {
		to.err = fmt.Errorf("more than %d fields changed in one event", 1<<changeBits)
		return
	}
	p.ownChanged = p.ownChanged || c.Part == ""
	if c.Part != to.part {
		if to.entity, to.err = p.partEntity(to.of.ref, to.of.entity, c.Part); to.err != nil {
			return
		}
		if to.part = c.Part; to.part != "" {
			p.parts = append(p.parts, to.part)
		}
	}
	to.row = changeRow{Entity: to.entity, Field: c.Field, Old: p.json(c.Before), New: p.json(c.After)}
	to.err = put(p, changeTable, "", &to.row, int64(p.next()<<changeBits)|to.n)
	to.n++
}

func (p *projector) json(v any) string {
	p.text = appendValue(p.text[:0], v)
	return domain.Intern(p.text)
}

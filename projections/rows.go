package projections

import (
	"bytes"
	"strings"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/party"
	"github.com/milepost-ledger/milepost/domain/project"
)

// writeModels writes a new version of each row that the step from one state to
// the next changes.
func (p *projector) writeModels(a *aggregate, before, after any) error {
	var err error
	switch after := after.(type) {
	case *party.State:
		was, _ := before.(*party.State)
		err = putChanged(p, partyTable, a, was, after, partyOf)
	case *agreement.State:
		was, _ := before.(*agreement.State)
		err = putChanged(p, agreementTable, a, was, after, agreementOf)
	case *project.State:
		was, _ := before.(*project.State)
		err = p.writeProject(a, was, after)
	}
	return err
}

// putChanged writes the row of an aggregate unless it says what the last one
// said.
func putChanged[S, T any](p *projector, t *table[T], a *aggregate, was, is *S, rowOf func(*S) *T) error {
	if a.row == nil && was != nil { // folded from the log
		a.row = p.encode(t.order, func() { digestRow(p, t, a.entity.name, rowOf(was)) })
	}
	row := rowOf(is)
	now := p.encode(t.order, func() { digestRow(p, t, a.entity.name, row) })
	if bytes.Equal(a.row, now) {
		return nil
	}
	a.row = now
	return putVersion(p, t, a.entity, row)
}

// writeProject writes the rows of a project, of those of its milestones that
// the event at hand touched, and the progress of its agreement.
func (p *projector) writeProject(a *aggregate, was, is *project.State) (err error) {
	if was != nil && was.Tolerance != is.Tolerance {
		err = p.writeRecoloured(a, was, is)
	} else {
		err = p.writeMilestones(a, is)
	}
	if err != nil {
		return err
	}
	// Most events change a milestone and not the project: that is seen without
	// making its row.
	if a.sum == nil && was != nil { // folded from the log
		sum := sumOf(was)
		a.sum = &sum
	}
	sum := sumOf(is)
	if a.sum != nil && *a.sum == sum && !p.ownChanged {
		return nil
	}
	a.sum = &sum
	row := projectOf(is, sum)
	if err := putVersion(p, projectTable, a.entity, row); err != nil {
		return err
	}
	of, err := p.aggregateEntity(agreement.Ref(a.ref.Agreement))
	if err != nil {
		return err
	}
	r, err := p.rollup(of.id)
	if err != nil {
		return err
	}
	if r.set(a.entity.id, share(row)) {
		return putVersion(p, progressTable, of, &r.sum)
	}
	return nil
}

// writeMilestones writes the milestones that the event at hand changed.
func (p *projector) writeMilestones(a *aggregate, is *project.State) error {
	for _, part := range p.parts {
		kind, key, _ := strings.Cut(part, "/")
		if kind != partMilestone {
			continue
		}
		m, _ := is.Milestones.Get(domain.Key(key))
		if err := p.writeMilestone(a, part, milestoneOf(&m, is.Tolerance)); err != nil {
			return err
		}
	}
	return nil
}

// writeRecoloured writes the milestones that look different under another
// tolerance.
func (p *projector) writeRecoloured(a *aggregate, was, is *project.State) error {
	encode := func(m *Milestone) []byte {
		return p.encode(milestoneTable.order, func() { digestRow(p, milestoneTable, "", m) })
	}
	for key, m := range is.Milestones.All() {
		row := milestoneOf(&m, is.Tolerance)
		if old, had := was.Milestones.Get(key); had && bytes.Equal(encode(milestoneOf(&old, was.Tolerance)), encode(row)) {
			continue
		}
		if err := p.writeMilestone(a, partMilestone+"/"+string(key), row); err != nil {
			return err
		}
	}
	return nil
}

func (p *projector) writeMilestone(a *aggregate, part string, row *Milestone) error {
	e, err := p.partEntity(a.ref, a.entity, part)
	if err != nil {
		return err
	}
	return putVersion(p, milestoneTable, e, row)
}

// encode returns what add adds to the digest's rows, without adding it.
func (p *projector) encode(order int, add func()) []byte {
	start := len(p.chain.rows[order])
	add()
	now := bytes.Clone(p.chain.rows[order][start:])
	p.chain.rows[order] = p.chain.rows[order][:start]
	return now
}

func digestRow[T any](p *projector, t *table[T], entity string, row *T) {
	p.room = t.cells(p.room[:0], row, &p.memo)
	p.chain.add(t.order, t.name, entity, p.room)
}

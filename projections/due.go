package projections

import (
	"cmp"
	"container/heap"
	"context"
	"fmt"
	"math"

	"zombiezen.com/go/sqlite"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/project"
)

// DueMilestone is a milestone that is still to be met, and where it is.
type DueMilestone struct {
	Agreement      domain.Key  `json:"agreement"`
	AgreementTitle domain.Text `json:"agreement_title"`
	Project        domain.Key  `json:"project"`
	ProjectTitle   domain.Text `json:"project_title"`
	Milestone      domain.Key  `json:"milestone"`
	Title          domain.Text `json:"title"`
	Due            domain.Date `json:"due"` // agreed
	Forecast       domain.Date `json:"forecast"`
	SlipDays       *int        `json:"slip_days"` // forecast after the baseline; null without one
	RAG            string      `json:"rag"`
	Overdue        bool        `json:"overdue"` // the agreed date is past on the day of the point
	State          string      `json:"state"`   // scheduled, claimed
}

// Due lists the milestones of an agreement, or where of is "" of all that there
// are, which are neither met nor cancelled and whose agreed date is until or
// before; all where that is 0. Those of projects that are closed or cancelled do
// not count. They come in the order of their dates, so what is overdue is first;
// where dates are the same, in the order in which agreements and projects were
// begun, and they themselves scheduled. It refuses with not-found.
func (m *Models) Due(ctx context.Context, of domain.Key, at Point, until domain.Date, page Page) (items []DueMilestone, next string, err error) {
	err = m.read(ctx, at, func(q *query) error {
		p, err := page.open(at, "due", string(of), until.String())
		if err != nil {
			return err
		}
		search := dueSearch{q: q, until: cmp.Or(until, math.MaxInt32)}
		if of == "" {
			err = q.covers("")
			if err == nil {
				err = search.lookInto(place{})
			}
		} else if e, e2 := q.aggregate(agreement.Ref(of)); e2 != nil {
			err = e2
		} else {
			err = search.lookInto(place{inside: inAgreement, agreement: e.id})
		}
		var places []place
		for err == nil && len(places) <= int(p.after)+p.limit {
			var ok bool
			var found place
			if found, ok, err = search.next(); !ok {
				break
			}
			places = append(places, found)
		}
		if err != nil {
			return fmt.Errorf("list due: %w", err)
		}
		places, next = pageOf(places, p)
		items, err = q.due(places)
		return err
	})
	return items, next, err
}

// inside says what a place of a search is, from the outermost to a milestone.
type inside int

const (
	inLedger inside = iota
	inAgreement
	inProject
	inMilestone
)

// place is an agreement, a project or a milestone, and the first date on which
// something in it is due.
type place struct {
	due                domain.Date
	inside             inside
	agreement, project int64 // entities
	order              int   // of milestones in their project
	milestone          *Milestone
}

// dueSearch finds what is due in the order of dates: it always looks into the
// place with the earliest one. Agreements and projects have that in their rows,
// so it looks only into those that have something among what is asked for, and
// reads one number of each of the others.
type dueSearch struct {
	q      *query
	until  domain.Date
	places []place // a heap
}

func (s *dueSearch) Len() int      { return len(s.places) }
func (s *dueSearch) Swap(i, j int) { s.places[i], s.places[j] = s.places[j], s.places[i] }
func (s *dueSearch) Push(x any)    { s.places = append(s.places, x.(place)) }
func (s *dueSearch) Pop() any {
	last := s.places[len(s.places)-1]
	s.places = s.places[:len(s.places)-1]
	return last
}

// Less is the order of the list. An agreement is in the place of all that is in
// it, and so is a project: what they lack of the order counts as first.
func (s *dueSearch) Less(i, j int) bool {
	a, b := &s.places[i], &s.places[j]
	return cmp.Or(cmp.Compare(a.due, b.due), cmp.Compare(a.agreement, b.agreement), cmp.Compare(a.project, b.project), cmp.Compare(a.order, b.order)) < 0
}

// next finds the next milestone.
func (s *dueSearch) next() (found place, ok bool, err error) {
	for len(s.places) > 0 {
		first := heap.Pop(s).(place)
		if first.inside == inMilestone {
			return first, true, nil
		}
		if err := s.lookInto(first); err != nil {
			return place{}, false, err
		}
	}
	return place{}, false, nil
}

// firstDue selects the first date of each entity of a kind below another, where
// it has one by some date.
const firstDue = `SELECT e.id, v.next_due FROM (SELECT id FROM entity WHERE parent = ? AND kind = ? AND first_seq <= ? ORDER BY id LIMIT -1) e
	CROSS JOIN %[1]s v ON v.rowid = (SELECT rowid FROM %[1]s WHERE entity = e.id AND from_seq <= ? ORDER BY from_seq DESC LIMIT 1)
	WHERE v.next_due <= ?`

var (
	firstDueOfAgreements = fmt.Sprintf(firstDue, progressTable.name)
	firstDueOfProjects   = fmt.Sprintf(firstDue, projectTable.name)
)

// lookInto adds what is in a place and has something due.
func (s *dueSearch) lookInto(p place) error {
	seq := s.q.at.Seq
	below := func(query string, parent int64, kind string, add func(id int64, due domain.Date)) error {
		return each(s.q.conn, query, []any{parent, kind, seq, seq, int64(s.until)}, func(stmt *sqlite.Stmt) (bool, error) {
			add(stmt.ColumnInt64(0), domain.Date(stmt.ColumnInt64(1)))
			return true, nil
		})
	}
	switch p.inside {
	case inLedger:
		return below(firstDueOfAgreements, 0, agreement.Kind, func(id int64, due domain.Date) {
			heap.Push(s, place{due: due, inside: inAgreement, agreement: id})
		})
	case inAgreement:
		return below(firstDueOfProjects, p.agreement, project.Kind, func(id int64, due domain.Date) {
			heap.Push(s, place{due: due, inside: inProject, agreement: p.agreement, project: id})
		})
	}
	milestones, err := all(s.q, milestoneTable, milestoneTable.listSQL, []any{p.project, milestoneTable.name}, (*query).milestone)
	for i := range milestones {
		if m := &milestones[i]; openMilestone(m.State) && m.Due <= s.until {
			heap.Push(s, place{due: m.Due, inside: inMilestone, agreement: p.agreement, project: p.project, order: i, milestone: m})
		}
	}
	return err
}

// due tells of milestones what a reader wants to know.
func (q *query) due(places []place) ([]DueMilestone, error) {
	items := make([]DueMilestone, len(places))
	agreements, projects := map[int64]*Agreement{}, map[int64]*Project{}
	for i, p := range places {
		of, err := once(q, agreementTable, agreements, p.agreement)
		if err != nil {
			return nil, err
		}
		under, err := once(q, projectTable, projects, p.project)
		if err != nil {
			return nil, err
		}
		m := p.milestone
		items[i] = DueMilestone{
			Agreement: m.Agreement, AgreementTitle: of.Title, Project: m.Project, ProjectTitle: under.Title, Milestone: m.Milestone, Title: m.Title,
			Due: m.Due, Forecast: m.Forecast, SlipDays: m.SlipDays, RAG: m.RAG, Overdue: m.Overdue, State: m.State,
		}
	}
	return items, nil
}

// once is asOf for an entity whose row may have been read before.
func once[T any](q *query, t *table[T], read map[int64]*T, entity int64) (*T, error) {
	row, ok := read[entity]
	if ok {
		return row, nil
	}
	row = new(T)
	read[entity] = row
	_, err := asOf(q, t, entity, row)
	return row, err
}

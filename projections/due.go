package projections

import (
	"cmp"
	"context"
	"fmt"
	"math"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
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
// begun, and they themselves scheduled. It refuses with not-found. What has no
// agreed date, as on the effective axis before it is scheduled, is not due.
//
// It costs what is on the page, and as good as nothing for what is before it,
// however long the log is and however much is due. The first answer of a file takes
// as long as it takes to read its projects and milestones.
func (m *Models) Due(ctx context.Context, of domain.Key, at Point, until domain.Date, page Page) (items []DueMilestone, next string, err error) {
	err = m.read(ctx, at, func(q *query) error {
		p, err := page.open(at, "due", string(of), until.String())
		if err != nil {
			return err
		}
		e, err := q.dueOf(of)
		if err != nil {
			return err
		}
		before := p.after
		var spans []dueSpan
		err = q.line.dueAt(q, e.id, cmp.Or(until, math.MaxInt32), func(s *dueSpan) bool {
			switch {
			case before > 0:
				before--
			case len(spans) == p.limit:
				next = p.cursor(p.after + int64(p.limit))
				return false
			default:
				spans = append(spans, *s)
			}
			return true
		})
		if err == nil {
			items, err = q.due(spans)
		}
		if err != nil {
			return fmt.Errorf("list due: %w", err)
		}
		return nil
	})
	return items, next, err
}

// dueOf finds the agreement of which a question asks what is due, none for "".
func (q *query) dueOf(of domain.Key) (found, error) {
	if of == "" {
		return found{}, q.covers("")
	}
	return q.aggregate(agreement.Ref(of))
}

// dueRow is what a list of what is due takes of the table of milestones.
type dueRow struct {
	Title    domain.Text `json:"title"`
	State    string      `json:"state"`
	Due      domain.Date `json:"due"`
	Forecast domain.Date `json:"forecast"`
	SlipDays *int        `json:"slip_days"`
	AmberOn  domain.Date `json:"amber_on"`
	RedOn    domain.Date `json:"red_on"`
}

// titleRow is the title of an agreement or of a project.
type titleRow struct {
	Title domain.Text `json:"title"`
}

var (
	dueTable            = newTable[dueRow](orderMilestone, milestoneTable.name, versionLead...)
	agreementTitleTable = newTable[titleRow](orderAgreement, agreementTable.name, versionLead...)
	projectTitleTable   = newTable[titleRow](orderProject, projectTable.name, versionLead...)
)

// due tells of milestones what a reader wants to know.
func (q *query) due(spans []dueSpan) ([]DueMilestone, error) {
	items := make([]DueMilestone, len(spans))
	agreements, projects := map[uint32]place{}, map[uint32]place{}
	for i, s := range spans {
		of, err := once(q, agreementTitleTable, agreements, s.agreement)
		if err != nil {
			return nil, err
		}
		under, err := once(q, projectTitleTable, projects, s.project)
		if err != nil {
			return nil, err
		}
		path, err := q.path(int64(s.milestone))
		if err != nil {
			return nil, err
		}
		var m dueRow
		if _, err := asOf(q, dueTable, int64(s.milestone), &m); err != nil {
			return nil, err
		}
		items[i] = DueMilestone{
			Agreement: of.key, AgreementTitle: of.Title, Project: under.key, ProjectTitle: under.Title, Milestone: keyOf(path), Title: m.Title,
			Due: m.Due, Forecast: m.Forecast, SlipDays: m.SlipDays, RAG: ragOf(1, m.AmberOn, m.RedOn, q.at.Day), Overdue: past(m.Due, q.at.Day), State: m.State,
		}
	}
	return items, nil
}

// place is an agreement or a project, in which something is due.
type place struct {
	key domain.Key
	titleRow
}

// once reads a place that may have been read before.
func once(q *query, t *table[titleRow], read map[uint32]place, entity uint32) (p place, err error) {
	p, ok := read[entity]
	if ok {
		return p, nil
	}
	path, err := q.path(int64(entity))
	if err == nil {
		_, err = asOf(q, t, int64(entity), &p.titleRow)
	}
	p.key = keyOf(path)
	read[entity] = p
	return p, err
}

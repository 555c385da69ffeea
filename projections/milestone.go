package projections

import (
	"context"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/project"
)

// Milestone is a milestone as of a point.
type Milestone struct {
	Milestone   domain.Key   `json:"milestone" sql:"-"`
	Title       domain.Text  `json:"title"`
	State       string       `json:"state"`
	Baseline    domain.Date  `json:"baseline"` // of the effective baseline; none before the first
	Due         domain.Date  `json:"due"`      // agreed
	Forecast    domain.Date  `json:"forecast"`
	MetOn       domain.Date  `json:"met_on"`
	SlipDays    *int         `json:"slip_days"` // forecast or date met after the baseline; null without one
	Moves       int          `json:"moves"`     // of its dates
	RAG         string       `json:"rag" sql:"-"`
	Weight      int          `json:"weight"`
	Percent     int          `json:"percent"`
	Project     domain.Key   `json:"project" sql:"-"`
	Agreement   domain.Key   `json:"agreement" sql:"-"`
	Type        string       `json:"type"`
	Confirming  []domain.Key `json:"confirming"`
	DependsOn   []domain.Key `json:"depends_on"`
	ClaimedBy   domain.Key   `json:"claimed_by"`
	ConfirmedBy []domain.Key `json:"confirmed_by"`
	Overdue     bool         `json:"overdue" sql:"-"`     // not met, and the agreed date is past on the day of the point
	AmberOn     domain.Date  `json:"-" sql:"as=amber_on"` // first day on which it is amber or red, if nothing happens; none for never
	RedOn       domain.Date  `json:"-" sql:"as=red_on"`   // and red
}

var milestoneTable = newTable[Milestone](orderMilestone, "milestone", versionLead...)

func milestoneOf(s *project.State, key domain.Key) *Milestone {
	m, _ := s.Milestones.Get(key)
	row := &Milestone{
		Title: m.Title, State: m.State, Type: m.Type, Baseline: m.Baseline, Due: m.Due, Forecast: m.Forecast, MetOn: m.MetOn,
		Moves: m.Moves, Weight: m.Weight, Percent: m.PercentComplete(), Confirming: m.Confirming, DependsOn: m.DependsOn,
		ClaimedBy: m.ClaimedBy, ConfirmedBy: m.ConfirmedBy,
	}
	if days, ok := m.Slip(); ok {
		row.SlipDays = &days
	}
	row.AmberOn, row.RedOn = m.RAGDates(s.Tolerance)
	return row
}

// Milestones lists the milestones of a project in the order in which they were
// scheduled, or refuses with not-found.
func (m *Models) Milestones(ctx context.Context, of, key domain.Key, at Point, page Page) ([]Milestone, string, error) {
	return listOf(ctx, m, milestoneTable, project.Ref(of, key), at, page, (*query).milestone)
}

// Milestone returns one milestone, or refuses with not-found.
func (m *Models) Milestone(ctx context.Context, of, under, key domain.Key, at Point) (Milestone, error) {
	return partItem(ctx, m, milestoneTable, project.Ref(of, under), key, at, (*query).milestone)
}

func (q *query) milestone(i *Milestone, e found) error {
	i.Agreement, i.Project, i.Milestone = e.agreement, e.of(), keyOf(e.path)
	if i.State != project.Dropped {
		i.RAG = ragOf(1, i.AmberOn, i.RedOn, q.at.Day)
	}
	i.Overdue = openMilestone(i.State) && past(i.Due, q.at.Day)
	return nil
}

// openMilestone reports whether a milestone in a state is still to be met.
func openMilestone(state string) bool { return state == project.Scheduled || state == project.Claimed }

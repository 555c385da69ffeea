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

func milestoneOf(m *project.Milestone, t project.Tolerance) *Milestone {
	row := &Milestone{
		Title: m.Title, State: m.State, Type: m.Type, Baseline: m.Baseline, Due: m.Due, Forecast: m.Forecast, MetOn: m.MetOn,
		Moves: m.Moves, Weight: m.Weight, Percent: m.PercentComplete(), Confirming: m.Confirming, DependsOn: m.DependsOn,
		ClaimedBy: m.ClaimedBy, ConfirmedBy: m.ConfirmedBy,
	}
	if days, ok := m.Slip(); ok {
		row.SlipDays = &days
	}
	row.AmberOn, row.RedOn = m.RAGDates(t)
	return row
}

// Milestones lists the milestones of a project in the order in which they were
// scheduled, or refuses with not-found.
func (m *Models) Milestones(ctx context.Context, of, key domain.Key, at Point, page Page) (items []Milestone, next string, err error) {
	err = m.read(ctx, at, func(q *query) error {
		var p Project
		e, err := one(q, projectTable, project.Ref(of, key), "", &p)
		if err != nil {
			return err
		}
		items, next, err = list(q, milestoneTable, listing{parent: e.id, kind: partMilestone, page: page, at: at}, func(i *Milestone, e found) error {
			i.derive(of, key, keyOf(e.path), at)
			return nil
		})
		return err
	})
	return items, next, err
}

// Milestone returns one milestone, or refuses with not-found.
func (m *Models) Milestone(ctx context.Context, of, under, key domain.Key, at Point) (item Milestone, err error) {
	err = m.read(ctx, at, func(q *query) error {
		_, err := one(q, milestoneTable, project.Ref(of, under), partMilestone+"/"+string(key), &item)
		if err == nil {
			item.derive(of, under, key, at)
		}
		return err
	})
	return item, err
}

const partMilestone = "milestone"

func (i *Milestone) derive(of, under, key domain.Key, at Point) {
	i.Agreement, i.Project, i.Milestone = of, under, key
	if i.State != project.Dropped {
		i.RAG = ragOf(1, i.AmberOn, i.RedOn, at.Day)
	}
	i.Overdue = (i.State == project.Scheduled || i.State == project.Claimed) && i.Due != 0 && i.Due < at.Day
}

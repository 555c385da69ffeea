package projections

import (
	"context"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/project"
)

// Pace is how early an agreement bore fruit: days from its taking effect to
// the first of each thing that counts. What has not come yet is null, and so
// is every count before the agreement took effect.
type Pace struct {
	Agreement            domain.Key  `json:"agreement"`
	EffectiveOn          domain.Date `json:"effective_on"`
	FirstProjectOn       domain.Date `json:"first_project_on"` // the first start of a project
	DaysToFirstProject   *int        `json:"days_to_first_project"`
	FirstMilestoneOn     domain.Date `json:"first_milestone_on"` // the first date on which a milestone was met
	DaysToFirstMilestone *int        `json:"days_to_first_milestone"`
	FirstResultOn        domain.Date `json:"first_result_on"` // the first actual of an indicator that was verified
	DaysToFirstResult    *int        `json:"days_to_first_result"`
	Version              uint64      `json:"version"` // of the agreement
}

// Pace answers for one agreement, or refuses with not-found. It looks at each
// project that has met a milestone, and at each indicator.
func (m *Models) Pace(ctx context.Context, of domain.Key, at Point) (pace Pace, err error) {
	err = m.read(ctx, at, func(q *query) error {
		pace, err = q.pace(of)
		return err
	})
	return pace, err
}

func (q *query) pace(of domain.Key) (pace Pace, err error) {
	e, err := q.aggregate(agreement.Ref(of))
	if err != nil {
		return pace, err
	}
	var a Agreement
	if _, err := asOf(q, agreementTable, e.id, &a); err != nil {
		return pace, err
	}
	pace = Pace{Agreement: of, EffectiveOn: a.EffectiveOn, FirstProjectOn: a.FirstProjectOn}
	var projects []found
	err = everyBelow(q, projectTable, e.id, func(p *Project, e found) {
		if p.MilestonesMet > 0 {
			projects = append(projects, e)
		}
	})
	for _, p := range projects {
		if err == nil {
			err = everyBelow(q, milestoneTable, p.id, func(m *Milestone, _ found) {
				if m.State == project.Met {
					pace.FirstMilestoneOn = earlier(pace.FirstMilestoneOn, m.MetOn)
				}
			})
		}
	}
	if err == nil {
		err = everyBelow(q, indicatorTable, e.id, func(i *Indicator, _ found) {
			pace.FirstResultOn = earlier(pace.FirstResultOn, i.FirstVerifiedOn)
		})
	}
	if err != nil {
		return pace, err
	}
	pace.DaysToFirstProject = pace.daysTo(pace.FirstProjectOn)
	pace.DaysToFirstMilestone = pace.daysTo(pace.FirstMilestoneOn)
	pace.DaysToFirstResult = pace.daysTo(pace.FirstResultOn)
	pace.Version, err = q.version(e.id)
	return pace, err
}

func (p *Pace) daysTo(day domain.Date) *int {
	if p.EffectiveOn == 0 || day == 0 {
		return nil
	}
	days := int(day - p.EffectiveOn)
	return &days
}

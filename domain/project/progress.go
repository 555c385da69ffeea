package project

import "github.com/milepost-ledger/milepost/domain"

// ReportProgress is the command report-progress.
type ReportProgress struct {
	MilestoneID
	Percent int `json:"percent" required:"true" min:"0" max:"100" doc:"How much of it is done."`
}

func (ReportProgress) Name() string { return "report-progress" }

// Decide takes the report on a milestone not met yet; less than before takes a
// reason. All of it done is not met: that takes a claim and its confirmation.
func (c ReportProgress) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	m, err := c.of(s, Scheduled, Claimed)
	if err != nil {
		return nil, err
	}
	if c.Percent == m.Percent {
		return nil, domain.Refuse(domain.CodeNothingChanged, "percent", "milestone %q stands at %d already", c.Milestone, c.Percent)
	}
	if c.Percent < m.Percent {
		if err := in.RequireReason("less progress than before"); err != nil {
			return nil, err
		}
	}
	return []domain.Event{ProgressReported(c)}, nil
}

// ProgressReported: so much of the milestone is done.
type ProgressReported struct {
	MilestoneID
	Percent int `json:"percent" doc:"How much of it is done."`
}

func (ProgressReported) Type() string { return "milepost.project.progress-reported.v1" }

func (e ProgressReported) Apply(s *State) {
	s.edit(e.MilestoneID, func(m Milestone) Milestone {
		m.Percent = e.Percent
		return m
	})
}

// PercentComplete returns how much is done, as earned value counts it: all of
// a milestone that is met, else what was reported last.
func (m Milestone) PercentComplete() int {
	if m.State == Met {
		return 100
	}
	return m.Percent
}

// Progress returns the sums of which the project's progress is the quotient:
// earned is each milestone's percent complete times its weight, weight the sum
// of weights, cancelled milestones left out. Percent complete is earned/weight,
// undefined where weight is 0. It is the earned value of weighted milestones
// with percent complete (ANSI/EIA-748), in weights for want of budgets; the
// sums of projects add up to those of their agreement.
func (s *State) Progress() (earned, weight int) {
	for _, m := range s.Milestones.Values() {
		e, w := m.Progress()
		earned, weight = earned+e, weight+w
	}
	return earned, weight
}

// Progress returns what the milestone adds to the sums of its project.
func (m *Milestone) Progress() (earned, weight int) {
	if m.State == Dropped {
		return 0, 0
	}
	return m.Weight * m.PercentComplete(), m.Weight
}

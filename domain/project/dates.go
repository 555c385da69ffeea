package project

import "github.com/milepost-ledger/milepost/domain"

// Reforecast is the command reforecast-milestone.
type Reforecast struct {
	MilestoneID
	Forecast domain.Date `json:"forecast" required:"true" doc:"When it is expected now."`
}

func (Reforecast) Name() string { return "reforecast-milestone" }

// Decide moves the forecast of a scheduled milestone, and that alone.
func (c Reforecast) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	m, err := c.of(s, Scheduled)
	if err != nil {
		return nil, err
	}
	if err := in.RequireReasonCode("moving a date"); err != nil {
		return nil, err
	}
	if m.Forecast == c.Forecast {
		return nil, domain.Refuse(domain.CodeNothingChanged, "forecast", "milestone %q is expected on %s already", c.Milestone, c.Forecast)
	}
	return []domain.Event{MilestoneReforecast(c)}, nil
}

// MilestoneReforecast: the milestone is expected on another date.
type MilestoneReforecast struct {
	MilestoneID
	Forecast domain.Date `json:"forecast" doc:"When it is expected now."`
}

func (MilestoneReforecast) Type() string { return "milepost.project.milestone-reforecast.v1" }

func (e MilestoneReforecast) Apply(s *State) {
	s.edit(e.MilestoneID, func(m Milestone) Milestone {
		return m.moved(m.Due, e.Forecast)
	})
}

// Reschedule is the command reschedule-milestone.
type Reschedule struct {
	MilestoneID
	Due       domain.Date `json:"due" required:"true" doc:"The date that is agreed now."`
	Decision  domain.Key  `json:"decision,omitzero" doc:"The decision that agreed it; this or the amendment."`
	Amendment domain.Key  `json:"amendment,omitzero" doc:"The amendment that agreed it; this or the decision."`
}

func (Reschedule) Name() string { return "reschedule-milestone" }

// Decide moves the agreed date of a scheduled milestone, never its baseline.
// A forecast that only repeated the agreed date follows it.
func (c Reschedule) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	m, err := c.of(s, Scheduled)
	if err != nil {
		return nil, err
	}
	if err := citation(c.Decision, c.Amendment); err != nil {
		return nil, err
	}
	if err := requireCited(in, c.Agreement, c.path(), c.Decision, c.Amendment); err != nil {
		return nil, err
	}
	if err := in.RequireReasonCode("moving a date"); err != nil {
		return nil, err
	}
	if m.Due == c.Due {
		return nil, domain.Refuse(domain.CodeNothingChanged, "due", "milestone %q is agreed for %s already", c.Milestone, c.Due)
	}
	e := MilestoneRescheduled{MilestoneID: c.MilestoneID, Due: c.Due, Forecast: m.Forecast, Decision: c.Decision, Amendment: c.Amendment}
	if m.Forecast == m.Due {
		e.Forecast = c.Due
	}
	return []domain.Event{e}, nil
}

// MilestoneRescheduled: the milestone is agreed for Due, and still or by that
// expected on Forecast.
type MilestoneRescheduled struct {
	MilestoneID
	Due       domain.Date `json:"due" doc:"The date that is agreed now."`
	Forecast  domain.Date `json:"forecast" doc:"When it is expected now."`
	Decision  domain.Key  `json:"decision,omitzero" doc:"The decision behind it."`
	Amendment domain.Key  `json:"amendment,omitzero" doc:"The amendment behind it."`
}

func (MilestoneRescheduled) Type() string { return "milepost.project.milestone-rescheduled.v1" }

func (e MilestoneRescheduled) Apply(s *State) {
	s.edit(e.MilestoneID, func(m Milestone) Milestone {
		return m.moved(e.Due, e.Forecast)
	})
}

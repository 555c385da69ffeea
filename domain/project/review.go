package project

import "github.com/milepost-ledger/milepost/domain"

// Judge is the command judge-milestone.
type Judge struct {
	MilestoneID
	Outcome  string     `json:"outcome" required:"true" enum:"partially-met,not-met" doc:"What the review found."`
	Decision domain.Key `json:"decision,omitzero" doc:"The decision of the review."`
}

func (Judge) Name() string { return "judge-milestone" }

// Decide takes the judgement on an open milestone, for a reason; a claim that
// was pending is void.
func (c Judge) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	if _, err := c.of(s, Scheduled, Claimed); err != nil {
		return nil, err
	}
	if err := in.RequireReason("a judgement"); err != nil {
		return nil, err
	}
	if err := requireCited(in, c.Agreement, c.path(), c.Decision, ""); err != nil {
		return nil, err
	}
	return []domain.Event{MilestoneJudged(c)}, nil
}

// MilestoneJudged: a review found the milestone partially met or not met.
type MilestoneJudged struct {
	MilestoneID
	Outcome  string     `json:"outcome" enum:"partially-met,not-met" doc:"What the review found."`
	Decision domain.Key `json:"decision,omitzero" doc:"The decision behind it."`
}

func (MilestoneJudged) Type() string { return "milepost.project.milestone-judged.v1" }

func (e MilestoneJudged) Apply(s *State) {
	s.edit(e.MilestoneID, func(m Milestone) Milestone {
		m = m.noClaim()
		m.State = e.Outcome
		return m
	})
}

// Reopen is the command reopen-milestone.
type Reopen struct{ MilestoneID }

func (Reopen) Name() string { return "reopen-milestone" }

// Decide schedules a settled milestone again, for a reason.
func (c Reopen) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	if _, err := c.of(s, Met, PartiallyMet, NotMet); err != nil {
		return nil, err
	}
	if err := in.RequireReason("reopening"); err != nil {
		return nil, err
	}
	return []domain.Event{MilestoneReopened(c)}, nil
}

// MilestoneReopened: the milestone is scheduled again, nothing claimed.
type MilestoneReopened struct{ MilestoneID }

func (MilestoneReopened) Type() string { return "milepost.project.milestone-reopened.v1" }

func (e MilestoneReopened) Apply(s *State) {
	s.edit(e.MilestoneID, func(m Milestone) Milestone {
		m = m.noClaim()
		m.State = Scheduled
		return m
	})
}

// CancelMilestone is the command cancel-milestone.
type CancelMilestone struct{ MilestoneID }

func (CancelMilestone) Name() string { return "cancel-milestone" }

// Decide cancels an open milestone for good, for a reason.
func (c CancelMilestone) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	if _, err := c.of(s, Scheduled, Claimed); err != nil {
		return nil, err
	}
	if err := in.RequireReason("a cancellation"); err != nil {
		return nil, err
	}
	return []domain.Event{MilestoneCancelled(c)}, nil
}

// MilestoneCancelled: the milestone counts no more, and what depends on it
// need not wait for it.
type MilestoneCancelled struct{ MilestoneID }

func (MilestoneCancelled) Type() string { return "milepost.project.milestone-cancelled.v1" }

func (e MilestoneCancelled) Apply(s *State) {
	s.edit(e.MilestoneID, func(m Milestone) Milestone {
		m = m.noClaim()
		m.State = Dropped
		return m
	})
}

package project

import (
	"strings"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
)

// CodeOpenMilestones refuses to close a project that has milestones to settle.
const CodeOpenMilestones = "open-milestones"

// Approve is the command approve-project.
type Approve struct{ ID }

func (Approve) Name() string { return "approve-project" }

// Decide approves a proposed project.
func (c Approve) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	if err := c.in(s, StatusProposed); err != nil {
		return nil, err
	}
	return []domain.Event{Approved(c)}, nil
}

// Approved: the project may start.
type Approved struct{ ID }

func (Approved) Type() string     { return "milepost.project.approved.v1" }
func (e Approved) Apply(s *State) { s.ID, s.State = e.ID, StatusApproved }

// Start is the command start-project.
type Start struct{ ID }

func (Start) Name() string { return "start-project" }

// Decide starts an approved project on the effective date, under an agreement
// in effect: the event on the agreement makes sure that it still is.
func (c Start) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	if err := c.in(s, StatusApproved); err != nil {
		return nil, err
	}
	if err := requireActive(in, c.Agreement, "no project starts"); err != nil {
		return nil, err
	}
	on := in.EffectiveOn()
	if err := in.NotFuture("effective", on); err != nil {
		return nil, err
	}
	return []domain.Event{
		Started{c.ID, on},
		domain.On(agreement.Ref(c.Agreement), agreement.ProjectStarted{ID: agreement.ID{Agreement: c.Agreement}, Project: c.Project, On: on}),
	}, nil
}

func requireActive(in domain.Input, key domain.Key, what string) error {
	a, err := agreement.Load(in.World, "agreement", key)
	if err != nil {
		return err
	}
	return a.RequireActive(what)
}

// Started: the project is under way since On.
type Started struct {
	ID
	On domain.Date `json:"on" doc:"The date on which it holds."`
}

func (Started) Type() string { return "milepost.project.started.v1" }

func (e Started) Apply(s *State) { s.ID, s.State, s.StartedOn = e.ID, StatusImplementation, e.On }

// Suspend is the command suspend-project.
type Suspend struct{ ID }

func (Suspend) Name() string { return "suspend-project" }

// Decide suspends a project under way, for a reason.
func (c Suspend) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	if err := c.in(s, StatusImplementation); err != nil {
		return nil, err
	}
	if err := in.RequireReason("a suspension"); err != nil {
		return nil, err
	}
	return []domain.Event{Suspended(c)}, nil
}

// Suspended: the project rests until it is resumed.
type Suspended struct{ ID }

func (Suspended) Type() string     { return "milepost.project.suspended.v1" }
func (e Suspended) Apply(s *State) { s.ID, s.State = e.ID, StatusSuspended }

// Resume is the command resume-project.
type Resume struct{ ID }

func (Resume) Name() string { return "resume-project" }

// Decide resumes a suspended project under the same rule as Start.
func (c Resume) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	if err := c.in(s, StatusSuspended); err != nil {
		return nil, err
	}
	if err := requireActive(in, c.Agreement, "no project resumes"); err != nil {
		return nil, err
	}
	return []domain.Event{
		Resumed(c),
		domain.On(agreement.Ref(c.Agreement), agreement.ProjectResumed{ID: agreement.ID{Agreement: c.Agreement}, Project: c.Project, On: in.EffectiveOn()}),
	}, nil
}

// Resumed: the project is under way again.
type Resumed struct{ ID }

func (Resumed) Type() string     { return "milepost.project.resumed.v1" }
func (e Resumed) Apply(s *State) { s.ID, s.State = e.ID, StatusImplementation }

// FundsReceived is put here by disburse-funds. It changes nothing: its append
// checks that the project has not ended and the milestone was not cancelled
// meanwhile.
type FundsReceived struct {
	ID
	Fund         domain.Key   `json:"fund" doc:"Key of the fund."`
	Disbursement domain.Key   `json:"disbursement" doc:"Key of the disbursement."`
	Milestone    domain.Key   `json:"milestone,omitzero" doc:"The milestone that the funds are for."`
	Value        domain.Money `json:"value" doc:"The amount."`
	On           domain.Date  `json:"on" doc:"The date on which it holds."`
}

func (FundsReceived) Type() string     { return "milepost.project.funds-received.v1" }
func (e FundsReceived) Apply(s *State) { s.ID = e.ID }

// Complete is the command complete-project.
type Complete struct{ ID }

func (Complete) Name() string { return "complete-project" }

// Decide brings a project under way to completion, unless it failed a gate.
func (c Complete) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	if err := c.in(s, StatusImplementation); err != nil {
		return nil, err
	}
	if err := s.requireNoGateFailed(); err != nil {
		return nil, err
	}
	return []domain.Event{Completed(c)}, nil
}

// Completed: the work is done; what remains is to settle the milestones.
type Completed struct{ ID }

func (Completed) Type() string     { return "milepost.project.completed.v1" }
func (e Completed) Apply(s *State) { s.ID, s.State = e.ID, StatusCompletion }

// Close is the command close-project.
type Close struct{ ID }

func (Close) Name() string { return "close-project" }

// Decide closes a project in completion when each milestone is met, judged or
// cancelled.
func (c Close) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	if err := c.in(s, StatusCompletion); err != nil {
		return nil, err
	}
	if err := s.requireNoGateFailed(); err != nil {
		return nil, err
	}
	var open []string
	for key, m := range s.Milestones.All() {
		if m.Open() {
			open = append(open, string(key))
		}
	}
	if len(open) > 0 {
		return nil, domain.Refuse(CodeOpenMilestones, "project", "%d of the milestones are open (%s); confirm, judge or cancel them first",
			len(open), strings.Join(open[:min(len(open), 10)], ", "))
	}
	return []domain.Event{Closed{c.ID, in.EffectiveOn()}}, nil
}

// Closed: the project ended on On with all its milestones settled.
type Closed struct {
	ID
	On domain.Date `json:"on" doc:"The date on which it holds."`
}

func (Closed) Type() string     { return "milepost.project.closed.v1" }
func (e Closed) Apply(s *State) { s.ID, s.State, s.EndedOn = e.ID, StatusClosed, e.On }

// Cancel is the command cancel-project.
type Cancel struct{ ID }

func (Cancel) Name() string { return "cancel-project" }

// Decide cancels a project that has not ended, for a reason.
func (c Cancel) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	if err := c.open(s); err != nil {
		return nil, err
	}
	if err := in.RequireReason("a cancellation"); err != nil {
		return nil, err
	}
	return []domain.Event{Cancelled{c.ID, in.EffectiveOn()}}, nil
}

// Cancelled: the project ended on On and will not be finished.
type Cancelled struct {
	ID
	On domain.Date `json:"on" doc:"The date on which it holds."`
}

func (Cancelled) Type() string     { return "milepost.project.cancelled.v1" }
func (e Cancelled) Apply(s *State) { s.ID, s.State, s.EndedOn = e.ID, StatusCancelled, e.On }

package meeting

import (
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
)

// ActionID names an action item in commands and events.
type ActionID struct {
	Agreement domain.Key `json:"agreement" required:"true" doc:"Key of the agreement."`
	Meeting   domain.Key `json:"meeting" required:"true" doc:"Key of the meeting."`
	Action    domain.Key `json:"action" required:"true" doc:"Key of the action item."`
}

// Ref names the meeting as an aggregate.
func (id ActionID) Ref() domain.Ref { return Ref(id.Agreement, id.Meeting) }

// open refuses unless there is such an action item and it is to be done.
func (id ActionID) open(s *State) error {
	if err := (ID{id.Agreement, id.Meeting}).in(s, Held); err != nil {
		return err
	}
	a, ok := s.Actions.Get(id.Action)
	switch {
	case !ok:
		return domain.NotFound("action", "action item", id.Action)
	case a.State != Open:
		return domain.WrongState("action", id.Action, a.State, "assign another one with assign-action", Open)
	}
	return nil
}

// edit lets f change the action item. An event may come before the one that
// assigned it; there is one from then on.
func (id ActionID) edit(s *State, f func(*Action)) {
	s.ID = ID{id.Agreement, id.Meeting}
	a, ok := s.Actions.Get(id.Action)
	if !ok {
		a.State = Open
	}
	f(&a)
	s.Actions = s.Actions.With(id.Action, a)
}

// AssignAction is the command assign-action.
type AssignAction struct {
	ID
	Action domain.Key  `json:"action,omitzero" doc:"Key of the action item, one in the meeting, chosen once; a UUID when absent."`
	Title  domain.Text `json:"title" required:"true" doc:"What is to be done, by language."`
	Owner  domain.Key  `json:"owner" required:"true" doc:"The party of the agreement that is to do it."`
	Due    domain.Date `json:"due" required:"true" doc:"The day by which it is to be done."`
}

func (AssignAction) Name() string { return "assign-action" }

// WithKey fills in an absent key of the action item.
func (c AssignAction) WithKey(key domain.Key) domain.Command {
	c.Action = c.Action.Or(key)
	return c
}

// Decide assigns an action item of a meeting that was held. One that is still
// to be done is replaced by a correction.
func (c AssignAction) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	if err := c.in(s, Held); err != nil {
		return nil, err
	}
	if err := domain.RequireKey("action", c.Action); err != nil {
		return nil, err
	}
	if err := c.mayReplace(s, in); err != nil {
		return nil, err
	}
	a, err := agreement.Load(in.World, "agreement", c.Agreement)
	if err != nil {
		return nil, err
	}
	if err := a.RequireParty("owner", c.Owner); err != nil {
		return nil, err
	}
	return []domain.Event{ActionAssigned(c)}, nil
}

func (c AssignAction) mayReplace(s *State, in domain.Input) error {
	a, taken := s.Actions.Get(c.Action)
	switch {
	case !taken:
		return nil
	case in.Corrects == "":
		return domain.Refuse(domain.CodeAlreadyExists, "action", "meeting %q has an action item %q; to put it right, name the event in corrects", c.Meeting, c.Action)
	case a.Due != c.Due:
		if err := in.RequireReasonCode("moving a date"); err != nil {
			return err
		}
	}
	return ActionID{c.Agreement, c.Meeting, c.Action}.open(s)
}

// ActionAssigned: the party Owner is to do this by Due.
type ActionAssigned struct {
	ID
	Action domain.Key  `json:"action" doc:"Key of the action item."`
	Title  domain.Text `json:"title" doc:"Title by language."`
	Owner  domain.Key  `json:"owner" doc:"The party that has to do it."`
	Due    domain.Date `json:"due" doc:"The date by which it is to be done."`
}

func (ActionAssigned) Type() string { return "milepost.meeting.action-assigned.v1" }

func (e ActionAssigned) Apply(s *State) {
	ActionID{e.Agreement, e.Meeting, e.Action}.edit(s, func(a *Action) { a.Title, a.Owner, a.Due = e.Title, e.Owner, e.Due })
}

// CompleteAction is the command complete-action.
type CompleteAction struct {
	ActionID
	DoneOn domain.Date `json:"done_on,omitzero" doc:"The day on which it was done; the effective date when absent."`
}

func (CompleteAction) Name() string { return "complete-action" }

// Decide records that an action item was done.
func (c CompleteAction) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	if err := c.open(s); err != nil {
		return nil, err
	}
	field := "done_on"
	if c.DoneOn == 0 {
		field, c.DoneOn = "effective", in.EffectiveOn()
	}
	if err := in.NotFuture(field, c.DoneOn); err != nil {
		return nil, err
	}
	return []domain.Event{ActionCompleted(c)}, nil
}

// ActionCompleted: the action item was done on DoneOn.
type ActionCompleted struct {
	ActionID
	DoneOn domain.Date `json:"done_on" doc:"The date on which it was done."`
}

func (ActionCompleted) Type() string { return "milepost.meeting.action-completed.v1" }

func (e ActionCompleted) Apply(s *State) {
	e.edit(s, func(a *Action) { a.State, a.DoneOn = Done, e.DoneOn })
}

// DropAction is the command drop-action.
type DropAction struct{ ActionID }

func (DropAction) Name() string { return "drop-action" }

// Decide drops an action item that is still to be done, for a reason.
func (c DropAction) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	if err := c.open(s); err != nil {
		return nil, err
	}
	if err := in.RequireReason("dropping an action item"); err != nil {
		return nil, err
	}
	return []domain.Event{ActionDropped(c)}, nil
}

// ActionDropped: the action item is to be done no more.
type ActionDropped struct{ ActionID }

func (ActionDropped) Type() string { return "milepost.meeting.action-dropped.v1" }

func (e ActionDropped) Apply(s *State) {
	e.edit(s, func(a *Action) { a.State = Dropped })
}

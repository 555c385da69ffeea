package meeting

import (
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
)

// Schedule is the command schedule-meeting.
type Schedule struct {
	Agreement domain.Key  `json:"agreement" required:"true" doc:"Key of the agreement."`
	Meeting   domain.Key  `json:"meeting,omitzero" doc:"Key of the meeting, chosen once; a UUID when absent."`
	Mechanism domain.Key  `json:"mechanism" required:"true" doc:"The mechanism that meets."`
	Title     domain.Text `json:"title" required:"true" doc:"Title by language."`
	On        domain.Date `json:"on" required:"true" doc:"The day on which it is to be held."`
	Agenda    domain.Text `json:"agenda,omitzero" doc:"What is to be discussed, by language."`
}

func (Schedule) Name() string      { return "schedule-meeting" }
func (c Schedule) Ref() domain.Ref { return Ref(c.Agreement, c.Meeting) }

// WithKey fills in an absent key of the meeting.
func (c Schedule) WithKey(key domain.Key) domain.Command {
	c.Meeting = c.Meeting.Or(key)
	return c
}

// Decide schedules a meeting of a mechanism that stands, whatever the state of
// the agreement: parties also meet to prepare and to wind up. The event on the
// agreement makes sure that the mechanism still stands, with these members.
func (c Schedule) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	if err := domain.RequireKey("meeting", c.Meeting); err != nil {
		return nil, err
	}
	if s != nil {
		return nil, domain.Refuse(domain.CodeAlreadyExists, "meeting", "meeting %q exists under agreement %q; choose another key", c.Meeting, c.Agreement)
	}
	a, err := agreement.Load(in.World, "agreement", c.Agreement)
	if err != nil {
		return nil, err
	}
	m, err := a.RequireMechanism("mechanism", c.Mechanism)
	if err != nil {
		return nil, err
	}
	return []domain.Event{
		MeetingScheduled{
			ID: ID{c.Agreement, c.Meeting}, Mechanism: c.Mechanism, Title: c.Title, On: c.On, Agenda: c.Agenda, Members: m.Members,
		},
		domain.On(a.Ref(), agreement.MeetingScheduled{ID: a.ID, Mechanism: c.Mechanism, Meeting: c.Meeting, On: c.On}),
	}, nil
}

// MeetingScheduled: the mechanism is to meet on On, and Members, its members
// at that moment, are to confirm the minutes.
type MeetingScheduled struct {
	ID
	Mechanism domain.Key   `json:"mechanism" doc:"Key of the mechanism."`
	Title     domain.Text  `json:"title" doc:"Title by language."`
	On        domain.Date  `json:"on" doc:"The date for which it is scheduled."`
	Agenda    domain.Text  `json:"agenda,omitzero" doc:"What is to be talked about, by language."`
	Members   []domain.Key `json:"members" doc:"The parties that have to confirm its minutes."`
}

func (MeetingScheduled) Type() string { return "milepost.meeting.scheduled.v1" }

func (e MeetingScheduled) Apply(s *State) {
	s.ID, s.Mechanism, s.Title, s.Agenda, s.Members = e.ID, e.Mechanism, e.Title, e.Agenda, e.Members
	if s.State == "" { // by effective date, it may have been held before
		s.State = Scheduled
	}
	if s.On == 0 {
		s.On = e.On
	}
}

// Reschedule is the command reschedule-meeting.
type Reschedule struct {
	ID
	On domain.Date `json:"on" required:"true" doc:"The day on which it is to be held now."`
}

func (Reschedule) Name() string { return "reschedule-meeting" }

// Decide moves a scheduled meeting, with a reason code.
func (c Reschedule) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	if err := c.in(s, Scheduled); err != nil {
		return nil, err
	}
	if err := in.RequireReasonCode("moving a date"); err != nil {
		return nil, err
	}
	if s.On == c.On {
		return nil, domain.Refuse(domain.CodeNothingChanged, "on", "meeting %q is scheduled for %s already", c.Meeting, c.On)
	}
	return []domain.Event{MeetingRescheduled(c)}, nil
}

// MeetingRescheduled: it is to be held on On instead.
type MeetingRescheduled struct {
	ID
	On domain.Date `json:"on" doc:"The date for which it is scheduled from now on."`
}

func (MeetingRescheduled) Type() string { return "milepost.meeting.rescheduled.v1" }

func (e MeetingRescheduled) Apply(s *State) {
	s.ID = e.ID
	if s.State != Held { // by effective date, it may have been held before
		s.On = e.On
	}
}

// Cancel is the command cancel-meeting.
type Cancel struct{ ID }

func (Cancel) Name() string { return "cancel-meeting" }

// Decide cancels a scheduled meeting, for a reason.
func (c Cancel) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	if err := c.in(s, Scheduled); err != nil {
		return nil, err
	}
	if err := in.RequireReason("a cancellation"); err != nil {
		return nil, err
	}
	return []domain.Event{MeetingCancelled(c)}, nil
}

// MeetingCancelled: it will not be held.
type MeetingCancelled struct{ ID }

func (MeetingCancelled) Type() string     { return "milepost.meeting.cancelled.v1" }
func (e MeetingCancelled) Apply(s *State) { s.ID, s.State = e.ID, Cancelled }

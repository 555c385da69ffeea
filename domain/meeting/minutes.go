package meeting

import (
	"fmt"
	"slices"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/party"
	"github.com/milepost-ledger/milepost/domain/project"
)

// CodeMinutesConfirmed refuses to change what confirmed minutes tell.
const CodeMinutesConfirmed = "minutes-confirmed"

// unconfirmed refuses once every member has confirmed the minutes.
func (s *State) unconfirmed(field, remedy string) error {
	if s.ConfirmedOn == 0 {
		return nil
	}
	return domain.Refuse(CodeMinutesConfirmed, field, "every member has confirmed the minutes of meeting %q on %s; %s", s.Meeting, s.ConfirmedOn, remedy)
}

// Hold is the command hold-meeting.
type Hold struct {
	ID
	On        domain.Date `json:"on,omitzero" doc:"The day on which it was held; the effective date when absent."`
	Attendees []Attendee  `json:"attendees" required:"true" min:"1" max:"500" doc:"Who came, and for which party."`
	Minutes   domain.Hash `json:"minutes,omitzero" doc:"SHA-256 of the minutes, where they are there already."`
}

func (Hold) Name() string { return "hold-meeting" }

// Decide records a scheduled meeting as held. Whoever came did so for a party
// that is registered, be it a member of the mechanism or a guest.
func (c Hold) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	if err := c.in(s, Scheduled); err != nil {
		return nil, err
	}
	field := "on"
	if c.On == 0 {
		field, c.On = "effective", in.EffectiveOn()
	}
	if err := in.NotFuture(field, c.On); err != nil {
		return nil, err
	}
	for i, a := range c.Attendees {
		field := fmt.Sprintf("attendees[%d]", i)
		if _, err := party.Load(in.World, field+".party", a.Party); err != nil {
			return nil, err
		}
		if slices.Contains(c.Attendees[:i], a) {
			return nil, domain.Refuse(domain.CodeInvalidValue, field, "%s of %q is given twice", a.Name, a.Party)
		}
	}
	return []domain.Event{MeetingHeld(c)}, nil
}

// MeetingHeld: the meeting was held on On; Minutes is zero where they are not
// there yet.
type MeetingHeld struct {
	ID
	On        domain.Date `json:"on" doc:"The date on which it was held."`
	Attendees []Attendee  `json:"attendees" doc:"Who came."`
	Minutes   domain.Hash `json:"minutes,omitzero" doc:"SHA-256 of the minutes."`
}

func (MeetingHeld) Type() string { return "milepost.meeting.held.v1" }

func (e MeetingHeld) Apply(s *State) {
	s.ID, s.State, s.On, s.Attendees = e.ID, Held, e.On, e.Attendees
	if s.Minutes == "" { // by effective date, later ones may be there already
		s.Minutes = e.Minutes
	}
}

// RecordMinutes is the command record-minutes.
type RecordMinutes struct {
	ID
	Minutes domain.Hash `json:"minutes" required:"true" doc:"SHA-256 of the minutes."`
}

func (RecordMinutes) Name() string { return "record-minutes" }

// Decide records minutes, or others in their place until every member has
// confirmed them. Who confirmed the ones before has to confirm again.
func (c RecordMinutes) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	if err := c.in(s, Held); err != nil {
		return nil, err
	}
	if s.Minutes == c.Minutes {
		return nil, domain.Refuse(domain.CodeNothingChanged, "minutes", "these are the minutes of meeting %q already", c.Meeting)
	}
	if err := s.unconfirmed("minutes", "put them right in the minutes of the next meeting"); err != nil {
		return nil, err
	}
	return []domain.Event{MinutesRecorded{c.ID, c.Minutes, s.ConfirmedBy}}, nil
}

// MinutesRecorded: these are the minutes, and the confirmations of the parties
// in Voided, which were of others, are void.
type MinutesRecorded struct {
	ID
	Minutes domain.Hash  `json:"minutes" doc:"SHA-256 of the minutes."`
	Voided  []domain.Key `json:"voided,omitzero" doc:"The parties whose confirmations are void by it."`
}

func (MinutesRecorded) Type() string { return "milepost.meeting.minutes-recorded.v1" }

func (e MinutesRecorded) Apply(s *State) {
	s.ID, s.Minutes = e.ID, e.Minutes
	s.ConfirmedBy = slices.DeleteFunc(slices.Clone(s.ConfirmedBy), func(p domain.Key) bool { return slices.Contains(e.Voided, p) })
}

// ConfirmMinutes is the command confirm-minutes.
type ConfirmMinutes struct {
	ID
	Party   domain.Key  `json:"party" required:"true" doc:"The member of the mechanism that confirms."`
	Minutes domain.Hash `json:"minutes" required:"true" doc:"SHA-256 of the minutes that are confirmed."`
}

func (ConfirmMinutes) Name() string { return "confirm-minutes" }

// ActingParty is the party in whose name it is asked.
func (c ConfirmMinutes) ActingParty() domain.Key { return c.Party }

// Decide takes each member's confirmation of the recorded minutes once. The
// last one confirms them for good, in the same decision.
func (c ConfirmMinutes) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	if err := c.in(s, Held); err != nil {
		return nil, err
	}
	if !slices.Contains(s.Members, c.Party) {
		return nil, domain.Refuse(domain.CodeWrongParty, "party", "%q is no member of the meeting; those who confirm its minutes are %s", c.Party, domain.Join(s.Members, ", "))
	}
	if err := in.ActsFor(c.Party); err != nil {
		return nil, err
	}
	switch {
	case s.Minutes == "":
		return nil, domain.Refuse(domain.CodeWrongState, "minutes", "meeting %q has no minutes yet; record them with record-minutes", c.Meeting)
	case s.Minutes != c.Minutes:
		return nil, domain.Refuse(agreement.CodeHashMismatch, "minutes", "the minutes of meeting %q are %s; confirm those, or record others with record-minutes", c.Meeting, s.Minutes)
	case slices.Contains(s.ConfirmedBy, c.Party):
		return nil, domain.Refuse(project.CodeAlreadyConfirmed, "party", "%q has confirmed these minutes already; nothing remains to be done", c.Party)
	}
	events := []domain.Event{MinutesConfirmedByParty(c)}
	for _, p := range s.Members {
		if p != c.Party && !slices.Contains(s.ConfirmedBy, p) {
			return events, nil
		}
	}
	return append(events, MinutesConfirmed{c.ID, c.Minutes, in.EffectiveOn()}), nil
}

// MinutesConfirmedByParty: a member confirmed these minutes.
type MinutesConfirmedByParty struct {
	ID
	Party   domain.Key  `json:"party" doc:"The party that confirmed them."`
	Minutes domain.Hash `json:"minutes" doc:"SHA-256 of the minutes."`
}

func (MinutesConfirmedByParty) Type() string { return "milepost.meeting.minutes-confirmed-by-party.v1" }

func (e MinutesConfirmedByParty) Apply(s *State) {
	s.ID = e.ID
	if !slices.Contains(s.ConfirmedBy, e.Party) {
		s.ConfirmedBy = append(slices.Clip(s.ConfirmedBy), e.Party)
	}
}

// MinutesConfirmed: every member has confirmed these minutes, the last on On.
type MinutesConfirmed struct {
	ID
	Minutes domain.Hash `json:"minutes" doc:"SHA-256 of the minutes."`
	On      domain.Date `json:"on" doc:"The date on which it holds."`
}

func (MinutesConfirmed) Type() string { return "milepost.meeting.minutes-confirmed.v1" }

func (e MinutesConfirmed) Apply(s *State) { s.ID, s.Minutes, s.ConfirmedOn = e.ID, e.Minutes, e.On }

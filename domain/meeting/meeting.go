// Package meeting holds the meetings of an agreement's mechanisms: who came,
// what was decided, who is to do what by when, and the minutes that each side
// confirms.
//
//   - A meeting is of a mechanism that stands: what schedules one also puts an
//     event on the agreement, so the two are appended together or not at all.
//   - A decision has one name in the whole agreement, is never taken back, and
//     says what it affects: others cite it.
//   - Minutes are confirmed when every member of the mechanism has confirmed the
//     same document.
package meeting

import (
	"slices"

	"github.com/milepost-ledger/milepost/domain"
)

// Kind of the aggregate, as in subjects and paths.
const Kind = "meeting"

// States of a meeting.
const (
	Scheduled = "scheduled"
	Held      = "held"
	Cancelled = "cancelled"
)

// State is what is known of one meeting.
type State struct {
	ID
	Mechanism   domain.Key   `json:"mechanism"`
	Title       domain.Text  `json:"title"`
	Agenda      domain.Text  `json:"agenda"`
	State       string       `json:"state"`
	On          domain.Date  `json:"on"`      // scheduled for, then held on
	Members     []domain.Key `json:"members"` // parties that confirm the minutes
	Attendees   []Attendee   `json:"attendees"`
	Minutes     domain.Hash  `json:"minutes"`
	ConfirmedBy []domain.Key `json:"confirmed_by"`
	ConfirmedOn domain.Date  `json:"confirmed_on"` // the minutes, by every member; 0 until then

	Decisions domain.List[Decision] `part:"decision"`
	Actions   domain.List[Action]   `part:"action"`
}

// Attendee is who came, and for which party.
type Attendee struct {
	Party domain.Key `json:"party" required:"true" doc:"Party that the person came for."`
	Name  string     `json:"name" required:"true" max:"200" doc:"Name of the person."`
}

// Decision is what the meeting decided.
type Decision struct {
	Title   domain.Text `json:"title"`
	Affects []string    `json:"affects"` // paths of entities, "project/iot-base"; none for the whole agreement
}

// Action is an action item.
type Action struct {
	Title  domain.Text `json:"title"`
	Owner  domain.Key  `json:"owner"` // party
	Due    domain.Date `json:"due"`
	State  string      `json:"state"`
	DoneOn domain.Date `json:"done_on"`
}

// States of an action item.
const (
	Open    = "open"
	Done    = "done"
	Dropped = "dropped"
)

// ID names a meeting in commands and events.
type ID struct {
	Agreement domain.Key `json:"agreement" required:"true" doc:"Key of the agreement."`
	Meeting   domain.Key `json:"meeting" required:"true" doc:"Key of the meeting."`
}

// Ref names the meeting as an aggregate.
func (id ID) Ref() domain.Ref { return Ref(id.Agreement, id.Meeting) }

// Ref names the meeting key under an agreement.
func Ref(agreement, key domain.Key) domain.Ref {
	return domain.Ref{Agreement: agreement, Kind: Kind, Key: key}
}

// in refuses unless there is a meeting and its state is one of wanted.
func (id ID) in(s *State, wanted ...string) error {
	switch {
	case s == nil:
		return domain.NotFound(Kind, Kind, id.Meeting)
	case slices.Contains(wanted, s.State):
		return nil
	}
	hint := ""
	if s.State == Scheduled {
		hint = "record that it was held with hold-meeting"
	}
	return domain.WrongState(Kind, id.Meeting, s.State, hint, wanted...)
}

// Aggregate lists the commands and events of meetings.
var Aggregate = domain.NewAggregate[State](Kind, "A meeting of a mechanism, with its decisions, action items and minutes.",
	[]domain.CommandType{
		domain.CommandOf[State, Schedule]("Schedule a meeting of a mechanism; the members that it has then will confirm the minutes."),
		domain.CommandOf[State, Reschedule]("Move a scheduled meeting to another date."),
		domain.CommandOf[State, Cancel]("Cancel a scheduled meeting."),
		domain.CommandOf[State, Hold]("Record that a meeting was held, and who came."),
		domain.CommandOf[State, RecordMinutes]("Record the minutes of a meeting; other minutes void the confirmations given so far."),
		domain.CommandOf[State, ConfirmMinutes]("Confirm the minutes of a meeting for a member of its mechanism."),
		domain.CommandOf[State, RecordDecision]("Record what a meeting decided and what that affects; others cite it."),
		domain.CommandOf[State, AssignAction]("Assign an action item to the party that is to do it."),
		domain.CommandOf[State, CompleteAction]("Record that an action item was done."),
		domain.CommandOf[State, DropAction]("Drop an action item: it is to be done no more."),
	},
	[]domain.EventType{
		domain.EventOf[State, MeetingScheduled]("A meeting was scheduled."),
		domain.EventOf[State, MeetingRescheduled]("A meeting was moved to another date."),
		domain.EventOf[State, MeetingCancelled]("A meeting was cancelled."),
		domain.EventOf[State, MeetingHeld]("A meeting was held."),
		domain.EventOf[State, MinutesRecorded]("The minutes of a meeting were recorded, and the confirmations named void are so."),
		domain.EventOf[State, MinutesConfirmedByParty]("A party confirmed the minutes."),
		domain.EventOf[State, MinutesConfirmed]("Every member of the mechanism has confirmed the minutes."),
		domain.EventOf[State, DecisionRecorded]("A meeting took a decision."),
		domain.EventOf[State, ActionAssigned]("An action item was assigned to a party."),
		domain.EventOf[State, ActionCompleted]("An action item was done."),
		domain.EventOf[State, ActionDropped]("An action item was dropped."),
	})

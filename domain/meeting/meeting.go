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

// Aggregate lists the commands and events of meetings.
var Aggregate = domain.NewAggregate[State](Kind, "A meeting of a mechanism, with its decisions, action items and minutes.",
	[]domain.CommandType{},
	[]domain.EventType{})

package projections

import (
	"context"
	"slices"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/meeting"
)

// Meeting is a meeting of a mechanism, as of a point.
type Meeting struct {
	Meeting     domain.Key         `json:"meeting" sql:"-"`
	Agreement   domain.Key         `json:"agreement" sql:"-"`
	Mechanism   domain.Key         `json:"mechanism"`
	Title       domain.Text        `json:"title"`
	Agenda      domain.Text        `json:"agenda"`
	State       string             `json:"state"`             // scheduled, held, cancelled
	On          domain.Date        `json:"on" sql:"as=dated"` // scheduled for, then held on
	Members     []domain.Key       `json:"members"`           // parties that confirm the minutes
	Attendees   []meeting.Attendee `json:"attendees"`         // who came, and for which party
	Minutes     domain.Hash        `json:"minutes"`           // the document
	ConfirmedBy []domain.Key       `json:"confirmed_by"`      // who confirmed the minutes
	ConfirmedOn domain.Date        `json:"confirmed_on"`      // since when every member has; null until then
	Confirmed   bool               `json:"confirmed"`
	Decisions   int                `json:"decisions"`    // taken
	Actions     int                `json:"actions"`      // assigned and not dropped
	ActionsOpen int                `json:"actions_open"` // of them
	Version     uint64             `json:"version" sql:"-"`
}

// Decision is a decision of a meeting, as of a point.
type Decision struct {
	Decision  domain.Key  `json:"decision" sql:"-"`
	Meeting   domain.Key  `json:"meeting" sql:"-"`
	Agreement domain.Key  `json:"agreement" sql:"-"`
	On        domain.Date `json:"on" sql:"as=dated"` // of the meeting
	Title     domain.Text `json:"title"`
	Affects   []string    `json:"affects"` // paths of entities, "project/iot-base"; none for the whole agreement
}

// Action is an action item of a meeting, as of a point.
type Action struct {
	Action    domain.Key  `json:"action" sql:"-"`
	Meeting   domain.Key  `json:"meeting" sql:"-"`
	Agreement domain.Key  `json:"agreement" sql:"-"`
	Title     domain.Text `json:"title"`
	Owner     domain.Key  `json:"owner"` // party
	Due       domain.Date `json:"due"`
	State     string      `json:"state"` // open, done, dropped
	DoneOn    domain.Date `json:"done_on"`
	Overdue   bool        `json:"overdue" sql:"-"` // open, and due before the day of the point
}

var (
	meetingTable  = newTable[Meeting](orderMeeting, "meeting", versionLead...)
	decisionTable = newTable[Decision](orderDecision, "decision", versionLead...)
	actionTable   = newTable[Action](orderAction, "action", versionLead...)
)

func meetingOf(s *meeting.State) *Meeting {
	m := &Meeting{
		Mechanism: s.Mechanism, Title: s.Title, Agenda: s.Agenda, State: s.State, On: s.On, Members: s.Members,
		Attendees: s.Attendees, Minutes: s.Minutes, ConfirmedBy: s.ConfirmedBy,
		ConfirmedOn: s.ConfirmedOn, Confirmed: s.ConfirmedOn != 0, Decisions: s.Decisions.Len(),
	}
	for _, a := range s.Actions.All() {
		m.Actions += btoi(a.State != meeting.Dropped)
		m.ActionsOpen += btoi(a.State == meeting.Open)
	}
	return m
}

// unconfirmed are the members that have not confirmed the minutes.
func unconfirmed(s *meeting.State) []domain.Key {
	return slices.DeleteFunc(slices.Clone(s.Members), func(member domain.Key) bool { return slices.Contains(s.ConfirmedBy, member) })
}

func decisionOf(s *meeting.State, key domain.Key) *Decision {
	d, _ := s.Decisions.Get(key)
	return &Decision{On: s.On, Title: d.Title, Affects: d.Affects}
}

func actionOf(s *meeting.State, key domain.Key) *Action {
	a, _ := s.Actions.Get(key)
	return &Action{Title: a.Title, Owner: a.Owner, Due: a.Due, State: a.State, DoneOn: a.DoneOn}
}

// meetingAlso: decisions bear the date of their meeting.
func meetingAlso(was, is *meeting.State, parts []string) []string {
	if was.On == is.On {
		return parts
	}
	return appendParts(parts, decisionTable.name, is.Decisions)
}

// Meetings lists the meetings under an agreement in the order in which they
// were scheduled, or refuses with not-found.
func (m *Models) Meetings(ctx context.Context, of domain.Key, at Point, page Page) ([]Meeting, string, error) {
	return listOf(ctx, m, meetingTable, agreement.Ref(of), at, page, (*query).meeting)
}

// Meeting returns one meeting, or refuses with not-found.
func (m *Models) Meeting(ctx context.Context, of, key domain.Key, at Point) (Meeting, error) {
	return itemOf(ctx, m, meetingTable, meeting.Ref(of, key), at, (*query).meeting)
}

func (q *query) meeting(i *Meeting, e found) (err error) {
	i.Meeting, i.Agreement = keyOf(e.path), e.agreement
	i.Version, err = q.version(e.id)
	return err
}

// Decisions lists the decisions of a meeting, or with no meeting those of all
// meetings under the agreement, in the order in which they were recorded, or
// refuses with not-found.
func (m *Models) Decisions(ctx context.Context, of, under domain.Key, at Point, page Page) ([]Decision, string, error) {
	return listOfMeetings(ctx, m, decisionTable, of, under, at, page, (*query).decision)
}

// Actions lists the action items of a meeting, or with no meeting those of all
// meetings under the agreement, in the order in which they were assigned, or
// refuses with not-found.
func (m *Models) Actions(ctx context.Context, of, under domain.Key, at Point, page Page) ([]Action, string, error) {
	return listOfMeetings(ctx, m, actionTable, of, under, at, page, (*query).action)
}

// listOfMeetings lists parts of one meeting, or of all under the agreement.
func listOfMeetings[T any](ctx context.Context, m *Models, t *table[T], of, under domain.Key, at Point, page Page, finish func(*query, *T, found) error) ([]T, string, error) {
	if under != "" {
		return listOf(ctx, m, t, meeting.Ref(of, under), at, page, finish)
	}
	return listBelow(ctx, m, t, agreement.Ref(of), meeting.Kind, at, page, finish)
}

func (q *query) decision(i *Decision, e found) error {
	i.Decision, i.Meeting, i.Agreement = keyOf(e.path), e.of(), e.agreement
	return nil
}

func (q *query) action(i *Action, e found) error {
	i.Action, i.Meeting, i.Agreement = keyOf(e.path), e.of(), e.agreement
	i.Overdue = i.State == meeting.Open && past(i.Due, q.at.Day)
	return nil
}

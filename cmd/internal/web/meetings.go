package web

import (
	"context"
	"slices"

	"github.com/milepost-ledger/milepost/domain"
	meetings "github.com/milepost-ledger/milepost/domain/meeting"
	"github.com/milepost-ledger/milepost/projections"
)

// meetingsPage is the meetings of an agreement, by mechanism, and what is still to
// be done from them.
var meetingsPage = page{"GET /agreements/{agreement}/meetings", "meetings", meetingsAnswer{}, of((*site).meetings)}

type meetingsAnswer struct {
	*visit
	Mechanisms []mechanismMeetings
	Actions    []projections.Action // still to be done, of all meetings
	Last       *projections.Meeting // the last that was held
	Changed    changeList           // what changed since then, net
	More       bool                 // than is shown of it
	Next       string
}

// mechanismMeetings is a mechanism with its meetings, the latest first.
type mechanismMeetings struct {
	projections.Mechanism
	Meetings []projections.Meeting
}

// sinceShown is how many changes since the last meeting are shown in place.
const sinceShown = 50

func (s *site) meetings(ctx context.Context, v *visit) (meetingsAnswer, error) {
	v.Title = v.Say("Meetings")
	answer := meetingsAnswer{visit: v}
	if _, err := v.agreementCrumbs(ctx, "meetings"); err != nil {
		return answer, err
	}
	mechanisms, err := everyOf(ctx, v.Agreement, v.At, v.models.Mechanisms)
	if err != nil {
		return answer, err
	}
	for _, m := range mechanisms {
		answer.Mechanisms = append(answer.Mechanisms, mechanismMeetings{Mechanism: m})
	}
	found, next, err := v.models.Meetings(ctx, v.Agreement, v.At, v.page())
	if err != nil {
		return answer, err
	}
	answer.Next = next
	for _, m := range slices.Backward(found) {
		for i := range answer.Mechanisms {
			if answer.Mechanisms[i].Mechanism.Mechanism == m.Mechanism {
				answer.Mechanisms[i].Meetings = append(answer.Mechanisms[i].Meetings, m)
			}
		}
		if m.State == meetings.Held && (answer.Last == nil || m.On > answer.Last.On) {
			answer.Last = &m
		}
	}
	if answer.Actions, err = v.openActions(ctx); err != nil || answer.Last == nil {
		return answer, err
	}
	answer.Changed, answer.More, err = s.changesSince(ctx, v, answer.Last.Meeting)
	return answer, err
}

// openActions are the action items of all meetings that are still to be done, by their
// days.
func (v *visit) openActions(ctx context.Context) (open []projections.Action, err error) {
	actions, err := everyIn(ctx, v.Agreement, "", v.At, v.models.Actions)
	for _, a := range actions {
		if a.State == meetings.Open {
			open = append(open, a)
		}
	}
	slices.SortStableFunc(open, func(a, b projections.Action) int { return int(a.Due - b.Due) })
	return open, err
}

// changesSince is what is different since a meeting, and whether there is more of it
// than is shown.
func (s *site) changesSince(ctx context.Context, v *visit, meeting domain.Key) (list changeList, more bool, err error) {
	found, err := v.models.Changes(ctx, projections.ChangeQuery{
		To: v.At, Agreement: v.Agreement, SinceMeeting: meeting, Net: true, Page: projections.Page{Limit: sinceShown},
	})
	if err != nil {
		return list, false, err
	}
	list, err = s.changeList(ctx, v, found.Changes)
	list.Old, list.New = v.Say("At the meeting"), v.Say("Now")
	if !v.Now() {
		list.New = v.PlainPoint(v.At)
	}
	return list, !found.Complete, err
}

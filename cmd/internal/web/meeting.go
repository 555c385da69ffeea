package web

import (
	"context"
	"slices"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/meeting"
	"github.com/milepost-ledger/milepost/projections"
)

// meetingPage is one meeting: what was to be talked about, who came, what was
// decided and who does what. On paper it is the meeting's minutes.
var meetingPage = page{"GET /agreements/{agreement}/meetings/{meeting}", "meeting", meetingAnswer{}, of((*site).meeting)}

type meetingAnswer struct {
	*visit
	Of        projections.Meeting
	Mechanism projections.Mechanism
	Agreed    projections.Agreement
	Attendees []partyAttendees
	Confirms  []confirmation
	Decisions []projections.Decision
	Actions   []projections.Action
	Recorded  projections.EventItem // the event by which it was held, or else scheduled
	Changed   changeList            // what changed since it, net
	Last      bool                  // no meeting of the mechanism was held after it
	More      bool                  // changes than are shown
	Held      bool
}

// partyAttendees is who came for a party.
type partyAttendees struct {
	Party domain.Key
	Names []string
}

// confirmation is whether a member confirmed the minutes.
type confirmation struct {
	Party domain.Key
	Done  bool
}

func (s *site) meeting(ctx context.Context, v *visit) (answer meetingAnswer, err error) {
	answer.visit = v
	if answer.Agreed, err = v.agreementCrumbs(ctx, "meetings", crumb{v.Say("Meetings"), agreementPath(v.Agreement, "meetings")}); err != nil {
		return answer, err
	}
	key := domain.Key(v.request.PathValue("meeting"))
	if answer.Of, err = v.models.Meeting(ctx, v.Agreement, key, v.At); err != nil {
		return answer, err
	}
	m := answer.Of
	v.Title, answer.Held = v.Plain(m.Title), m.State == meeting.Held
	if answer.Mechanism, err = v.models.Mechanism(ctx, v.Agreement, m.Mechanism, v.At); err != nil {
		return answer, err
	}
	for _, a := range m.Attendees {
		i := slices.IndexFunc(answer.Attendees, func(p partyAttendees) bool { return p.Party == a.Party })
		if i < 0 {
			i = len(answer.Attendees)
			answer.Attendees = append(answer.Attendees, partyAttendees{Party: a.Party})
		}
		answer.Attendees[i].Names = append(answer.Attendees[i].Names, a.Name)
	}
	for _, party := range m.Members {
		answer.Confirms = append(answer.Confirms, confirmation{party, slices.Contains(m.ConfirmedBy, party)})
	}
	if answer.Decisions, err = everyIn(ctx, v.Agreement, key, v.At, v.models.Decisions); err != nil {
		return answer, err
	}
	if answer.Actions, err = everyIn(ctx, v.Agreement, key, v.At, v.models.Actions); err != nil {
		return answer, err
	}
	if answer.Recorded, err = v.heldBy(ctx, key, answer.Held); err != nil || !answer.Held {
		return answer, err
	}
	if answer.Last, err = v.lastHeld(ctx, m); err != nil || !answer.Last {
		return answer, err
	}
	answer.Changed, answer.More, err = s.changesSince(ctx, v, key)
	return answer, err
}

// heldBy is the event by which a meeting was recorded as held, or where it was not,
// the last one about it.
func (v *visit) heldBy(ctx context.Context, key domain.Key, held bool) (last projections.EventItem, err error) {
	events, _, err := v.models.Events(ctx, projections.EventQuery{
		To: v.At.Seq, Agreement: v.Agreement, Kind: meeting.Kind, Key: string(key), Page: projections.Page{Limit: projections.MaxLimit},
	})
	for _, e := range events {
		if last = e; held && e.Type == (meeting.MeetingHeld{}).Type() {
			break
		}
	}
	return last, err
}

// lastHeld reports whether no meeting of the mechanism was held after this one.
func (v *visit) lastHeld(ctx context.Context, of projections.Meeting) (bool, error) {
	all, err := everyOf(ctx, v.Agreement, v.At, v.models.Meetings)
	return !slices.ContainsFunc(all, func(m projections.Meeting) bool {
		return m.Mechanism == of.Mechanism && m.State == meeting.Held && m.On > of.On
	}), err
}

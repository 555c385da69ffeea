package domaintest

import (
	"pgregory.net/rapid"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/meeting"
)

var (
	meetings = rapid.SampledFrom([]domain.Key{"m-1", "m-1", "m-2"})
	decided  = rapid.SampledFrom([]domain.Key{"d-1", "d-2", "d-3"})
	affected = rapid.SampledFrom([]string{"project/iot-base", "project/iot-base/milestone/site", "area/iot", "mechanism/coordination", "project/none"})
)

// ofMeeting are commands about the meetings of an agreement.
func ofMeeting(t *rapid.T, agreement domain.Key) asks {
	id := meeting.ID{Agreement: agreement, Meeting: meetings.Draw(t, "meeting")}
	action := meeting.ActionID{Agreement: id.Agreement, Meeting: id.Meeting, Action: "visit"}
	schedule := func() domain.Command {
		return meeting.Schedule{
			Agreement: id.Agreement, Meeting: id.Meeting, Mechanism: mechanisms.Draw(t, "mechanism"), Title: texts.Draw(t, "title"), On: dates.Draw(t, "on"),
		}
	}
	hold := func() domain.Command {
		return meeting.Hold{
			ID: id, On: dates.Draw(t, "on"), Attendees: []meeting.Attendee{{Party: parties.Draw(t, "party"), Name: "Li Wei"}},
			Minutes: rapid.SampledFrom([]domain.Hash{"", Text1}).Draw(t, "minutes"),
		}
	}
	confirm := func() domain.Command {
		return meeting.ConfirmMinutes{ID: id, Party: parties.Draw(t, "party"), Minutes: documents.Draw(t, "minutes")}
	}
	return asks{schedule, schedule, hold, hold, confirm, confirm, confirm,
		func() domain.Command { return meeting.RecordMinutes{ID: id, Minutes: documents.Draw(t, "minutes")} },
		func() domain.Command {
			return meeting.RecordDecision{
				ID: id, Decision: decided.Draw(t, "decision"), Title: texts.Draw(t, "title"),
				Affects: rapid.SliceOfNDistinct(affected, 0, 2, rapid.ID).Draw(t, "affects"),
			}
		},
		func() domain.Command {
			return meeting.AssignAction{ID: id, Action: action.Action, Title: texts.Draw(t, "title"), Owner: parties.Draw(t, "owner"), Due: dates.Draw(t, "due")}
		},
		func() domain.Command {
			return meeting.CompleteAction{ActionID: action, DoneOn: dates.Draw(t, "done_on")}
		},
		func() domain.Command { return meeting.DropAction{ActionID: action} },
		func() domain.Command { return meeting.Reschedule{ID: id, On: dates.Draw(t, "on")} },
		func() domain.Command { return meeting.Cancel{ID: id} },
	}
}

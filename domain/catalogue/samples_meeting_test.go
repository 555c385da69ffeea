package catalogue_test

import (
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/meeting"
)

var (
	first  = meeting.ID{Agreement: "framework", Meeting: "first"}
	survey = meeting.ActionID{Agreement: "framework", Meeting: "first", Action: "survey"}
)

var meetingSamples = []domain.Event{
	meeting.MeetingScheduled{ID: first, Mechanism: "coordination", Title: title, On: on, Agenda: title, Members: keys},
	meeting.MeetingRescheduled{ID: first, On: on},
	meeting.MeetingCancelled{ID: first},
	meeting.MeetingHeld{ID: first, On: on, Attendees: []meeting.Attendee{{Party: "wuxi", Name: "王"}}, Minutes: document},
	meeting.MinutesRecorded{ID: first, Minutes: document, Voided: keys},
	meeting.MinutesConfirmedByParty{ID: first, Party: "wuxi", Minutes: document},
	meeting.MinutesConfirmed{ID: first, Minutes: document, On: on},
	meeting.DecisionRecorded{ID: first, Decision: "d-1", Title: title, Affects: []string{"project/iot-base"}},
	meeting.ActionAssigned{ID: first, Action: "survey", Title: title, Owner: "wuxi", Due: on},
	meeting.ActionCompleted{ActionID: survey, DoneOn: on},
	meeting.ActionDropped{ActionID: survey},
}

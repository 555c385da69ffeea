package meeting_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	. "github.com/milepost-ledger/milepost/domain/domaintest"
	"github.com/milepost-ledger/milepost/domain/meeting"
)

func schedule() meeting.Schedule {
	return meeting.Schedule{
		Agreement: "framework", Meeting: "first", Mechanism: "coordination", Title: En("First meeting"), On: day("2024-06-10"), Agenda: En("The land"),
	}
}

func TestSchedule(t *testing.T) {
	with := scheduled
	with.Agenda = En("The land")
	guard := domain.On(Framework.Ref(), agreement.MeetingScheduled{ID: Framework, Mechanism: "coordination", Meeting: "first", On: day("2024-06-10")})
	s := established(t).When(schedule()).Then(with, guard)
	s.When(schedule()).Refused(domain.CodeAlreadyExists, "meeting")

	// its members are those of that moment
	s.And(agreement.MechanismChanged{ID: Framework, Mechanism: "coordination", Members: []domain.Key{City, Stranger}})
	assert.Equal(t, &meeting.State{
		ID: first, Mechanism: "coordination", Title: En("First meeting"), Agenda: En("The land"), State: meeting.Scheduled, On: day("2024-06-10"),
		Members: []domain.Key{City, Group},
	}, stateOf(s))

	for name, c := range map[string]struct {
		change      func(*meeting.Schedule)
		code, field string
	}{
		"no key":           {func(c *meeting.Schedule) { c.Meeting = "" }, domain.CodeMissingField, "meeting"},
		"no day":           {func(c *meeting.Schedule) { c.On = 0 }, domain.CodeMissingField, "on"},
		"of no mechanism":  {func(c *meeting.Schedule) { c.Mechanism = "none" }, domain.CodeNotFound, "mechanism"},
		"of no agreement":  {func(c *meeting.Schedule) { c.Agreement = "none" }, domain.CodeNotFound, "agreement"},
		"without a title":  {func(c *meeting.Schedule) { c.Title = nil }, domain.CodeMissingField, "title"},
		"with an odd key":  {func(c *meeting.Schedule) { c.Meeting = "First" }, domain.CodeInvalidValue, "meeting"},
		"of no key at all": {func(c *meeting.Schedule) { c.Mechanism = "" }, domain.CodeMissingField, "mechanism"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := schedule()
			c.change(&cmd)
			established(t).When(cmd).Refused(c.code, c.field)
		})
	}
	established(t, dissolved).When(schedule()).Refused(domain.CodeWrongState, "mechanism")
	assert.Equal(t, domain.Key("drawn"), meeting.Schedule{}.WithKey("drawn").(meeting.Schedule).Meeting)
}

func TestMechanismsMeetBeforeAndAfterTheAgreement(t *testing.T) {
	Given(t, Drafted()...).And(mechanism).When(schedule()).Accepted()
	established(t, agreement.Completed{ID: Framework, On: Today}).When(schedule()).Accepted()
}

func TestReschedule(t *testing.T) {
	cmd := meeting.Reschedule{ID: first, On: day("2024-06-20")}
	given := func() *Scenario { return established(t, scheduled) }
	s := given().When(cmd, moved).Then(meeting.MeetingRescheduled(cmd))
	assert.Equal(t, cmd.On, stateOf(s).On)
	s.When(cmd, moved).Refused(domain.CodeNothingChanged, "on")

	// by effective date it may come after the meeting was held
	held := meeting.MeetingHeld{ID: first, On: day("2024-06-10"), Attendees: []meeting.Attendee{{Party: City, Name: "Li Wei"}}}
	assert.Equal(t, held.On, stateOf(given().And(held, meeting.MeetingRescheduled(cmd))).On)

	given().When(cmd).Refused(domain.CodeReasonRequired, "reason")
	given().When(cmd, domain.Meta{Reason: "rain"}).Refused(domain.CodeInvalidReason, "reason")
	given().When(cmd, domain.Meta{Reason: "other"}).Refused(domain.CodeNoteRequired, "note")
	given().When(cmd, domain.Meta{Reason: "other", Note: "rain"}).Accepted()
	requireStates(t, cmd, met(t), established(t, scheduled, meeting.MeetingCancelled{ID: first}))
}

func TestCancel(t *testing.T) {
	cmd := meeting.Cancel{ID: first}
	s := established(t, scheduled, dissolved)
	s.When(cmd).Refused(domain.CodeReasonRequired, "reason")
	s.When(cmd, reason).Then(meeting.MeetingCancelled{ID: first})
	assert.Equal(t, meeting.Cancelled, stateOf(s).State)
	requireStates(t, cmd, s, met(t))
}

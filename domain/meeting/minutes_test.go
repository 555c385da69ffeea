package meeting_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	. "github.com/milepost-ledger/milepost/domain/domaintest"
	"github.com/milepost-ledger/milepost/domain/meeting"
	"github.com/milepost-ledger/milepost/domain/project"
)

var recorded = meeting.MinutesRecorded{ID: first, Minutes: Text1}

func confirmedBy(p domain.Key) meeting.MinutesConfirmedByParty {
	return meeting.MinutesConfirmedByParty{ID: first, Party: p, Minutes: Text1}
}

// confirmed has the minutes confirmed by both members.
func confirmed(t testing.TB) *Scenario {
	return met(t, recorded, confirmedBy(City), confirmedBy(Group), meeting.MinutesConfirmed{ID: first, Minutes: Text1, On: Today})
}

func TestHold(t *testing.T) {
	given := func() *Scenario { return established(t, scheduled, dissolved) } // what was scheduled may be held
	cmd := meeting.Hold(held)
	cmd.Attendees = []meeting.Attendee{{Party: City, Name: "Li Wei"}, {Party: City, Name: "Wang Fang"}, {Party: Stranger, Name: "Li Wei"}}
	s := given().When(cmd).Then(meeting.MeetingHeld(cmd))
	assert.Equal(t, [2]any{meeting.Held, held.On}, [2]any{stateOf(s).State, stateOf(s).On})
	assert.Equal(t, cmd.Attendees, stateOf(s).Attendees)

	cmd.On, cmd.Minutes = 0, Text1
	s = given().When(cmd, domain.Meta{Effective: day("2024-06-12")}).Accepted()
	assert.Equal(t, [2]any{day("2024-06-12"), Text1}, [2]any{stateOf(s).On, stateOf(s).Minutes})
	given().When(cmd, domain.Meta{Effective: Today + 1}).Refused(domain.CodeFutureDate, "effective")

	for name, c := range map[string]struct {
		change      func(*meeting.Hold)
		code, field string
	}{
		"in the future":         {func(c *meeting.Hold) { c.On = Today + 1 }, domain.CodeFutureDate, "on"},
		"nobody came":           {func(c *meeting.Hold) { c.Attendees = nil }, domain.CodeMissingField, "attendees"},
		"for nobody registered": {func(c *meeting.Hold) { c.Attendees[1].Party = "none" }, domain.CodeNotFound, "attendees[1].party"},
		"for nobody by name":    {func(c *meeting.Hold) { c.Attendees[1].Name = "" }, domain.CodeMissingField, "attendees[1].name"},
		"for no party":          {func(c *meeting.Hold) { c.Attendees[1].Party = "" }, domain.CodeMissingField, "attendees[1].party"},
		"one twice":             {func(c *meeting.Hold) { c.Attendees[1] = c.Attendees[0] }, domain.CodeInvalidValue, "attendees[1]"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := meeting.Hold{ID: first, Attendees: []meeting.Attendee{{Party: City, Name: "Li Wei"}, {Party: Group, Name: "Wu"}}}
			c.change(&cmd)
			given().When(cmd).Refused(c.code, c.field)
		})
	}
	requireStates(t, cmd, met(t), established(t, scheduled, meeting.MeetingCancelled{ID: first}))
}

func TestRecordMinutes(t *testing.T) {
	cmd := meeting.RecordMinutes{ID: first, Minutes: Text1}
	s := met(t).When(cmd).Then(recorded)
	s.When(cmd).Refused(domain.CodeNothingChanged, "minutes")

	// when others take their place, then who confirmed the first confirms again
	s.And(confirmedBy(City))
	other := meeting.RecordMinutes{ID: first, Minutes: Text2}
	s.When(other).Then(meeting.MinutesRecorded{ID: first, Minutes: Text2, Voided: []domain.Key{City}})
	assert.Empty(t, stateOf(s).ConfirmedBy)
	s.When(meeting.ConfirmMinutes(confirmedBy(City))).Refused(agreement.CodeHashMismatch, "minutes")
	s.When(meeting.ConfirmMinutes{ID: first, Party: City, Minutes: Text2}).Accepted()

	confirmed(t).When(other).Refused(meeting.CodeMinutesConfirmed, "minutes")
	met(t).When(meeting.RecordMinutes{ID: first}).Refused(domain.CodeMissingField, "minutes")
	requireStates(t, cmd, established(t, scheduled))
}

func TestConfirmMinutes(t *testing.T) {
	city, group := meeting.ConfirmMinutes(confirmedBy(City)), meeting.ConfirmMinutes(confirmedBy(Group))
	s := met(t, recorded).When(city).Then(confirmedBy(City))
	assert.Zero(t, stateOf(s).ConfirmedOn)
	s.When(city).Refused(project.CodeAlreadyConfirmed, "party")
	s.When(group, domain.Meta{ActingFor: City}).Refused(domain.CodeWrongParty, "party")
	s.When(group, domain.Meta{ActingFor: Group}).Then(confirmedBy(Group), meeting.MinutesConfirmed{ID: first, Minutes: Text1, On: Today})
	assert.Equal(t, [2]any{Today, []domain.Key{City, Group}}, [2]any{stateOf(s).ConfirmedOn, stateOf(s).ConfirmedBy})
	s.When(group).Refused(project.CodeAlreadyConfirmed, "party")
	assert.Equal(t, Group, group.ActingParty())

	met(t).When(city).Refused(domain.CodeWrongState, "minutes")
	other, stranger := city, city
	other.Minutes, stranger.Party = Text2, Stranger
	met(t, recorded).When(other).Refused(agreement.CodeHashMismatch, "minutes")
	met(t, recorded).When(stranger).Refused(domain.CodeWrongParty, "party")
	requireStates(t, city, established(t, scheduled))
}

// Minutes are confirmed only by all members, and by all of them the same.
func TestMinutesAreConfirmedByAllInEveryHistory(t *testing.T) {
	total := 0
	rapid.Check(t, func(t *rapid.T) {
		agreed := map[domain.Ref]map[domain.Key]domain.Hash{} // by whom, which, since the last were recorded
		given := append(Running(), mechanism)
		commands := rapid.OneOf(Meetings, Meetings, Meetings, Mechanisms)
		end := HistoryOf(t, given, commands, 80, func(w World, s Step) {
			switch c := s.Command.(type) {
			case meeting.RecordMinutes:
				delete(agreed, c.Ref())
			case meeting.ConfirmMinutes:
				if agreed[c.Ref()] == nil {
					agreed[c.Ref()] = map[domain.Key]domain.Hash{}
				}
				agreed[c.Ref()][c.Party] = c.Minutes
			}
		})
		for ref, state := range end {
			m, ok := state.(*meeting.State)
			if !ok {
				continue
			}
			all := true
			for _, p := range m.Members {
				all = all && agreed[ref][p] == m.Minutes && m.Minutes != ""
			}
			assert.Equal(t, all, m.ConfirmedOn != 0, "%s", ref)
			if all {
				total++
			}
		}
	})
	Reached(t, total, "confirmed minutes")
}

package meeting_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	. "github.com/milepost-ledger/milepost/domain/domaintest"
	"github.com/milepost-ledger/milepost/domain/meeting"
)

var (
	day        = domain.MustDate
	first      = meeting.ID{Agreement: "framework", Meeting: "first"}
	reason     = domain.Meta{Reason: "talks"}
	moved      = domain.Meta{Reason: "resource-shortage"}
	correction = domain.Meta{Corrects: "01890a5d-ac96-774b-bcce-b302099a8057", Reason: "correction"}

	mechanism = agreement.MechanismEstablished{
		ID: Framework, Mechanism: "coordination", Kind: "coordination", Title: En("Coordination"), Members: []domain.Key{City, Group},
		Cadence: "quarterly", On: day("2018-01-01"),
	}
	dissolved = agreement.MechanismDissolved{ID: Framework, Mechanism: "coordination", On: day("2024-06-01")}
	scheduled = meeting.MeetingScheduled{
		ID: first, Mechanism: "coordination", Title: En("First meeting"), On: day("2024-06-10"), Members: []domain.Key{City, Group},
	}
	held = meeting.MeetingHeld{ID: first, On: day("2024-06-11"), Attendees: []meeting.Attendee{{Party: City, Name: "Li Wei"}}}
)

// established has the mechanism under the running agreement, and what followed.
func established(t testing.TB, more ...domain.Event) *Scenario {
	t.Helper()
	return Given(t, Running()...).And(mechanism).And(more...)
}

// met has the first meeting held without minutes, and what followed.
func met(t testing.TB, more ...domain.Event) *Scenario {
	t.Helper()
	return established(t, scheduled, held).And(more...)
}

func stateOf(s *Scenario) *meeting.State { return StateOf[meeting.State](s, first.Ref()) }

// requireStates asserts that cmd is refused where there is no meeting, and where
// it is not in the state for it.
func requireStates(t *testing.T, cmd domain.Command, wrong ...*Scenario) {
	t.Helper()
	established(t).When(cmd, moved).Refused(domain.CodeNotFound, "meeting")
	for _, s := range wrong {
		s.When(cmd, moved).Refused(domain.CodeWrongState, "meeting")
	}
}

// By effective date, what became of a meeting may come before its scheduling.
func TestEventsOutOfOrder(t *testing.T) {
	minutes := meeting.MinutesRecorded{ID: first, Minutes: Text2}
	s := Given(t, meeting.ActionCompleted{ActionID: survey, DoneOn: Today}, minutes, held, scheduled, meeting.ActionAssigned(assign()))
	assert.Equal(t, meeting.Held, stateOf(s).State)
	assert.Equal(t, held.On, stateOf(s).On)
	assert.Equal(t, Text2, stateOf(s).Minutes, "those of the meeting itself came before others")
	a, _ := stateOf(s).Actions.Get("survey")
	assert.Equal(t, meeting.Action{Title: En("Survey"), Owner: City, Due: day("2024-07-31"), State: meeting.Done, DoneOn: Today}, a)
}

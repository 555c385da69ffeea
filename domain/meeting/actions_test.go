package meeting_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/milepost-ledger/milepost/domain"
	. "github.com/milepost-ledger/milepost/domain/domaintest"
	"github.com/milepost-ledger/milepost/domain/meeting"
)

var survey = meeting.ActionID{Agreement: "framework", Meeting: "first", Action: "survey"}

func assign() meeting.AssignAction {
	return meeting.AssignAction{ID: first, Action: "survey", Title: En("Survey"), Owner: City, Due: day("2024-07-31")}
}

// assigned has the action item, and what followed.
func assigned(t testing.TB, more ...domain.Event) *Scenario {
	t.Helper()
	return met(t, meeting.ActionAssigned(assign())).And(more...)
}

func actionOf(s *Scenario) meeting.Action {
	a, _ := stateOf(s).Actions.Get("survey")
	return a
}

func TestAssignAction(t *testing.T) {
	s := met(t).When(assign()).Then(meeting.ActionAssigned(assign()))
	assert.Equal(t, meeting.Action{Title: En("Survey"), Owner: City, Due: day("2024-07-31"), State: meeting.Open}, actionOf(s))
	confirmed(t).When(assign()).Accepted()

	for name, c := range map[string]struct {
		change      func(*meeting.AssignAction)
		code, field string
	}{
		"no key":          {func(c *meeting.AssignAction) { c.Action = "" }, domain.CodeMissingField, "action"},
		"to a stranger":   {func(c *meeting.AssignAction) { c.Owner = Stranger }, domain.CodeWrongParty, "owner"},
		"to nobody":       {func(c *meeting.AssignAction) { c.Owner = "" }, domain.CodeMissingField, "owner"},
		"by no day":       {func(c *meeting.AssignAction) { c.Due = 0 }, domain.CodeMissingField, "due"},
		"without a title": {func(c *meeting.AssignAction) { c.Title = nil }, domain.CodeMissingField, "title"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := assign()
			c.change(&cmd)
			met(t).When(cmd).Refused(c.code, c.field)
		})
	}
	requireStates(t, assign(), established(t, scheduled))
	assert.Equal(t, domain.Key("drawn"), meeting.AssignAction{}.WithKey("drawn").(meeting.AssignAction).Action)
}

func TestAnActionIsReplacedByACorrection(t *testing.T) {
	assigned(t).When(assign()).Refused(domain.CodeAlreadyExists, "action")
	later := assign()
	later.Owner, later.Due = Group, day("2024-08-31")
	s := assigned(t)
	s.When(later, domain.Meta{Corrects: correction.Corrects}).Refused(domain.CodeReasonRequired, "reason")
	s.When(later, domain.Meta{Corrects: correction.Corrects, Reason: "rain"}).Refused(domain.CodeInvalidReason, "reason")
	s.When(later, correction).Then(meeting.ActionAssigned(later))
	assert.Equal(t, meeting.Action{Title: En("Survey"), Owner: Group, Due: day("2024-08-31"), State: meeting.Open}, actionOf(s))
	assigned(t, meeting.ActionCompleted{ActionID: survey, DoneOn: Today}).When(later, correction).Refused(domain.CodeWrongState, "action")

	same := assign()
	same.Title = En("Site survey")
	assigned(t).When(same, domain.Meta{Corrects: correction.Corrects}).Accepted()
}

func TestCompleteAction(t *testing.T) {
	cmd := meeting.CompleteAction{ActionID: survey, DoneOn: day("2024-06-14")}
	s := assigned(t).When(cmd).Then(meeting.ActionCompleted(cmd))
	assert.Equal(t, [2]any{meeting.Done, cmd.DoneOn}, [2]any{actionOf(s).State, actionOf(s).DoneOn})
	s.When(cmd).Refused(domain.CodeWrongState, "action")
	s.When(meeting.DropAction{ActionID: survey}, reason).Refused(domain.CodeWrongState, "action")

	cmd.DoneOn = 0
	assigned(t).When(cmd, domain.Meta{Effective: day("2024-06-13")}).Then(meeting.ActionCompleted{ActionID: survey, DoneOn: day("2024-06-13")})
	assigned(t).When(cmd, domain.Meta{Effective: Today + 1}).Refused(domain.CodeFutureDate, "effective")
	cmd.DoneOn = Today + 1
	assigned(t).When(cmd).Refused(domain.CodeFutureDate, "done_on")
	met(t).When(cmd).Refused(domain.CodeNotFound, "action")
	requireStates(t, cmd, established(t, scheduled))
}

func TestDropAction(t *testing.T) {
	cmd := meeting.DropAction{ActionID: survey}
	s := assigned(t)
	s.When(cmd).Refused(domain.CodeReasonRequired, "reason")
	s.When(cmd, reason).Then(meeting.ActionDropped(cmd))
	assert.Equal(t, meeting.Dropped, actionOf(s).State)
	s.When(cmd, reason).Refused(domain.CodeWrongState, "action")
	s.When(meeting.CompleteAction{ActionID: survey}).Refused(domain.CodeWrongState, "action")
	met(t).When(cmd, reason).Refused(domain.CodeNotFound, "action")
	requireStates(t, cmd, established(t, scheduled))
}

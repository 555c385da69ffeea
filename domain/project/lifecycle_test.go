package project_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	. "github.com/milepost-ledger/milepost/domain/domaintest"
	"github.com/milepost-ledger/milepost/domain/project"
)

var (
	day    = domain.MustDate
	reason = domain.Meta{Reason: "because"}
)

func base(s *Scenario) *project.State { return StateOf[project.State](s, Base.Ref()) }

func TestPropose(t *testing.T) {
	cmd := project.Propose{Agreement: "framework", Project: "town", Title: En("Town"), Kind: "town", Areas: []domain.Key{"iot"}, Lead: Group}
	Given(t, Active()...).When(cmd).Then(project.Proposed{
		ID: project.ID{Agreement: "framework", Project: "town"}, Title: En("Town"), Kind: "town", Areas: cmd.Areas, Lead: Group,
	}).When(cmd).Refused(domain.CodeAlreadyExists, "project")
	Given(t).When(cmd).Refused(domain.CodeNotFound, "agreement")
	for name, c := range map[string]struct {
		change      func(*project.Propose)
		code, field string
	}{
		"no key":           {func(c *project.Propose) { c.Project = "" }, domain.CodeMissingField, "project"},
		"an unknown area":  {func(c *project.Propose) { c.Areas = []domain.Key{"iot", "x"} }, domain.CodeNotFound, "areas"},
		"a retired area":   {func(c *project.Propose) { c.Areas = []domain.Key{"old"} }, domain.CodeWrongState, "areas"},
		"an area twice":    {func(c *project.Propose) { c.Areas = []domain.Key{"iot", "iot"} }, domain.CodeInvalidValue, "areas"},
		"no area":          {func(c *project.Propose) { c.Areas = nil }, domain.CodeMissingField, "areas"},
		"an unknown lead":  {func(c *project.Propose) { c.Lead = "nobody" }, domain.CodeNotFound, "lead"},
		"an unknown kind":  {func(c *project.Propose) { c.Kind = "bridge" }, domain.CodeInvalidValue, "kind"},
		"a key in capital": {func(c *project.Propose) { c.Project = "Town" }, domain.CodeInvalidValue, "project"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := cmd
			c.change(&cmd)
			Given(t, Active()...).And(agreement.AreaRetired{ID: Framework, Area: "old"}).When(cmd).Refused(c.code, c.field)
		})
	}
	assert.Equal(t, domain.Key("drawn"), project.Propose{}.WithKey("drawn").(project.Propose).Project)
}

// Invariant 9: under an agreement that is not in effect no project starts, and
// the event on the agreement makes the append see that it still is.
func TestStart(t *testing.T) {
	start := project.Start{ID: Base}
	effective := domain.Meta{Effective: day("2018-02-02")}
	approved := func() *Scenario { return Given(t, Proposed()...).And(project.Approved{ID: Base}) }
	started := domain.On(Framework.Ref(), agreement.ProjectStarted{ID: Framework, Project: "iot-base", On: day("2018-02-02")})

	s := approved().When(start, effective).Then(project.Started{ID: Base, On: day("2018-02-02")}, started)
	assert.Equal(t, day("2018-02-02"), base(s).StartedOn)
	assert.Equal(t, 1, StateOf[agreement.State](s, Framework.Ref()).ProjectsStarted)

	for name, happened := range map[string]domain.Event{
		"suspended":  agreement.Suspended{ID: Framework},
		"terminated": agreement.Terminated{ID: Framework, On: Today},
		"completed":  agreement.Completed{ID: Framework, On: Today},
		"expired":    agreement.Expired{ID: Framework, On: Today},
		"renewed":    agreement.Renewed{ID: Framework, By: "next", On: Today},
	} {
		message := approved().And(happened).When(start).Refused(agreement.CodeAgreementNotActive, "agreement")
		assert.Contains(t, message, name)
	}
	unsigned := append(UnderConsultation(), project.Proposed{ID: Base}, project.Approved{ID: Base})
	assert.Contains(t, Given(t, unsigned...).When(start).Refused(agreement.CodeAgreementNotActive, "agreement"), "sign-agreement")

	approved().When(start, domain.Meta{Effective: Today + 1}).Refused(domain.CodeFutureDate, "effective")
	Given(t, Proposed()...).When(start).Refused(domain.CodeWrongState, "project")
}

func TestResume(t *testing.T) {
	suspended := append(Running(), project.Suspended{ID: Base})
	Given(t, suspended...).When(project.Resume{ID: Base}).Then(project.Resumed{ID: Base},
		domain.On(Framework.Ref(), agreement.ProjectResumed{ID: Framework, Project: "iot-base", On: Today}))
	Given(t, suspended...).And(agreement.Suspended{ID: Framework}).When(project.Resume{ID: Base}).
		Refused(agreement.CodeAgreementNotActive, "agreement")
	Given(t, Running()...).When(project.Resume{ID: Base}).Refused(domain.CodeWrongState, "project")
}

func TestLifeCycle(t *testing.T) {
	Given(t, Proposed()...).When(project.Approve{ID: Base}).Then(project.Approved{ID: Base}).
		When(project.Approve{ID: Base}).Refused(domain.CodeWrongState, "project")

	s := Given(t, Running()...)
	s.When(project.Suspend{ID: Base}).Refused(domain.CodeReasonRequired, "reason")
	s.When(project.Suspend{ID: Base}, reason).Then(project.Suspended{ID: Base}).
		When(project.Complete{ID: Base}).Refused(domain.CodeWrongState, "project")

	s = Given(t, Running()...).When(project.Complete{ID: Base}).Then(project.Completed{ID: Base})
	message := s.When(project.Close{ID: Base}).Refused(project.CodeOpenMilestones, "project")
	assert.Contains(t, message, "site, launch")
	s.And(Achieved("site", "2024-03-01")...).
		And(project.AchievementClaimed{MilestoneID: Milestone("launch"), Party: Group, MetOn: Today}).
		When(project.Close{ID: Base}).Refused(project.CodeOpenMilestones, "project")
	s.And(project.MilestoneJudged{MilestoneID: Milestone("launch"), Outcome: project.NotMet}).
		When(project.Close{ID: Base}).Then(project.Closed{ID: Base, On: Today})
	assert.Equal(t, Today, base(s).EndedOn)

	Given(t, Running()...).When(project.Cancel{ID: Base}).Refused(domain.CodeReasonRequired, "reason")
	Given(t, Running()...).When(project.Cancel{ID: Base}, reason).Then(project.Cancelled{ID: Base, On: Today})
}

func TestAnEndedProjectTakesNothing(t *testing.T) {
	weight := 2
	commands := []domain.Command{
		project.Approve{ID: Base}, project.Start{ID: Base}, project.Suspend{ID: Base}, project.Resume{ID: Base},
		project.Complete{ID: Base}, project.Close{ID: Base}, project.Cancel{ID: Base},
		project.ChangeScope{ID: Base, Title: En("X")}, project.SetTolerance{ID: Base, Amber: 1, Red: 2},
		project.Schedule{ID: Base, Milestone: "m", Title: En("M"), Due: Today, Weight: &weight, Confirming: []domain.Key{City}},
		project.ApproveBaseline{ID: Base}, project.Reforecast{MilestoneID: Milestone("site"), Forecast: Today},
		project.Reschedule{MilestoneID: Milestone("site"), Due: Today}, project.ReportProgress{MilestoneID: Milestone("site"), Percent: 1},
		project.Claim{MilestoneID: Milestone("site"), Party: City, MetOn: Today}, project.Confirm{MilestoneID: Milestone("site"), Party: City},
		project.Dispute{MilestoneID: Milestone("site"), Party: City}, project.Judge{MilestoneID: Milestone("site"), Outcome: project.NotMet},
		project.Reopen{MilestoneID: Milestone("site")}, project.CancelMilestone{MilestoneID: Milestone("site")},
		project.AddDependency{MilestoneID: Milestone("site"), On: "launch"}, project.RemoveDependency{MilestoneID: Milestone("launch"), On: "site"},
		project.PassGate{GateReview: project.GateReview{ID: Base, Gate: "g"}}, project.FailGate{GateReview: project.GateReview{ID: Base, Gate: "g"}},
		project.AssessTRL{ID: Base, Level: 4},
	}
	assert.Len(t, commands, len(project.Aggregate.Commands)-1, "all but propose-project")
	for _, cmd := range commands {
		Given(t, Running()...).And(project.Closed{ID: Base, On: Today}).When(cmd, reason).Refused(domain.CodeWrongState, "project")
		Given(t, Running()...).And(project.Cancelled{ID: Base, On: Today}).When(cmd, reason).Refused(domain.CodeWrongState, "project")
		Given(t, Active()...).When(cmd, reason).Refused(domain.CodeNotFound, "project")
	}
}

func TestChangeScope(t *testing.T) {
	s := Given(t, Running()...).And(agreement.AreaAdded{ID: Framework, Area: "ic", Title: En("IC")})
	s.When(project.ChangeScope{ID: Base, Areas: []domain.Key{"iot", "ic"}, Lead: Group}).
		Then(project.ScopeChanged{ID: Base, Areas: []domain.Key{"iot", "ic"}, Lead: Group})
	assert.Equal(t, En("IoT industry base"), base(s).Title)
	assert.Equal(t, "industry-base", base(s).Kind)
	s.When(project.ChangeScope{ID: Base, Lead: Group}).Refused(domain.CodeNothingChanged, "")
	s.When(project.ChangeScope{ID: Base, Areas: []domain.Key{"x"}}).Refused(domain.CodeNotFound, "areas")
	s.When(project.ChangeScope{ID: Base, Lead: "x"}).Refused(domain.CodeNotFound, "lead")
}

func TestSetTolerance(t *testing.T) {
	s := Given(t, Running()...)
	assert.Equal(t, project.Tolerance{Amber: 14, Red: 30}, base(s).Tolerance.OrDefault())
	s.When(project.SetTolerance{ID: Base, Amber: 0, Red: 10}).Then(project.ToleranceSet{ID: Base, Amber: 0, Red: 10})
	assert.Equal(t, project.Tolerance{Amber: 0, Red: 10}, base(s).Tolerance.OrDefault())
	s.When(project.SetTolerance{ID: Base, Amber: 0, Red: 10}).Refused(domain.CodeNothingChanged, "")
	s.When(project.SetTolerance{ID: Base, Amber: 10, Red: 9}).Refused(domain.CodeInvalidValue, "red")
	s.When(project.SetTolerance{ID: Base, Amber: -1, Red: 9}).Refused(domain.CodeInvalidValue, "amber")
	s.When(project.SetTolerance{ID: Base, Amber: 0, Red: 0}).Refused(domain.CodeInvalidValue, "red")
}

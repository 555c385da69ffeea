package project_test

import (
	"maps"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/amendment"
	. "github.com/milepost-ledger/milepost/domain/domaintest"
	"github.com/milepost-ledger/milepost/domain/project"
)

var (
	slipped = domain.Meta{Reason: "supplier-delay"}
	site    = Milestone("site")
	launch  = Milestone("launch")
)

func milestone(s *Scenario, id project.MilestoneID) project.Milestone {
	m, _ := base(s).Milestones.Get(id.Milestone)
	return m
}

func TestSchedule(t *testing.T) {
	weight := 0
	cmd := project.Schedule{ID: Base, Milestone: "fit-out", Title: En("Fit-out"), Due: day("2025-01-31"), Confirming: []domain.Key{City}}
	s := Given(t, Running()...).When(cmd).Then(project.MilestoneScheduled{
		MilestoneID: Milestone("fit-out"), Title: En("Fit-out"), Due: cmd.Due, Weight: 1, MilestoneType: "delivery", Confirming: cmd.Confirming,
	})
	m := milestone(s, Milestone("fit-out"))
	assert.Equal(t, cmd.Due, m.Forecast, "expected when due until it is forecast")
	assert.Equal(t, project.Scheduled, m.State)
	s.When(cmd).Refused(domain.CodeAlreadyExists, "milestone")

	cmd.Milestone, cmd.Weight, cmd.Type, cmd.DependsOn = "opening", &weight, "financing", []domain.Key{"fit-out", "site"}
	s.When(cmd).Then(project.MilestoneScheduled{
		MilestoneID: Milestone("opening"), Title: En("Fit-out"), Due: cmd.Due, Weight: 0, MilestoneType: "financing",
		Confirming: cmd.Confirming, DependsOn: cmd.DependsOn,
	})
	for name, c := range map[string]struct {
		change      func(*project.Schedule)
		code, field string
	}{
		"no key":                 {func(c *project.Schedule) { c.Milestone = "" }, domain.CodeMissingField, "milestone"},
		"nobody to confirm":      {func(c *project.Schedule) { c.Confirming = nil }, domain.CodeMissingField, "confirming"},
		"a stranger to confirm":  {func(c *project.Schedule) { c.Confirming = []domain.Key{City, Stranger} }, domain.CodeWrongParty, "confirming"},
		"confirming twice":       {func(c *project.Schedule) { c.Confirming = []domain.Key{City, City} }, domain.CodeInvalidValue, "confirming"},
		"after what is not":      {func(c *project.Schedule) { c.DependsOn = []domain.Key{"x"} }, domain.CodeNotFound, "depends_on"},
		"after one thing twice":  {func(c *project.Schedule) { c.DependsOn = []domain.Key{"site", "site"} }, domain.CodeInvalidValue, "depends_on"},
		"after itself":           {func(c *project.Schedule) { c.DependsOn = []domain.Key{"m"} }, project.CodeDependencyCycle, "depends_on"},
		"too heavy":              {func(c *project.Schedule) { w := 1001; c.Weight = &w }, domain.CodeInvalidValue, "weight"},
		"without a date":         {func(c *project.Schedule) { c.Due = 0 }, domain.CodeMissingField, "due"},
		"of a type that is none": {func(c *project.Schedule) { c.Type = "party" }, domain.CodeInvalidValue, "type"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := project.Schedule{ID: Base, Milestone: "m", Title: En("M"), Due: Today, Confirming: []domain.Key{City}}
			c.change(&cmd)
			Given(t, Running()...).When(cmd).Refused(c.code, c.field)
		})
	}
	assert.Equal(t, domain.Key("drawn"), project.Schedule{}.WithKey("drawn").(project.Schedule).Milestone)
}

// Invariant 4: a forecast never changes a baseline, nor an agreed date.
func TestReforecast(t *testing.T) {
	given := func() *Scenario {
		return Given(t, Running()...).And(project.BaselineApproved{ID: Base, Number: 1, Milestones: []project.Frozen{{Milestone: "site", Due: day("2024-03-31"), Weight: 1}}})
	}
	cmd := project.Reforecast{MilestoneID: site, Forecast: day("2024-05-15")}
	s := given().When(cmd, slipped).Then(project.MilestoneReforecast(cmd))
	m := milestone(s, site)
	assert.Equal(t, []domain.Date{day("2024-03-31"), day("2024-03-31"), day("2024-05-15")}, []domain.Date{m.Baseline, m.Due, m.Forecast})
	assert.Equal(t, 1, m.Moves)

	s.When(cmd, slipped).Refused(domain.CodeNothingChanged, "forecast")
	given().When(cmd).Refused(domain.CodeReasonRequired, "reason")
	given().When(cmd, reason).Refused(domain.CodeInvalidReason, "reason")
	given().When(cmd, domain.Meta{Reason: "other"}).Refused(domain.CodeNoteRequired, "note")
	given().When(cmd, domain.Meta{Reason: "other", Note: "flood"}).Accepted()
	for _, code := range domain.ReasonCodes {
		given().When(cmd, domain.Meta{Reason: code, Note: "why"}).Accepted()
	}
	given().When(project.Reforecast{MilestoneID: Milestone("x"), Forecast: Today}, slipped).Refused(domain.CodeNotFound, "milestone")
	given().And(Achieved("site", "2024-03-01")...).When(cmd, slipped).Refused(domain.CodeWrongState, "milestone")
}

// Invariant 4: an agreed date moves only by a cited decision or amendment.
func TestReschedule(t *testing.T) {
	cmd := project.Reschedule{MilestoneID: site, Due: day("2024-06-30"), Decision: "d-3"}
	given := func() *Scenario { return Given(t, Running()...).And(Decided("d-3")).And(Amended("a-1")...) }
	s := given().When(cmd, slipped).Then(project.MilestoneRescheduled{MilestoneID: site, Due: cmd.Due, Forecast: cmd.Due, Decision: "d-3"})
	assert.Equal(t, 1, milestone(s, site).Moves)
	s.When(cmd, slipped).Refused(domain.CodeNothingChanged, "due")

	given().And(project.MilestoneReforecast{MilestoneID: site, Forecast: day("2024-07-31")}).When(cmd, slipped).
		Then(project.MilestoneRescheduled{MilestoneID: site, Due: cmd.Due, Forecast: day("2024-07-31"), Decision: "d-3"})

	cmd.Amendment = "a-1"
	given().When(cmd, slipped).Refused(project.CodeCitationRequired, "amendment")
	cmd.Decision = ""
	given().When(cmd).Refused(domain.CodeReasonRequired, "reason")
	given().When(cmd, slipped).Accepted()
	cmd.Amendment = ""
	given().When(cmd, slipped).Refused(project.CodeCitationRequired, "decision")
	given().And(project.MilestoneCancelled{MilestoneID: site}).When(cmd, slipped).Refused(domain.CodeWrongState, "milestone")
}

// What is cited was decided about what it is cited for, or is in effect.
func TestCitations(t *testing.T) {
	given := Given(t, Running()...).
		And(Decided("d-site", "project/iot-base/milestone/site"), Decided("d-base", "fund/iot", "project/iot-base"), Decided("d-other", "project/iot-base-2")).
		And(Amended("a-1")...).
		And(amendment.AmendmentProposed{ID: amendment.ID{Agreement: "framework", Amendment: "a-2"}, Parties: []domain.Key{City, Group}, Document: Text2})
	move := func(m project.MilestoneID, decision, amendment domain.Key) domain.Command {
		return project.Reschedule{MilestoneID: m, Due: Today, Decision: decision, Amendment: amendment}
	}
	baseline := func(decision, amendment domain.Key) domain.Command {
		return project.ApproveBaseline{ID: Base, Decision: decision, Amendment: amendment}
	}
	judge := func(decision domain.Key) domain.Command {
		return project.Judge{MilestoneID: site, Outcome: project.NotMet, Decision: decision}
	}
	gate := func(decision domain.Key) project.GateReview {
		return project.GateReview{ID: Base, Gate: "design", Decision: decision}
	}
	for _, ok := range []domain.Command{
		move(site, "d-1", ""), move(site, "d-site", ""), move(site, "d-base", ""), move(site, "", "a-1"),
		baseline("d-1", ""), baseline("d-base", ""), baseline("", "a-1"),
		judge("d-1"), judge("d-site"), judge("d-base"), judge(""),
		project.PassGate{GateReview: gate("d-base")}, project.FailGate{GateReview: gate("d-1")},
	} {
		cited := *given
		cited.World = maps.Clone(given.World)
		cited.When(ok, slipped).Accepted()
	}
	for _, refused := range []struct {
		cmd         domain.Command
		code, field string
	}{
		{move(site, "x", ""), domain.CodeNotFound, "decision"},
		{move(launch, "d-site", ""), agreement.CodeNotCovered, "decision"},
		{move(site, "d-other", ""), agreement.CodeNotCovered, "decision"},
		{move(site, "", "a-2"), agreement.CodeNotEffective, "amendment"},
		{move(site, "", "x"), agreement.CodeNotEffective, "amendment"},
		{baseline("x", ""), domain.CodeNotFound, "decision"},
		{baseline("d-site", ""), agreement.CodeNotCovered, "decision"},
		{baseline("", "a-2"), agreement.CodeNotEffective, "amendment"},
		{judge("x"), domain.CodeNotFound, "decision"},
		{judge("d-other"), agreement.CodeNotCovered, "decision"},
		{project.PassGate{GateReview: gate("x")}, domain.CodeNotFound, "decision"},
		{project.FailGate{GateReview: gate("d-site")}, agreement.CodeNotCovered, "decision"},
	} {
		given.When(refused.cmd, slipped).Refused(refused.code, refused.field)
	}
}

func TestApproveBaseline(t *testing.T) {
	frozen := []project.Frozen{{Milestone: "site", Due: day("2024-03-31"), Weight: 1}, {Milestone: "launch", Due: day("2024-09-30"), Weight: 1}}
	s := Given(t, Running()...).When(project.ApproveBaseline{ID: Base, Title: En("Signed")}).
		Then(project.BaselineApproved{ID: Base, Number: 1, Title: En("Signed"), On: Today, Milestones: frozen})
	s.When(project.ApproveBaseline{ID: Base}).Refused(project.CodeCitationRequired, "decision")
	s.When(project.ApproveBaseline{ID: Base, Decision: "d", Amendment: "a"}).Refused(project.CodeCitationRequired, "amendment")
	s.And(project.MilestoneCancelled{MilestoneID: launch}, project.MilestoneRescheduled{MilestoneID: site, Due: Today, Forecast: Today, Decision: "d-1"}).
		When(project.ApproveBaseline{ID: Base, Decision: "d-1"}).
		Then(project.BaselineApproved{ID: Base, Number: 2, On: Today, Decision: "d-1", Milestones: []project.Frozen{{Milestone: "site", Due: Today, Weight: 1}}})

	first, _ := base(s).Baselines.Get("1")
	assert.Equal(t, frozen, first.Frozen, "an earlier baseline never changes")
	assert.Equal(t, 2, base(s).Baseline)
	assert.Equal(t, Today, milestone(s, site).Baseline)
	assert.Equal(t, day("2024-09-30"), milestone(s, launch).Baseline)

	Given(t, Proposed()...).When(project.ApproveBaseline{ID: Base}).Refused(project.CodeNoMilestones, "project")
	unsigned := append(UnderConsultation(), project.Proposed{ID: Base}, ScheduledFor("site", "2024-03-31"), Decided("d-1"))
	Given(t, unsigned...).When(project.ApproveBaseline{ID: Base}).Refused(project.CodeCitationRequired, "decision")
	Given(t, unsigned...).When(project.ApproveBaseline{ID: Base, Decision: "d-1"}).Accepted()
	Given(t, append(Running(), agreement.Suspended{ID: Framework})...).When(project.ApproveBaseline{ID: Base}).Accepted()
}

// Invariant 5: dependencies have no cycle.
func TestDependencies(t *testing.T) {
	s := Given(t, Running()...).And(ScheduledFor("opening", "2025-01-01", "launch"))
	message := s.When(project.AddDependency{MilestoneID: site, On: "opening"}).Refused(project.CodeDependencyCycle, "on")
	assert.Contains(t, message, "site -> opening -> launch -> site")
	s.When(project.AddDependency{MilestoneID: site, On: "site"}).Refused(project.CodeDependencyCycle, "on")
	s.When(project.AddDependency{MilestoneID: site, On: "x"}).Refused(domain.CodeNotFound, "on")
	s.When(project.AddDependency{MilestoneID: Milestone("x"), On: "site"}).Refused(domain.CodeNotFound, "milestone")
	s.When(project.AddDependency{MilestoneID: launch, On: "site"}).Refused(domain.CodeNothingChanged, "on")
	add := project.AddDependency{MilestoneID: Milestone("opening"), On: "site"}
	s.When(add).Then(project.DependencyAdded(add))
	assert.Equal(t, []domain.Key{"launch", "site"}, milestone(s, Milestone("opening")).DependsOn)

	remove := project.RemoveDependency{MilestoneID: launch, On: "site"}
	s.When(remove).Then(project.DependencyRemoved(remove)).When(remove).Refused(domain.CodeNothingChanged, "on")
	s.And(project.MilestoneCancelled{MilestoneID: launch}).When(project.AddDependency{MilestoneID: launch, On: "site"}).
		Refused(domain.CodeWrongState, "milestone")
}

func TestDependencyOnSomethingThatLoopsElsewhere(t *testing.T) {
	// A fold by effective date can hold what no history decided in its order.
	s := Given(t, Running()...).And(ScheduledFor("opening", "2025-01-01"), project.DependencyAdded{MilestoneID: site, On: "launch"})
	s.When(project.AddDependency{MilestoneID: Milestone("opening"), On: "launch"}).Accepted()
}

// By effective date, what happens to a milestone may come before it is scheduled.
func TestEventsOutOfOrder(t *testing.T) {
	frozen := func(due string) []project.Frozen {
		return []project.Frozen{{Milestone: "site", Due: day(due), Weight: 1}}
	}
	s := Given(t,
		project.Started{ID: Base, On: day("2018-02-02")},
		project.MilestoneReforecast{MilestoneID: site, Forecast: day("2024-05-01")},
		project.BaselineApproved{ID: Base, Number: 2, Milestones: frozen("2024-04-15")},
		project.BaselineApproved{ID: Base, Number: 1, Milestones: frozen("2024-03-31")},
		project.DependencyAdded{MilestoneID: site, On: "land"},
		project.Proposed{ID: Base, Title: En("Base")},
		ScheduledFor("site", "2024-03-31", "permit"))
	assert.Equal(t, project.StatusImplementation, base(s).State)
	assert.Equal(t, 2, base(s).Baseline)
	assert.Equal(t, 2, base(s).Baselines.Len())
	m := milestone(s, site)
	assert.Equal(t, day("2024-05-01"), m.Forecast)
	assert.Equal(t, day("2024-04-15"), m.Baseline)
	assert.Equal(t, []domain.Key{"land", "permit"}, m.DependsOn)
}

// In the order of effective dates an event may say what holds already: that moves
// nothing, and no change would tell of it.
func TestSayingADateAgainIsNoMove(t *testing.T) {
	s := Given(t, ScheduledFor("site", "2024-03-31"), project.MilestoneReforecast{MilestoneID: site, Forecast: day("2024-05-01")})
	assert.Equal(t, 1, milestone(s, site).Moves)
	s.And(project.MilestoneReforecast{MilestoneID: site, Forecast: day("2024-05-01")},
		project.MilestoneRescheduled{MilestoneID: site, Due: day("2024-03-31"), Forecast: day("2024-05-01")})
	assert.Equal(t, 1, milestone(s, site).Moves)
	s.And(project.MilestoneRescheduled{MilestoneID: site, Due: day("2024-04-30"), Forecast: day("2024-05-01")})
	assert.Equal(t, 2, milestone(s, site).Moves)
}

// Two futures of one state do not write into each other.
func TestStatesShareAndDoNotInterfere(t *testing.T) {
	s := Given(t, ScheduledFor("site", "2024-03-31"))
	for _, on := range []domain.Key{"a", "b", "c"} { // so that the slice has room to spare
		s.And(project.DependencyAdded{MilestoneID: site, On: on})
	}
	one, other := Given(t), Given(t)
	one.World[Base.Ref()], other.World[Base.Ref()] = s.World[Base.Ref()], s.World[Base.Ref()]
	one.And(project.DependencyAdded{MilestoneID: site, On: "one"})
	other.And(project.DependencyAdded{MilestoneID: site, On: "other"})
	assert.Equal(t, []domain.Key{"a", "b", "c", "one"}, milestone(one, site).DependsOn)
	assert.Equal(t, []domain.Key{"a", "b", "c", "other"}, milestone(other, site).DependsOn)
}

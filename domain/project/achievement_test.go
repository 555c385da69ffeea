package project_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/milepost-ledger/milepost/domain"
	. "github.com/milepost-ledger/milepost/domain/domaintest"
	"github.com/milepost-ledger/milepost/domain/project"
)

var shown = domain.Meta{Evidence: []domain.Hash{File}}

func claim(id project.MilestoneID, party domain.Key, on string) project.Claim {
	return project.Claim{MilestoneID: id, Party: party, MetOn: day(on)}
}

// Invariant 3: met only with a past date, evidence, and all confirmations.
func TestClaimConfirmMet(t *testing.T) {
	c := claim(site, Group, "2024-03-15")
	s := Given(t, Running()...).When(c, shown).Then(project.AchievementClaimed{MilestoneID: site, Party: Group, MetOn: c.MetOn})
	assert.Equal(t, project.Claimed, milestone(s, site).State)
	s.When(c, shown).Refused(domain.CodeWrongState, "milestone")

	byGroup, byCity := project.Confirm{MilestoneID: site, Party: Group}, project.Confirm{MilestoneID: site, Party: City}
	s.When(byGroup).Then(project.AchievementConfirmed(byGroup))
	assert.Equal(t, project.Claimed, milestone(s, site).State, "the claimant's confirmation does not suffice")
	s.When(byGroup).Refused(project.CodeAlreadyConfirmed, "party")
	s.When(byCity).Then(project.AchievementConfirmed(byCity), project.MilestoneMet{MilestoneID: site, MetOn: c.MetOn})
	m := milestone(s, site)
	assert.Equal(t, project.Met, m.State)
	assert.Equal(t, c.MetOn, m.MetOn)
	assert.Equal(t, 100, m.PercentComplete())
	s.When(byCity).Refused(domain.CodeWrongState, "milestone")
}

func TestClaimRefused(t *testing.T) {
	alone := ScheduledFor("alone", "2024-05-01")
	alone.Confirming = []domain.Key{Group}
	given := Given(t, Running()...).And(alone)
	given.When(claim(site, Group, "2024-06-16"), shown).Refused(domain.CodeFutureDate, "met_on")
	given.When(claim(site, Group, "2024-06-15")).Refused(domain.CodeEvidenceRequired, "evidence")
	given.When(claim(site, Stranger, "2024-03-15"), shown).Refused(domain.CodeWrongParty, "party")
	given.When(claim(site, Group, "2024-03-15"), domain.Meta{Evidence: shown.Evidence, ActingFor: City}).Refused(domain.CodeWrongParty, "party")
	given.When(claim(Milestone("alone"), Group, "2024-03-15"), shown).Refused(project.CodeClaimantOnlyConfirmer, "party")
	given.When(claim(Milestone("x"), Group, "2024-03-15"), shown).Refused(domain.CodeNotFound, "milestone")
	given.When(claim(Milestone("alone"), City, "2024-03-15"), shown).Accepted().
		When(project.Confirm{MilestoneID: Milestone("alone"), Party: Group}).Accepted()
	assert.Equal(t, project.Met, milestone(given, Milestone("alone")).State)
}

// Invariant 5: not met before what it depends on, unless a reason says why.
func TestClaimBeforeWhatItDependsOn(t *testing.T) {
	early := claim(launch, Group, "2024-04-01")
	s := Given(t, Running()...)
	message := s.When(early, shown).Refused(project.CodeDependencyNotMet, "met_on")
	assert.Contains(t, message, "site")
	s.And(Achieved("site", "2024-04-02")...).When(early, shown).Refused(project.CodeDependencyNotMet, "met_on")
	s.When(claim(launch, Group, "2024-04-02"), shown).Accepted()

	t.Run("a reason says why, once", func(t *testing.T) {
		s := Given(t, Running()...).When(early, domain.Meta{Evidence: shown.Evidence, Reason: "built in parallel"}).
			Then(project.AchievementClaimed{MilestoneID: launch, Party: Group, MetOn: early.MetOn, Despite: []domain.Key{"site"}})
		s.When(project.Confirm{MilestoneID: launch, Party: Group}).Accepted().
			When(project.Confirm{MilestoneID: launch, Party: City}).
			Then(project.AchievementConfirmed{MilestoneID: launch, Party: City},
				project.MilestoneMet{MilestoneID: launch, MetOn: early.MetOn, Despite: []domain.Key{"site"}})
	})
	t.Run("what was reopened meanwhile is looked at again", func(t *testing.T) {
		s := Given(t, append(Running(), Achieved("site", "2024-04-01")...)...).When(early, shown).Accepted().
			And(project.MilestoneReopened{MilestoneID: site}, project.AchievementConfirmed{MilestoneID: launch, Party: Group})
		last := project.Confirm{MilestoneID: launch, Party: City}
		s.When(last).Refused(project.CodeDependencyNotMet, "met_on")
		s.When(last, reason).Then(project.AchievementConfirmed(last),
			project.MilestoneMet{MilestoneID: launch, MetOn: early.MetOn, Despite: []domain.Key{"site"}})
	})
	t.Run("what was cancelled keeps nobody waiting", func(t *testing.T) {
		Given(t, Running()...).And(project.MilestoneCancelled{MilestoneID: site}).When(early, shown).Accepted()
	})
}

func TestConfirmRefused(t *testing.T) {
	confirm := func(party domain.Key) project.Confirm { return project.Confirm{MilestoneID: site, Party: party} }
	s := Given(t, Running()...)
	s.When(confirm(City)).Refused(domain.CodeWrongState, "milestone")
	s.And(project.AchievementClaimed{MilestoneID: site, Party: Group, MetOn: Today})
	s.When(confirm(Stranger)).Refused(domain.CodeWrongParty, "party")
	s.When(confirm(City), domain.Meta{ActingFor: Group}).Refused(domain.CodeWrongParty, "party")
}

func TestDispute(t *testing.T) {
	d := project.Dispute{MilestoneID: site, Party: City}
	s := Given(t, Running()...)
	s.When(d, reason).Refused(domain.CodeWrongState, "milestone")
	s.And(project.AchievementClaimed{MilestoneID: site, Party: Group, MetOn: Today}, project.AchievementConfirmed{MilestoneID: site, Party: Group})
	s.When(d).Refused(domain.CodeReasonRequired, "reason")
	s.When(project.Dispute{MilestoneID: site, Party: Stranger}, reason).Refused(domain.CodeWrongParty, "party")
	s.When(d, reason).Then(project.AchievementDisputed(d))
	m := milestone(s, site)
	assert.Equal(t, project.Scheduled, m.State)
	assert.Empty(t, m.ConfirmedBy, "confirmations are void")
	assert.Zero(t, m.ClaimedOn)
}

func TestReview(t *testing.T) {
	judge := project.Judge{MilestoneID: site, Outcome: project.PartiallyMet, Decision: "d-1"}
	reopen := project.Reopen{MilestoneID: site}
	s := Given(t, Running()...)
	s.When(reopen, reason).Refused(domain.CodeWrongState, "milestone")
	s.When(judge).Refused(domain.CodeReasonRequired, "reason")
	s.When(project.Judge{MilestoneID: site, Outcome: project.Met}, reason).Refused(domain.CodeInvalidValue, "outcome")
	s.And(project.AchievementClaimed{MilestoneID: site, Party: Group, MetOn: Today})
	s.When(judge, reason).Then(project.MilestoneJudged(judge))
	assert.Empty(t, milestone(s, site).ClaimedBy, "the pending claim is void")
	s.When(judge, reason).Refused(domain.CodeWrongState, "milestone")
	s.When(reopen).Refused(domain.CodeReasonRequired, "reason")
	s.When(reopen, reason).Then(project.MilestoneReopened(reopen))

	s.And(Achieved("site", "2024-03-01")...).When(judge, reason).Refused(domain.CodeWrongState, "milestone")
	s.When(reopen, reason).Accepted()
	m := milestone(s, site)
	assert.Equal(t, project.Scheduled, m.State)
	assert.Zero(t, m.MetOn)
	assert.Empty(t, m.ConfirmedBy)
}

func TestCancelMilestone(t *testing.T) {
	c := project.CancelMilestone{MilestoneID: site}
	Given(t, Running()...).When(c).Refused(domain.CodeReasonRequired, "reason")
	s := Given(t, Running()...).When(c, reason).Then(project.MilestoneCancelled(c))
	s.When(c, reason).Refused(domain.CodeWrongState, "milestone")
	s.When(project.Reopen{MilestoneID: site}, reason).Refused(domain.CodeWrongState, "milestone")
	Given(t, Running()...).And(Achieved("site", "2024-03-01")...).When(c, reason).Refused(domain.CodeWrongState, "milestone")
}

func TestReportProgress(t *testing.T) {
	report := func(percent int) project.ReportProgress {
		return project.ReportProgress{MilestoneID: site, Percent: percent}
	}
	s := Given(t, Running()...).When(report(100)).Then(project.ProgressReported{MilestoneID: site, Percent: 100})
	assert.Equal(t, project.Scheduled, milestone(s, site).State, "all done is not met")
	s.When(report(100)).Refused(domain.CodeNothingChanged, "percent")
	s.When(report(60)).Refused(domain.CodeReasonRequired, "reason")
	s.When(report(60), reason).Accepted()
	s.When(report(101)).Refused(domain.CodeInvalidValue, "percent")
	s.When(report(-1)).Refused(domain.CodeInvalidValue, "percent")
	s.And(Achieved("site", "2024-03-01")...).When(report(80)).Refused(domain.CodeWrongState, "milestone")
}

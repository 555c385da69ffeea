package meeting_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	. "github.com/milepost-ledger/milepost/domain/domaintest"
	"github.com/milepost-ledger/milepost/domain/fund"
	"github.com/milepost-ledger/milepost/domain/indicator"
	"github.com/milepost-ledger/milepost/domain/meeting"
)

func decide(affects ...string) meeting.RecordDecision {
	return meeting.RecordDecision{ID: first, Decision: "move-site", Title: En("Move the site"), Affects: affects}
}

// noted is what the agreement keeps of the decision.
func noted(affects ...string) domain.Event {
	return domain.On(Framework.Ref(), agreement.DecisionRecorded{ID: Framework, Decision: "move-site", Meeting: "first", On: held.On, Affects: affects})
}

func TestRecordDecision(t *testing.T) {
	cmd := decide("project/iot-base/milestone/site")
	s := met(t).When(cmd).Then(meeting.DecisionRecorded(cmd), noted(cmd.Affects...))
	d, _ := stateOf(s).Decisions.Get("move-site")
	assert.Equal(t, meeting.Decision{Title: En("Move the site"), Affects: cmd.Affects}, d)

	// others can cite it, for what it affects
	a := StateOf[agreement.State](s, Framework.Ref())
	assert.NoError(t, a.RequireDecision("decision", "move-site", "project/iot-base/milestone/site"))
	assert.Error(t, a.RequireDecision("decision", "move-site", "project/iot-base/milestone/launch"))

	unnamed := cmd
	unnamed.Decision = ""
	met(t).When(unnamed).Refused(domain.CodeMissingField, "decision")
	confirmed(t).When(cmd).Refused(meeting.CodeMinutesConfirmed, "meeting")
	requireStates(t, cmd, established(t, scheduled), established(t, scheduled, meeting.MeetingCancelled{ID: first}))
	assert.Equal(t, domain.Key("drawn"), meeting.RecordDecision{}.WithKey("drawn").(meeting.RecordDecision).Decision)
}

func TestADecisionAffectsWhatExists(t *testing.T) {
	given := func() *Scenario {
		return met(t, fund.Proposed{ID: fund.ID{Agreement: "framework", Fund: "iot-fund"}},
			indicator.Defined{ID: indicator.ID{Agreement: "framework", Indicator: "jobs"}},
			agreement.ObligationAdded{ID: Framework, Obligation: "land", Debtor: City, Beneficiary: Group})
	}
	s := given()
	for _, path := range []string{
		"project/iot-base", "project/iot-base/milestone/site", "fund/iot-fund", "indicator/jobs", "mechanism/coordination", "obligation/land", "area/iot",
	} {
		given().When(decide(path)).Accepted()
		s.When(decide(path, path)).Refused(domain.CodeInvalidValue, "affects[1]")
		s.When(decide("area/iot", path+"x")).Refused(domain.CodeNotFound, "affects[1]")
	}
	s.When(decide("project/none/milestone/site")).Refused(domain.CodeNotFound, "affects[0]")
	for _, odd := range []string{
		"project", "project/", "/iot-base", "party/wuxi", "agreement/framework", "project/iot-base/milestone", "project/iot-base/gate/site",
		"area/iot/milestone/site", "project/iot-base/milestone/site/x", "project/IoT", " project/iot-base", "project/*",
	} {
		s.When(decide(odd)).Refused(domain.CodeInvalidValue, "affects[0]")
	}
	met(t).When(decide("")).Refused(domain.CodeInvalidValue, "affects[0]")
	s.When(decide()).Accepted()
}

func TestADecisionHasOneNameInTheAgreement(t *testing.T) {
	taken := agreement.DecisionRecorded{ID: Framework, Decision: "move-site", Meeting: "second", On: Today}
	for _, meta := range []domain.Meta{{}, correction} {
		met(t, taken).When(decide(), meta).Refused(domain.CodeAlreadyExists, "decision")
	}
	met(t).When(decide()).Accepted().When(decide()).Refused(domain.CodeAlreadyExists, "decision")
}

// Others may have cited it already, so a correction takes nothing away.
func TestADecisionIsCorrectedWithoutTakingAnythingAway(t *testing.T) {
	site, launch, base := "project/iot-base/milestone/site", "project/iot-base/milestone/launch", "project/iot-base"
	for _, c := range []struct {
		before, after []string
		refused       bool
	}{
		{[]string{site}, []string{site}, false},
		{[]string{site}, []string{launch, site}, false},
		{[]string{site}, []string{base}, false},
		{[]string{site}, nil, false},
		{nil, nil, false},
		{[]string{site}, []string{launch}, true},
		{[]string{base}, []string{site}, true},
		{nil, []string{base}, true},
	} {
		s := met(t).When(decide(c.before...)).Accepted()
		cmd := decide(c.after...)
		cmd.Title = En("Move the site by a mile")
		if c.refused {
			s.When(cmd, correction).Refused(domain.CodeInvalidValue, "affects")
			continue
		}
		s.When(cmd, correction).Then(meeting.DecisionRecorded(cmd), noted(c.after...))
		d, _ := StateOf[agreement.State](s, Framework.Ref()).Decisions.Get("move-site")
		assert.Equal(t, c.after, d.Affects)
	}
}

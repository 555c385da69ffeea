package project_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/milepost-ledger/milepost/domain"
	. "github.com/milepost-ledger/milepost/domain/domaintest"
	"github.com/milepost-ledger/milepost/domain/project"
)

func TestGates(t *testing.T) {
	review := project.GateReview{ID: Base, Gate: "design", Title: En("Design"), Decision: "d-1"}
	again := project.GateReview{ID: Base, Gate: "design"}
	gate := func(s *Scenario) project.Gate {
		g, _ := base(s).Gates.Get("design")
		return g
	}

	s := Given(t, Running()...)
	s.When(project.FailGate{GateReview: review}).Refused(domain.CodeReasonRequired, "reason")
	s.When(project.PassGate{GateReview: review}, domain.Meta{Effective: Today + 1}).Refused(domain.CodeFutureDate, "effective")
	s.When(project.FailGate{GateReview: review}, reason).Then(project.GateFailed{ID: Base, Gate: "design", Title: review.Title, Decision: "d-1", On: Today})
	assert.Equal(t, project.Gate{Title: review.Title, Outcome: project.Failed, On: Today, Decision: "d-1"}, gate(s))

	// it does not come to completion before it passes
	message := s.When(project.Complete{ID: Base}).Refused(project.CodeGateFailed, "project")
	assert.Contains(t, message, "design")
	s.When(project.FailGate{GateReview: again}, reason).Accepted()
	s.When(project.PassGate{GateReview: again}, domain.Meta{Effective: Today - 1}).Then(project.GatePassed{ID: Base, Gate: "design", On: Today - 1})
	assert.Equal(t, project.Gate{Title: review.Title, Outcome: project.Passed, On: Today - 1}, gate(s), "its name stays, the decision was of the earlier review")

	// passed once, unless that is put right
	s.When(project.PassGate{GateReview: again}).Refused(project.CodeGatePassed, "gate")
	s.When(project.FailGate{GateReview: again}, reason).Refused(project.CodeGatePassed, "gate")
	corrects := domain.Meta{Reason: "misread", Corrects: "018f3c5e-7b1a-7000-8000-00000000beef"}
	s.When(project.FailGate{GateReview: again}, corrects).Accepted()
	s.When(project.PassGate{GateReview: again}).Accepted().When(project.Complete{ID: Base}).Accepted()

	// and one that fails then keeps it from being closed
	last := project.GateReview{ID: Base, Gate: "handover"}
	s.And(Achieved("site", "2024-03-31")...).And(Achieved("launch", "2024-06-01")...)
	s.When(project.FailGate{GateReview: last}, reason).Accepted()
	s.When(project.Close{ID: Base}).Refused(project.CodeGateFailed, "project")
	s.When(project.PassGate{GateReview: last}).Accepted().When(project.Close{ID: Base}).Accepted()
}

func TestAssessTRL(t *testing.T) {
	s := Given(t, Running()...)
	assess := func(level int) project.AssessTRL { return project.AssessTRL{ID: Base, Level: level} }
	s.When(assess(4)).Refused(domain.CodeEvidenceRequired, "evidence")
	s.When(assess(4), domain.Meta{Evidence: shown.Evidence, Effective: Today + 1}).Refused(domain.CodeFutureDate, "effective")
	s.When(assess(0), shown).Refused(domain.CodeInvalidValue, "level")
	s.When(assess(10), shown).Refused(domain.CodeInvalidValue, "level")
	s.When(assess(4), shown).Then(project.TRLAssessed{ID: Base, Level: 4, On: Today})
	assert.Equal(t, []any{4, Today}, []any{base(s).TRL, base(s).TRLOn})
	s.When(assess(4), shown).Refused(domain.CodeNothingChanged, "level")
	s.When(assess(3), shown).Refused(domain.CodeReasonRequired, "reason")
	s.When(assess(3), domain.Meta{Evidence: shown.Evidence, Reason: "failed in the field"}).Then(project.TRLAssessed{ID: Base, Level: 3, On: Today})
	s.When(assess(9), shown).Accepted()
}

package project

import (
	"strings"

	"github.com/milepost-ledger/milepost/domain"
)

// Gate is a stage gate (PRINCE2, PMBOK): a review at which the project passes
// to its next stage or does not. Its outcome is the last one.
type Gate struct {
	Title    domain.Text `json:"title"`
	Outcome  string      `json:"outcome"`
	On       domain.Date `json:"on"`
	Decision domain.Key  `json:"decision"` // behind it, "" for none
}

// Outcomes of a gate. One that failed may pass later.
const (
	Passed = "passed"
	Failed = "failed"
)

// Codes of the refusals about gates.
const (
	CodeGatePassed = "gate-passed" // it was passed, and only a correction says otherwise
	CodeGateFailed = "gate-failed" // a gate stands as failed
)

// GateReview is what a review of a gate found.
type GateReview struct {
	ID
	Gate     domain.Key  `json:"gate" required:"true" doc:"Key of the gate, chosen at its first review."`
	Title    domain.Text `json:"title,omitzero" doc:"Name of the gate by language; what it was when absent."`
	Decision domain.Key  `json:"decision,omitzero" doc:"The decision of the review."`
}

// decide returns the date of the review, and refuses one of a gate that was
// passed: only a correction, which says which event it corrects, replaces that.
func (c GateReview) decide(s *State, in domain.Input) (domain.Date, error) {
	if err := c.open(s); err != nil {
		return 0, err
	}
	if was, _ := s.Gates.Get(c.Gate); was.Outcome == Passed && in.Corrects == "" {
		return 0, domain.Refuse(CodeGatePassed, "gate", "gate %q was passed on %s; to put that right, name the event in corrects", c.Gate, was.On)
	}
	if err := requireCited(in, c.Agreement, c.Ref().Path(), c.Decision, ""); err != nil {
		return 0, err
	}
	return in.EffectiveOn(), in.NotFuture("effective", in.EffectiveOn())
}

// PassGate is the command pass-gate.
type PassGate struct{ GateReview }

func (PassGate) Name() string { return "pass-gate" }

// Decide lets a project that has not ended pass a gate, once.
func (c PassGate) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	on, err := c.decide(s, in)
	if err != nil {
		return nil, err
	}
	return []domain.Event{GatePassed{c.ID, c.Gate, c.Title, c.Decision, on}}, nil
}

// GatePassed: the project passed the gate on On.
type GatePassed struct {
	ID
	Gate     domain.Key  `json:"gate" doc:"Key of the gate."`
	Title    domain.Text `json:"title,omitzero" doc:"Title by language."`
	Decision domain.Key  `json:"decision,omitzero" doc:"The decision behind it."`
	On       domain.Date `json:"on" doc:"The date on which it holds."`
}

func (GatePassed) Type() string { return "milepost.project.gate-passed.v1" }

func (e GatePassed) Apply(s *State) {
	s.review(e.ID, e.Gate, Gate{e.Title, Passed, e.On, e.Decision})
}

// FailGate is the command fail-gate.
type FailGate struct{ GateReview }

func (FailGate) Name() string { return "fail-gate" }

// Decide lets a project fail a gate, for a reason, as often as it is reviewed.
func (c FailGate) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	on, err := c.decide(s, in)
	if err != nil {
		return nil, err
	}
	if err := in.RequireReason("failing a gate"); err != nil {
		return nil, err
	}
	return []domain.Event{GateFailed{c.ID, c.Gate, c.Title, c.Decision, on}}, nil
}

// GateFailed: the project failed the gate on On.
type GateFailed struct {
	ID
	Gate     domain.Key  `json:"gate" doc:"Key of the gate."`
	Title    domain.Text `json:"title,omitzero" doc:"Title by language."`
	Decision domain.Key  `json:"decision,omitzero" doc:"The decision behind it."`
	On       domain.Date `json:"on" doc:"The date on which it holds."`
}

func (GateFailed) Type() string { return "milepost.project.gate-failed.v1" }

func (e GateFailed) Apply(s *State) {
	s.review(e.ID, e.Gate, Gate{e.Title, Failed, e.On, e.Decision})
}

// review makes g the last word on a gate; a title that is absent stays.
func (s *State) review(id ID, key domain.Key, g Gate) {
	s.ID = id
	if len(g.Title) == 0 {
		was, _ := s.Gates.Get(key)
		g.Title = was.Title
	}
	s.Gates = s.Gates.With(key, g)
}

// requireNoGateFailed refuses while the last word on a gate is that it failed.
func (s *State) requireNoGateFailed() error {
	var failed []string
	for key, g := range s.Gates.All() {
		if g.Outcome == Failed {
			failed = append(failed, string(key))
		}
	}
	if failed == nil {
		return nil
	}
	return domain.Refuse(CodeGateFailed, "project", "the project failed %s; let it pass first, with pass-gate", strings.Join(failed, ", "))
}

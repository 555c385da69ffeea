package project

import (
	"strconv"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
)

// Codes of the refusals of a baseline or of another due date.
const (
	CodeCitationRequired = "citation-required" // the decision or the amendment behind it is to be named, one of them
	CodeNoMilestones     = "no-milestones"     // there is nothing to freeze
)

// Baseline is what was approved: each milestone's due date and weight as they
// stood. It never changes; a later one takes its place.
type Baseline struct {
	Title      domain.Text `json:"title"`
	ApprovedOn domain.Date `json:"approved_on"`
	Decision   domain.Key  `json:"decision"`
	Amendment  domain.Key  `json:"amendment"`
	Frozen     []Frozen    `json:"milestones" diff:"-"` // told by the milestones' own baseline
}

// Frozen is a milestone in a baseline.
type Frozen struct {
	Milestone domain.Key  `json:"milestone" doc:"Key of the milestone."`
	Due       domain.Date `json:"due" doc:"The date that is agreed."`
	Weight    int         `json:"weight" doc:"Its share in the progress of the project, relative to the others."`
}

// Number returns the key under which baseline n is listed.
func Number(n int) domain.Key { return domain.Key(strconv.Itoa(n)) }

// ApproveBaseline is the command approve-baseline.
type ApproveBaseline struct {
	ID
	Title     domain.Text `json:"title,omitzero" doc:"Name of the baseline by language."`
	Decision  domain.Key  `json:"decision,omitzero" doc:"The decision that it stands on."`
	Amendment domain.Key  `json:"amendment,omitzero" doc:"The amendment that it stands on."`
}

func (ApproveBaseline) Name() string { return "approve-baseline" }

// Decide freezes the milestones that are not cancelled under the next number.
// The first baseline may stand on the agreement as signed; every later one
// cites what changed it.
func (c ApproveBaseline) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	if err := c.open(s); err != nil {
		return nil, err
	}
	if err := c.checkCitation(s, in); err != nil {
		return nil, err
	}
	e := BaselineApproved{ID: c.ID, Number: s.Baselines.Len() + 1, Title: c.Title, On: in.EffectiveOn(), Decision: c.Decision, Amendment: c.Amendment}
	for key, m := range s.Milestones.All() {
		if m.State != Dropped {
			e.Milestones = append(e.Milestones, Frozen{Milestone: key, Due: m.Due, Weight: m.Weight})
		}
	}
	if len(e.Milestones) == 0 {
		return nil, domain.Refuse(CodeNoMilestones, "project", "project %q has no milestones to freeze; schedule them with schedule-milestone", c.Project)
	}
	return []domain.Event{e}, nil
}

func (c ApproveBaseline) checkCitation(s *State, in domain.Input) error {
	if c.Decision != "" || c.Amendment != "" || s.Baselines.Len() > 0 {
		if err := citation(c.Decision, c.Amendment); err != nil {
			return err
		}
		return requireCited(in, c.Agreement, c.Ref().Path(), c.Decision, c.Amendment)
	}
	a, err := agreement.Load(in.World, "agreement", c.Agreement)
	if err != nil {
		return err
	}
	if a.EffectiveOn == 0 { // once it is not 0 it stays so
		return domain.Refuse(CodeCitationRequired, "decision",
			"agreement %q has not taken effect, so the baseline cannot stand on it; sign it first, or cite a decision", c.Agreement)
	}
	return nil
}

// citation refuses unless exactly one of the two is named.
func citation(decision, amendment domain.Key) error {
	switch {
	case decision == "" && amendment == "":
		return domain.Refuse(CodeCitationRequired, "decision", "cite the decision or the amendment that it stands on")
	case decision != "" && amendment != "":
		return domain.Refuse(CodeCitationRequired, "amendment", "cite the decision or the amendment, not both")
	}
	return nil
}

// requireCited refuses unless what is named was decided, about the entity at
// path, or is in effect. Both never cease once they are, so nobody guards them.
func requireCited(in domain.Input, key domain.Key, path string, decision, amendment domain.Key) error {
	if decision == "" && amendment == "" {
		return nil
	}
	a, err := agreement.Load(in.World, "agreement", key)
	if err != nil {
		return err
	}
	if decision != "" {
		if err := a.RequireDecision("decision", decision, path); err != nil {
			return err
		}
	}
	if amendment != "" {
		return a.RequireAmendment("amendment", amendment)
	}
	return nil
}

// BaselineApproved: these dates and weights are what slip is measured against.
type BaselineApproved struct {
	ID
	Number     int         `json:"number" doc:"Its number within the project, from 1."`
	Title      domain.Text `json:"title,omitzero" doc:"Title by language."`
	On         domain.Date `json:"on" doc:"The date on which it holds."`
	Decision   domain.Key  `json:"decision,omitzero" doc:"The decision behind it."`
	Amendment  domain.Key  `json:"amendment,omitzero" doc:"The amendment behind it."`
	Milestones []Frozen    `json:"milestones" doc:"The milestones as they stand in it."`
}

func (BaselineApproved) Type() string { return "milepost.project.baseline-approved.v1" }

// Apply makes the baseline the effective one unless a later number came before.
func (e BaselineApproved) Apply(s *State) {
	s.ID = e.ID
	s.Baselines = s.Baselines.With(Number(e.Number), Baseline{
		Title: e.Title, ApprovedOn: e.On, Decision: e.Decision, Amendment: e.Amendment, Frozen: e.Milestones,
	})
	if e.Number < s.Baseline {
		return
	}
	s.Baseline = e.Number
	for _, f := range e.Milestones {
		s.edit(MilestoneID{e.Agreement, e.Project, f.Milestone}, func(m Milestone) Milestone {
			m.Baseline = f.Due
			return m
		})
	}
}

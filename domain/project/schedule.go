package project

import (
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
)

// Schedule is the command schedule-milestone.
type Schedule struct {
	ID
	Milestone  domain.Key   `json:"milestone,omitzero" doc:"Key of the milestone, chosen once; a UUID when absent."`
	Title      domain.Text  `json:"title" required:"true" doc:"Title by language."`
	Due        domain.Date  `json:"due" required:"true" doc:"Agreed date."`
	Weight     *int         `json:"weight,omitzero" min:"0" max:"1000" doc:"Its share in the progress of the project, relative to the others; 1 when absent."`
	Type       string       `json:"type,omitzero" enum:"delivery,financing,approval,assessment,engagement,reporting,pre-procurement" doc:"What it is, after OCDS's milestone types; delivery when absent."`
	Confirming []domain.Key `json:"confirming" required:"true" min:"1" doc:"Parties of the agreement that have to confirm its achievement."`
	DependsOn  []domain.Key `json:"depends_on,omitzero" doc:"Milestones of the project that have to be met before it."`
}

func (Schedule) Name() string { return "schedule-milestone" }

// WithKey fills in an absent key of the milestone.
func (c Schedule) WithKey(key domain.Key) domain.Command {
	c.Milestone = c.Milestone.Or(key)
	return c
}

// Decide schedules a milestone. Nothing can depend on it yet, so what it
// depends on closes no cycle. The confirming parties are those of the agreement
// at this moment: a draft whose parties change later leaves them as they are.
func (c Schedule) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	if err := c.open(s); err != nil {
		return nil, err
	}
	if err := domain.RequireKey("milestone", c.Milestone); err != nil {
		return nil, err
	}
	if s.Milestones.Has(c.Milestone) {
		return nil, domain.Refuse(domain.CodeAlreadyExists, "milestone", "project %q has a milestone %q; choose another key", c.Project, c.Milestone)
	}
	if err := domain.Distinct("confirming", c.Confirming); err != nil {
		return nil, err
	}
	a, err := agreement.Load(in.World, "agreement", c.Agreement)
	if err != nil {
		return nil, err
	}
	for _, p := range c.Confirming {
		if !a.HasParty(p) {
			return nil, notAParty("confirming", p, c.Agreement)
		}
	}
	if err := domain.Distinct("depends_on", c.DependsOn); err != nil {
		return nil, err
	}
	for _, on := range c.DependsOn {
		if on == c.Milestone {
			return nil, domain.Refuse(CodeDependencyCycle, "depends_on", "%s -> %s: a milestone cannot depend on itself", on, on)
		}
		if !s.Milestones.Has(on) {
			return nil, domain.NotFound("depends_on", "milestone", on)
		}
	}
	e := MilestoneScheduled{
		MilestoneID: MilestoneID{c.Agreement, c.Project, c.Milestone}, Title: c.Title, Due: c.Due,
		Weight: 1, MilestoneType: "delivery", Confirming: c.Confirming, DependsOn: c.DependsOn,
	}
	if c.Weight != nil {
		e.Weight = *c.Weight
	}
	if c.Type != "" {
		e.MilestoneType = c.Type
	}
	return []domain.Event{e}, nil
}

func notAParty(field string, party, agreement domain.Key) error {
	return domain.Refuse(domain.CodeWrongParty, field, "%q is no party of agreement %q; name one that signs it", party, agreement)
}

// MilestoneScheduled: the project has a milestone more, agreed for Due.
type MilestoneScheduled struct {
	MilestoneID
	Title         domain.Text  `json:"title" doc:"Title by language."`
	Due           domain.Date  `json:"due" doc:"The date that is agreed."`
	Weight        int          `json:"weight" doc:"Its share in the progress of the project, relative to the others."`
	MilestoneType string       `json:"type" enum:"delivery,financing,approval,assessment,engagement,reporting,pre-procurement" doc:"What it is, after OCDS's milestone types."`
	Confirming    []domain.Key `json:"confirming" doc:"The parties that have to confirm its achievement."`
	DependsOn     []domain.Key `json:"depends_on,omitzero" doc:"Milestones of the project that have to be met before it."`
}

func (MilestoneScheduled) Type() string { return "milepost.project.milestone-scheduled.v1" }

func (e MilestoneScheduled) Apply(s *State) {
	s.edit(e.MilestoneID, func(m Milestone) Milestone {
		m.Title, m.Due, m.Weight, m.Type, m.Confirming = e.Title, e.Due, e.Weight, e.MilestoneType, e.Confirming
		if m.Forecast == 0 {
			m.Forecast = e.Due
		}
		for _, on := range e.DependsOn {
			m.DependsOn = with(m.DependsOn, on)
		}
		return m
	})
}

// Package restriction holds what not everybody who reads an agreement may see:
// projects, and areas with all that is in them. It belongs to the ledger, not to
// the agreement, whose readers shall not learn of it. Like all access it is that
// of the last event, whatever point in the past is looked at.
package restriction

import (
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/project"
)

// Kind of the aggregate, as in subjects and paths; its key is the agreement's.
const Kind = "restriction"

// State is what is restricted in one agreement.
type State struct {
	Agreement domain.Key              `json:"agreement"`
	Projects  domain.List[Restricted] `part:"project"`
	Areas     domain.List[Restricted] `part:"area"`
}

// Restricted is a project or an area that is, or was, restricted.
type Restricted struct {
	Restricted bool        `json:"restricted"`
	Since      domain.Date `json:"since"`
}

// Ref names what is restricted in an agreement.
func Ref(agreement domain.Key) domain.Ref { return domain.Ref{Kind: Kind, Key: agreement} }

// Aggregate lists the commands and events of restrictions.
var Aggregate = domain.NewAggregate[State](Kind, "What is restricted in an agreement: seen only by principals who are cleared for it.",
	[]domain.CommandType{
		domain.CommandOf[State, Restrict]("Restrict a project, or an area with all its projects: only principals who are cleared for it see it."),
		domain.CommandOf[State, Lift]("Lift a restriction: everybody who reads the agreement sees it again, its past too."),
	},
	[]domain.EventType{
		domain.EventOf[State, Imposed]("A project or an area was restricted."),
		domain.EventOf[State, Lifted]("A restriction was lifted."),
	})

// Of names what is restricted: either Project or Area.
type Of struct {
	Agreement domain.Key `json:"agreement" required:"true" doc:"Key of the agreement."`
	Project   domain.Key `json:"project,omitzero" doc:"Key of the project; give this or area."`
	Area      domain.Key `json:"area,omitzero" doc:"Key of the area; give this or project."`
}

// Ref names the aggregate.
func (o Of) Ref() domain.Ref { return Ref(o.Agreement) }

// named refuses unless there is either a project or an area.
func (o Of) named() error {
	if (o.Project == "") == (o.Area == "") {
		return domain.Refuse(domain.CodeMissingField, "project", "give a project or an area, one of the two")
	}
	return nil
}

// field is the field that says what.
func (o Of) field() string {
	if o.Project != "" {
		return "project"
	}
	return "area"
}

func (o Of) standing(s *State) bool {
	if s == nil {
		return false
	}
	p, _ := s.Projects.Get(o.Project)
	a, _ := s.Areas.Get(o.Area)
	return p.Restricted || a.Restricted
}

// Restrict is the command restrict-access.
type Restrict struct{ Of }

func (Restrict) Name() string { return "restrict-access" }

// Decide restricts what there is and is not restricted.
func (c Restrict) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	if err := c.named(); err != nil {
		return nil, err
	}
	of, err := agreement.Load(in.World, "agreement", c.Agreement)
	if err != nil {
		return nil, err
	}
	if c.Area != "" && !of.Areas.Has(c.Area) {
		return nil, domain.NotFound("area", "area", c.Area)
	}
	if c.Project != "" {
		p, err := in.World.State(project.Ref(c.Agreement, c.Project))
		if err != nil {
			return nil, err
		}
		if s, ok := p.(*project.State); !ok || s == nil {
			return nil, domain.NotFound("project", project.Kind, c.Project)
		}
	}
	if c.standing(s) {
		return nil, domain.Refuse(domain.CodeNothingChanged, c.field(), "it is restricted already")
	}
	return []domain.Event{Imposed{c.Of, in.EffectiveOn()}}, nil
}

// Imposed: only principals who are cleared for it see it.
type Imposed struct {
	Of
	Since domain.Date `json:"since" doc:"Since when."`
}

func (Imposed) Type() string { return "milepost.restriction.imposed.v1" }

func (e Imposed) Apply(s *State) { s.set(e.Of, Restricted{true, e.Since}) }

// Lift is the command lift-restriction.
type Lift struct{ Of }

func (Lift) Name() string { return "lift-restriction" }

// Decide lifts a restriction that stands.
func (c Lift) Decide(s *State, _ domain.Input) ([]domain.Event, error) {
	if err := c.named(); err != nil {
		return nil, err
	}
	if !c.standing(s) {
		return nil, domain.Refuse(domain.CodeNothingChanged, c.field(), "it is not restricted itself; what is in a restricted area is free when the area is")
	}
	return []domain.Event{Lifted(c)}, nil
}

// Lifted: everybody who reads the agreement sees it.
type Lifted struct{ Of }

func (Lifted) Type() string { return "milepost.restriction.lifted.v1" }

func (e Lifted) Apply(s *State) { s.set(e.Of, Restricted{}) }

func (s *State) set(of Of, r Restricted) {
	s.Agreement = of.Agreement
	if of.Project != "" {
		s.Projects = s.Projects.With(of.Project, r)
	}
	if of.Area != "" {
		s.Areas = s.Areas.With(of.Area, r)
	}
}

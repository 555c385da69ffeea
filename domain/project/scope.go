package project

import (
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/party"
)

// Propose is the command propose-project.
type Propose struct {
	Agreement domain.Key   `json:"agreement" required:"true" doc:"Key of the agreement."`
	Project   domain.Key   `json:"project,omitzero" doc:"Key of the project, chosen once; a UUID when absent."`
	Title     domain.Text  `json:"title" required:"true" doc:"Title by language."`
	Kind      string       `json:"kind" required:"true" enum:"industry-base,town,public-service-platform,transformation-platform,incubation,industrialisation,other" doc:"What it builds."`
	Areas     []domain.Key `json:"areas" required:"true" min:"1" doc:"Areas of the agreement that it belongs to."`
	Lead      domain.Key   `json:"lead,omitzero" doc:"The party that leads it."`
}

func (Propose) Name() string      { return "propose-project" }
func (c Propose) Ref() domain.Ref { return Ref(c.Agreement, c.Project) }

// WithKey fills in an absent key of the project.
func (c Propose) WithKey(key domain.Key) domain.Command {
	c.Project = c.Project.Or(key)
	return c
}

// Decide proposes a project under an agreement in any state: only its start
// waits for the agreement.
func (c Propose) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	if err := domain.RequireKey("project", c.Project); err != nil {
		return nil, err
	}
	if s != nil {
		return nil, domain.Refuse(domain.CodeAlreadyExists, "project", "project %q exists under agreement %q; choose another key", c.Project, c.Agreement)
	}
	if err := checkScope(in.World, c.Agreement, c.Areas, c.Lead); err != nil {
		return nil, err
	}
	return []domain.Event{Proposed{ID: ID{c.Agreement, c.Project}, Title: c.Title, Kind: c.Kind, Areas: c.Areas, Lead: c.Lead}}, nil
}

// checkScope refuses areas that the agreement does not have and a lead that is
// unknown. An area may be retired at any time and its projects stay in it, so
// that it is not at this moment need not be guarded.
func checkScope(w domain.World, key domain.Key, areas []domain.Key, lead domain.Key) error {
	a, err := agreement.Load(w, "agreement", key)
	if err != nil {
		return err
	}
	if err := domain.Distinct("areas", areas); err != nil {
		return err
	}
	for _, area := range areas {
		if err := a.RequireArea("areas", area); err != nil {
			return err
		}
	}
	if lead != "" {
		if _, err := party.Load(w, "lead", lead); err != nil {
			return err
		}
	}
	return nil
}

// Proposed: a project exists from now on.
type Proposed struct {
	ID
	Title domain.Text  `json:"title" doc:"Title by language."`
	Kind  string       `json:"kind" enum:"industry-base,town,public-service-platform,transformation-platform,incubation,industrialisation,other" doc:"What it builds."`
	Areas []domain.Key `json:"areas" doc:"All the areas of the agreement that it belongs to."`
	Lead  domain.Key   `json:"lead,omitzero" doc:"The party that leads it."`
}

func (Proposed) Type() string { return "milepost.project.proposed.v1" }

func (e Proposed) Apply(s *State) {
	s.ID, s.Title, s.Kind, s.Areas, s.Lead = e.ID, e.Title, e.Kind, e.Areas, e.Lead
	if s.State == "" { // by effective date, its start may come before
		s.State = StatusProposed
	}
}

// ChangeScope is the command change-scope; what is absent stays as it is.
type ChangeScope struct {
	ID
	Title domain.Text  `json:"title,omitzero" doc:"New title by language."`
	Kind  string       `json:"kind,omitzero" enum:"industry-base,town,public-service-platform,transformation-platform,incubation,industrialisation,other" doc:"New kind."`
	Areas []domain.Key `json:"areas,omitzero" doc:"All the areas that it belongs to from now on."`
	Lead  domain.Key   `json:"lead,omitzero" doc:"The party that leads it from now on."`
}

func (ChangeScope) Name() string { return "change-scope" }

// Decide changes the scope of a project that has not ended.
func (c ChangeScope) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	if err := c.open(s); err != nil {
		return nil, err
	}
	if err := checkScope(in.World, c.Agreement, c.Areas, c.Lead); err != nil {
		return nil, err
	}
	e := ScopeChanged(c)
	next := *s
	e.Apply(&next)
	changed := false
	domain.Diff(s, &next, func(domain.Change) { changed = true })
	if !changed {
		return nil, domain.Refuse(domain.CodeNothingChanged, "", "project %q is so already", c.Project)
	}
	return []domain.Event{e}, nil
}

// ScopeChanged: what is not zero replaced what was there.
type ScopeChanged struct {
	ID
	Title domain.Text  `json:"title,omitzero" doc:"New title by language."`
	Kind  string       `json:"kind,omitzero" enum:"industry-base,town,public-service-platform,transformation-platform,incubation,industrialisation,other" doc:"What it builds from now on."`
	Areas []domain.Key `json:"areas,omitzero" doc:"All the areas of the agreement that it belongs to."`
	Lead  domain.Key   `json:"lead,omitzero" doc:"The party that leads it from now on."`
}

func (ScopeChanged) Type() string { return "milepost.project.scope-changed.v1" }

func (e ScopeChanged) Apply(s *State) {
	s.ID = e.ID
	if len(e.Title) > 0 {
		s.Title = e.Title
	}
	if e.Kind != "" {
		s.Kind = e.Kind
	}
	if len(e.Areas) > 0 {
		s.Areas = e.Areas
	}
	s.Lead = e.Lead.Or(s.Lead)
}

// Tolerance is how many days a milestone may slip: more than Amber is amber,
// more than Red is red. The zero Tolerance is not set.
type Tolerance struct {
	Amber int `json:"amber"`
	Red   int `json:"red"`
}

// The tolerance of a project for which none was set: two weeks, a month.
const (
	AmberDays = 14
	RedDays   = 30
)

// OrDefault returns t, or the default where t is not set.
func (t Tolerance) OrDefault() Tolerance {
	if t == (Tolerance{}) {
		return Tolerance{Amber: AmberDays, Red: RedDays}
	}
	return t
}

// SetTolerance is the command set-tolerance.
type SetTolerance struct {
	ID
	Amber int `json:"amber" required:"true" min:"0" max:"3650" doc:"A slip of more days than this is amber."`
	Red   int `json:"red" required:"true" min:"1" max:"3650" doc:"A slip of more days than this is red; not less than amber."`
}

func (SetTolerance) Name() string { return "set-tolerance" }

// Decide sets the tolerance of a project that has not ended.
func (c SetTolerance) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	if err := c.open(s); err != nil {
		return nil, err
	}
	if c.Red < c.Amber {
		return nil, domain.Refuse(domain.CodeInvalidValue, "red", "red after %d days comes before amber after %d; make it at least as many", c.Red, c.Amber)
	}
	if (Tolerance{c.Amber, c.Red}) == s.Tolerance {
		return nil, domain.Refuse(domain.CodeNothingChanged, "", "the tolerance of project %q is so already", c.Project)
	}
	return []domain.Event{ToleranceSet(c)}, nil
}

// ToleranceSet: slip is judged by these days from now on.
type ToleranceSet struct {
	ID
	Amber int `json:"amber" doc:"A slip of more days than this is amber."`
	Red   int `json:"red" doc:"A slip of more days than this is red."`
}

func (ToleranceSet) Type() string { return "milepost.project.tolerance-set.v1" }

func (e ToleranceSet) Apply(s *State) { s.ID, s.Tolerance = e.ID, Tolerance{e.Amber, e.Red} }

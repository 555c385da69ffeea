package agreement

import "github.com/milepost-ledger/milepost/domain"

// Area is an area of cooperation. Areas form a tree: a parent is there before
// its children and never changes, so there can be no cycle.
type Area struct {
	Title   domain.Text `json:"title"`
	Parent  domain.Key  `json:"parent"`
	Retired bool        `json:"retired"`
}

// CodeAreaInUse refuses to retire an area that has areas in it.
const CodeAreaInUse = "area-in-use"

// AddArea is the command add-area.
type AddArea struct {
	ID
	Area   domain.Key  `json:"area,omitzero" doc:"Key of the area, chosen once; a UUID when absent."`
	Title  domain.Text `json:"title" required:"true" doc:"Title by language."`
	Parent domain.Key  `json:"parent,omitzero" doc:"The area that it is part of."`
}

func (AddArea) Name() string { return "add-area" }

// WithKey fills in an absent key of the area.
func (c AddArea) WithKey(key domain.Key) domain.Command {
	c.Area = c.Area.Or(key)
	return c
}

// Decide adds an area to an agreement that has not ended.
func (c AddArea) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	if err := c.open(s); err != nil {
		return nil, err
	}
	if err := domain.RequireKey("area", c.Area); err != nil {
		return nil, err
	}
	if s.Areas.Has(c.Area) {
		return nil, domain.Refuse(domain.CodeAlreadyExists, "area", "agreement %q has an area %q; choose another key", c.Agreement, c.Area)
	}
	if c.Parent != "" {
		if err := s.RequireArea("parent", c.Parent); err != nil {
			return nil, err
		}
	}
	return []domain.Event{AreaAdded(c)}, nil
}

// RequireArea refuses in the name of field unless the agreement has the area
// and it is not retired.
func (s *State) RequireArea(field string, area domain.Key) error {
	a, ok := s.Areas.Get(area)
	switch {
	case !ok:
		return domain.Refuse(domain.CodeNotFound, field, "agreement %q has no area %q; add it with add-area", s.Agreement, area)
	case a.Retired:
		return domain.Refuse(domain.CodeWrongState, field, "area %q is retired; name another", area)
	}
	return nil
}

// AreaAdded: the agreement has an area of cooperation more.
type AreaAdded struct {
	ID
	Area   domain.Key  `json:"area" doc:"Key of the area."`
	Title  domain.Text `json:"title" doc:"Title by language."`
	Parent domain.Key  `json:"parent,omitzero" doc:"The area that it is part of."`
}

func (AreaAdded) Type() string { return "milepost.agreement.area-added.v1" }

func (e AreaAdded) Apply(s *State) {
	s.ID = e.ID
	a, _ := s.Areas.Get(e.Area)
	a.Title, a.Parent = e.Title, e.Parent
	s.Areas = s.Areas.With(e.Area, a)
}

// RetireArea is the command retire-area.
type RetireArea struct {
	ID
	Area domain.Key `json:"area" required:"true" doc:"Key of the area."`
}

func (RetireArea) Name() string { return "retire-area" }

// Decide retires an area with no area left in it. Projects in it stay there.
func (c RetireArea) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	if err := c.in(s); err != nil {
		return nil, err
	}
	a, ok := s.Areas.Get(c.Area)
	switch {
	case !ok:
		return nil, domain.NotFound("area", "area", c.Area)
	case a.Retired:
		return nil, domain.Refuse(domain.CodeNothingChanged, "area", "area %q is retired already", c.Area)
	}
	for key, child := range s.Areas.All() {
		if child.Parent == c.Area && !child.Retired {
			return nil, domain.Refuse(CodeAreaInUse, "area", "area %q is part of %q; retire it first", key, c.Area)
		}
	}
	return []domain.Event{AreaRetired(c)}, nil
}

// AreaRetired: no new project can name the area.
type AreaRetired struct {
	ID
	Area domain.Key `json:"area" doc:"Key of the area."`
}

func (AreaRetired) Type() string { return "milepost.agreement.area-retired.v1" }

func (e AreaRetired) Apply(s *State) {
	s.ID = e.ID
	a, _ := s.Areas.Get(e.Area)
	a.Retired = true
	s.Areas = s.Areas.With(e.Area, a)
}

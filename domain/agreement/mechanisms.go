package agreement

import (
	"slices"

	"github.com/milepost-ledger/milepost/domain"
)

// Mechanism is a body of the parties that meets: for coordination, for
// consultation, or for the implementation of projects.
type Mechanism struct {
	Kind          string       `json:"kind"`
	Title         domain.Text  `json:"title"`
	Members       []domain.Key `json:"members"` // parties
	Cadence       string       `json:"cadence"`
	State         string       `json:"state"`
	EstablishedOn domain.Date  `json:"established_on"`
	DissolvedOn   domain.Date  `json:"dissolved_on"`
}

// States of a mechanism.
const (
	Established = "established"
	Dissolved   = "dissolved"
)

// EstablishMechanism is the command establish-mechanism.
type EstablishMechanism struct {
	ID
	Mechanism domain.Key   `json:"mechanism,omitzero" doc:"Key of the mechanism, chosen once; a UUID when absent."`
	Kind      string       `json:"kind" required:"true" enum:"coordination,consultation,project-implementation" doc:"What it is for."`
	Title     domain.Text  `json:"title" required:"true" doc:"Title by language."`
	Members   []domain.Key `json:"members" required:"true" min:"2" doc:"The parties of the agreement that meet in it."`
	Cadence   string       `json:"cadence" required:"true" enum:"weekly,monthly,quarterly,half-yearly,yearly,as-needed" doc:"How often it meets."`
}

func (EstablishMechanism) Name() string { return "establish-mechanism" }

// WithKey fills in an absent key of the mechanism.
func (c EstablishMechanism) WithKey(key domain.Key) domain.Command {
	c.Mechanism = c.Mechanism.Or(key)
	return c
}

// Decide establishes a mechanism of parties of an agreement that has not
// ended. One that is there is replaced only by a correction.
func (c EstablishMechanism) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	if err := c.open(s); err != nil {
		return nil, err
	}
	if err := domain.RequireKey("mechanism", c.Mechanism); err != nil {
		return nil, err
	}
	if s.Mechanisms.Has(c.Mechanism) && in.Corrects == "" {
		return nil, domain.Refuse(domain.CodeAlreadyExists, "mechanism",
			"agreement %q has a mechanism %q; change it with change-mechanism, or to put it right name the event in corrects", c.Agreement, c.Mechanism)
	}
	if err := s.checkMembers(c.Members); err != nil {
		return nil, err
	}
	return []domain.Event{MechanismEstablished{
		ID: c.ID, Mechanism: c.Mechanism, Kind: c.Kind, Title: c.Title, Members: c.Members, Cadence: c.Cadence, On: in.EffectiveOn(),
	}}, nil
}

// checkMembers refuses members of a mechanism that are fewer than two or not
// parties of the agreement.
func (s *State) checkMembers(members []domain.Key) error {
	if len(members) < 2 {
		return domain.Refuse(domain.CodeInvalidValue, "members", "%d entries, want at least 2: give all the parties that meet in it", len(members))
	}
	if err := domain.Distinct("members", members); err != nil {
		return err
	}
	for _, p := range members {
		if err := s.RequireParty("members", p); err != nil {
			return err
		}
	}
	return nil
}

// MechanismEstablished: the mechanism is there since On.
type MechanismEstablished struct {
	ID
	Mechanism domain.Key   `json:"mechanism" doc:"Key of the mechanism."`
	Kind      string       `json:"kind" enum:"coordination,consultation,project-implementation" doc:"What it is for."`
	Title     domain.Text  `json:"title" doc:"Title by language."`
	Members   []domain.Key `json:"members" doc:"The parties that meet in it."`
	Cadence   string       `json:"cadence" enum:"weekly,monthly,quarterly,half-yearly,yearly,as-needed" doc:"How often it meets."`
	On        domain.Date  `json:"on" doc:"The date on which it holds."`
}

func (MechanismEstablished) Type() string { return "milepost.agreement.mechanism-established.v1" }

func (e MechanismEstablished) Apply(s *State) {
	s.editMechanism(e.ID, e.Mechanism, func(m *Mechanism) {
		m.Kind, m.Title, m.Members, m.Cadence, m.EstablishedOn = e.Kind, e.Title, e.Members, e.Cadence, e.On
	})
}

// editMechanism lets f change the mechanism. An event may come before the one
// that established it; there is one from then on.
func (s *State) editMechanism(id ID, key domain.Key, f func(*Mechanism)) {
	s.ID = id
	m, ok := s.Mechanisms.Get(key)
	if !ok {
		m.State = Established
	}
	f(&m)
	s.Mechanisms = s.Mechanisms.With(key, m)
}

// RequireMechanism returns the mechanism, and refuses in the name of field
// unless it is established. It can be dissolved: who relies on it also puts an
// event on the agreement.
func (s *State) RequireMechanism(field string, key domain.Key) (Mechanism, error) {
	m, ok := s.Mechanisms.Get(key)
	switch {
	case !ok:
		return m, domain.Refuse(domain.CodeNotFound, field, "agreement %q has no mechanism %q; establish it with establish-mechanism", s.Agreement, key)
	case m.State != Established:
		return m, domain.Refuse(domain.CodeWrongState, field, "mechanism %q was dissolved on %s; name another", key, m.DissolvedOn)
	}
	return m, nil
}

// ChangeMechanism is the command change-mechanism; what is absent stays as it is.
type ChangeMechanism struct {
	ID
	Mechanism domain.Key   `json:"mechanism" required:"true" doc:"Key of the mechanism."`
	Title     domain.Text  `json:"title,omitzero" doc:"New title by language."`
	Members   []domain.Key `json:"members,omitzero" doc:"All the parties that meet in it from now on, at least two."`
	Cadence   string       `json:"cadence,omitzero" enum:"weekly,monthly,quarterly,half-yearly,yearly,as-needed" doc:"How often it meets from now on."`
}

func (ChangeMechanism) Name() string { return "change-mechanism" }

// Decide changes an established mechanism. Meetings that are scheduled keep the
// members that they were scheduled with.
func (c ChangeMechanism) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	if err := c.open(s); err != nil {
		return nil, err
	}
	if _, err := s.RequireMechanism("mechanism", c.Mechanism); err != nil {
		return nil, err
	}
	if len(c.Members) > 0 {
		if err := s.checkMembers(c.Members); err != nil {
			return nil, err
		}
	}
	e := MechanismChanged(c)
	next := *s
	e.Apply(&next)
	changed := false
	domain.Diff(s, &next, func(domain.Change) { changed = true })
	if !changed {
		return nil, domain.Refuse(domain.CodeNothingChanged, "", "mechanism %q is so already", c.Mechanism)
	}
	return []domain.Event{e}, nil
}

// MechanismChanged: what is not zero replaced what was there.
type MechanismChanged struct {
	ID
	Mechanism domain.Key   `json:"mechanism" doc:"Key of the mechanism."`
	Title     domain.Text  `json:"title,omitzero" doc:"New title by language."`
	Members   []domain.Key `json:"members,omitzero" doc:"The parties that meet in it from now on."`
	Cadence   string       `json:"cadence,omitzero" enum:"weekly,monthly,quarterly,half-yearly,yearly,as-needed" doc:"How often it meets from now on."`
}

func (MechanismChanged) Type() string { return "milepost.agreement.mechanism-changed.v1" }

func (e MechanismChanged) Apply(s *State) {
	s.editMechanism(e.ID, e.Mechanism, func(m *Mechanism) {
		if len(e.Title) > 0 {
			m.Title = e.Title
		}
		if len(e.Members) > 0 {
			m.Members = e.Members
		}
		if e.Cadence != "" {
			m.Cadence = e.Cadence
		}
	})
}

// DissolveMechanism is the command dissolve-mechanism.
type DissolveMechanism struct {
	ID
	Mechanism domain.Key `json:"mechanism" required:"true" doc:"Key of the mechanism."`
}

func (DissolveMechanism) Name() string { return "dissolve-mechanism" }

// Decide dissolves an established mechanism, for a reason. Meetings that are
// scheduled may still be held.
func (c DissolveMechanism) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	if err := c.open(s); err != nil {
		return nil, err
	}
	if _, err := s.RequireMechanism("mechanism", c.Mechanism); err != nil {
		return nil, err
	}
	if err := in.RequireReason("a dissolution"); err != nil {
		return nil, err
	}
	return []domain.Event{MechanismDissolved{c.ID, c.Mechanism, in.EffectiveOn()}}, nil
}

// MechanismDissolved: no meeting of the mechanism is scheduled any more.
type MechanismDissolved struct {
	ID
	Mechanism domain.Key  `json:"mechanism" doc:"Key of the mechanism."`
	On        domain.Date `json:"on" doc:"The date on which it holds."`
}

func (MechanismDissolved) Type() string { return "milepost.agreement.mechanism-dissolved.v1" }

func (e MechanismDissolved) Apply(s *State) {
	s.editMechanism(e.ID, e.Mechanism, func(m *Mechanism) { m.State, m.DissolvedOn = Dissolved, e.On })
}

// namedBy returns where the party is a member of a mechanism or a side of an
// obligation that stands, as a path: such a party cannot leave a draft.
func (s *State) namedBy(party domain.Key) (path string, named bool) {
	for key, m := range s.Mechanisms.All() {
		if m.State == Established && slices.Contains(m.Members, party) {
			return "mechanism/" + string(key), true
		}
	}
	for key, o := range s.Obligations.All() {
		if o.State != Waived && (o.Debtor == party || o.Beneficiary == party) {
			return "obligation/" + string(key), true
		}
	}
	return "", false
}

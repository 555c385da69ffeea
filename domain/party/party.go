// Package party holds the parties of the ledger: those who sign, own, pay,
// confirm and benefit. A party belongs to the whole ledger, not to one agreement.
//
// A party that countersigns the ledger's checkpoints has a key for that, its
// witness. The key itself names its successor, in a statement that stays in the
// log with it; a key that was given up never comes back.
package party

import "github.com/milepost-ledger/milepost/domain"

// Kind of the aggregate, as in subjects and paths.
const Kind = "party"

// State is what is known of one party.
type State struct {
	Party  domain.Key  `json:"party"`
	Title  domain.Text `json:"title"`
	Kind   string      `json:"kind"` // an IATI OrganisationType
	Parent domain.Key  `json:"parent"`

	Witness         domain.VerifierKey   `json:"witness"`                   // by which its countersignatures are checked; "" for none
	FormerWitnesses []domain.VerifierKey `json:"former_witnesses" diff:"-"` // what Witness was before, in that order
}

// Aggregate lists the commands and events of parties.
var Aggregate = domain.NewAggregate[State](Kind, "A party: a government, an enterprise, an institute, a fund manager.",
	[]domain.CommandType{
		domain.CommandOf[State, Register]("Register a party, so that agreements and projects can name it."),
		domain.CommandOf[State, Change]("Change a party's title, kind or parent."),
		domain.CommandOf[State, RegisterWitness]("Register the key with which a party countersigns checkpoints."),
		domain.CommandOf[State, RotateWitness]("Replace the key with which a party countersigns, by a statement that the present key signed."),
		domain.CommandOf[State, RetireWitness]("Give up the key with which a party countersigns, as when it is lost; a note says why."),
	},
	[]domain.EventType{
		domain.EventOf[State, Registered]("A party was registered."),
		domain.EventOf[State, Changed]("A party's title, kind or parent changed."),
		domain.EventOf[State, WitnessRegistered]("A party countersigns checkpoints with this key."),
		domain.EventOf[State, WitnessRotated]("A party replaced the key with which it countersigns, by a statement that the old one signed."),
		domain.EventOf[State, WitnessRetired]("A party gave up the key with which it countersigned."),
	})

// Ref names the party key.
func Ref(key domain.Key) domain.Ref { return domain.Ref{Kind: Kind, Key: key} }

// Load returns the state of the party key, and refuses in the name of field
// when there is none.
func Load(w domain.World, field string, key domain.Key) (*State, error) {
	s, err := w.State(Ref(key))
	if err != nil {
		return nil, err
	}
	if p, ok := s.(*State); ok && p != nil {
		return p, nil
	}
	return nil, domain.NotFound(field, Kind, key)
}

// Register is the command register-party.
type Register struct {
	Party  domain.Key  `json:"party,omitzero" doc:"Key of the party, chosen once; a UUID when absent."`
	Title  domain.Text `json:"title" required:"true" doc:"Name of the party by language."`
	Kind   string      `json:"kind" required:"true" enum:"national-government,local-government,state-owned-enterprise,private-sector,academic,fund-manager,other" doc:"What it is, after IATI's organisation types."`
	Parent domain.Key  `json:"parent,omitzero" doc:"The party that it belongs to."`
}

func (Register) Name() string      { return "register-party" }
func (c Register) Ref() domain.Ref { return Ref(c.Party) }

// WithKey fills in an absent key of the party.
func (c Register) WithKey(key domain.Key) domain.Command {
	c.Party = c.Party.Or(key)
	return c
}

// Decide registers the party unless the key is taken or the parent unknown.
func (c Register) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	if err := domain.RequireKey("party", c.Party); err != nil {
		return nil, err
	}
	if s != nil {
		return nil, domain.Refuse(domain.CodeAlreadyExists, "party", "party %q is registered; change it with change-party", c.Party)
	}
	if c.Parent != "" {
		if _, err := Load(in.World, "parent", c.Parent); err != nil {
			return nil, err
		}
	}
	return []domain.Event{Registered(c)}, nil
}

// Registered: a party exists from now on.
type Registered struct {
	Party  domain.Key  `json:"party" doc:"Key of the party."`
	Title  domain.Text `json:"title" doc:"Name of the party by language."`
	Kind   string      `json:"kind" enum:"national-government,local-government,state-owned-enterprise,private-sector,academic,fund-manager,other" doc:"What it is, after IATI's organisation types."`
	Parent domain.Key  `json:"parent,omitzero" doc:"The party that it belongs to."`
}

func (Registered) Type() string { return "milepost.party.registered.v1" }

func (e Registered) Apply(s *State) {
	s.Party, s.Title, s.Kind, s.Parent = e.Party, e.Title, e.Kind, e.Parent
}

// Change is the command change-party; what is absent stays as it is.
type Change struct {
	Party  domain.Key  `json:"party" required:"true" doc:"Key of the party."`
	Title  domain.Text `json:"title,omitzero" doc:"New name by language."`
	Kind   string      `json:"kind,omitzero" enum:"national-government,local-government,state-owned-enterprise,private-sector,academic,fund-manager,other" doc:"New kind."`
	Parent domain.Key  `json:"parent,omitzero" doc:"New parent."`
}

func (Change) Name() string      { return "change-party" }
func (c Change) Ref() domain.Ref { return Ref(c.Party) }

// Decide changes the party; a parent may not, through its own parents, be the
// party itself. Two changes at one moment could still close a circle, since
// each sees the other's party as it was: so the walk goes nowhere twice.
func (c Change) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	if s == nil {
		return nil, domain.NotFound("party", Kind, c.Party)
	}
	seen := map[domain.Key]bool{c.Party: true}
	for up := c.Parent; up != ""; {
		if seen[up] {
			return nil, domain.Refuse(CodeParentCycle, "parent", "%q belongs to %q already; change that first", c.Parent, up)
		}
		seen[up] = true
		parent, err := Load(in.World, "parent", up)
		if err != nil {
			return nil, err
		}
		up = parent.Parent
	}
	e := Changed(c)
	next := *s
	e.Apply(&next)
	if next.Title.Equal(s.Title) && next.Kind == s.Kind && next.Parent == s.Parent {
		return nil, domain.Refuse(domain.CodeNothingChanged, "", "party %q is so already", c.Party)
	}
	return []domain.Event{e}, nil
}

// CodeParentCycle refuses a parent that belongs to its own child.
const CodeParentCycle = "parent-cycle"

// Changed: what is not zero replaced what was there.
type Changed struct {
	Party  domain.Key  `json:"party" doc:"Key of the party."`
	Title  domain.Text `json:"title,omitzero" doc:"New name of the party by language."`
	Kind   string      `json:"kind,omitzero" enum:"national-government,local-government,state-owned-enterprise,private-sector,academic,fund-manager,other" doc:"What it is from now on, after IATI's organisation types."`
	Parent domain.Key  `json:"parent,omitzero" doc:"The party that it belongs to from now on."`
}

func (Changed) Type() string { return "milepost.party.changed.v1" }

func (e Changed) Apply(s *State) {
	s.Party = e.Party
	if len(e.Title) > 0 {
		s.Title = e.Title
	}
	if e.Kind != "" {
		s.Kind = e.Kind
	}
	if e.Parent != "" {
		s.Parent = e.Parent
	}
}

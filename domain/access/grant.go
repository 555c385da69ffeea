package access

import (
	"slices"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/party"
)

// Codes of refusals about grants.
const (
	CodePartyRequired     = "party-required"     // a representative is one of a party
	CodeAgreementRequired = "agreement-required" // what is cleared is in an agreement
	CodeCannotBeCleared   = "cannot-be-cleared"  // neither a project nor an area
	CodeReserved          = "reserved-key"       // the local administrator's
)

// GrantAccess is the command grant-access.
type GrantAccess struct {
	Principal domain.Key `json:"principal" required:"true" doc:"Key of the principal, a person or a program; its first grant makes it."`
	Grant     domain.Key `json:"grant,omitzero" doc:"Key of the grant, chosen once; a UUID when absent."`
	Called    string     `json:"name,omitzero" doc:"Name of the principal for people to read." max:"200"`
	Role      string     `json:"role" required:"true" enum:"viewer,contributor,representative,coordinator,auditor,admin" doc:"What it may do: read; report progress and actuals; sign, claim and confirm for a party; draft, schedule and record; read all, with proofs; everything."`
	Agreement domain.Key `json:"agreement,omitzero" doc:"Key of the agreement, which need not exist yet; the whole ledger when absent."`
	Party     domain.Key `json:"party,omitzero" doc:"The party that it acts for: required of a representative."`
	Cleared   []string   `json:"cleared,omitzero" max:"100" doc:"Paths of what is restricted in the agreement and yet seen: project/iot-base, area/iot."`
}

func (GrantAccess) Name() string      { return "grant-access" }
func (c GrantAccess) Ref() domain.Ref { return Ref(c.Principal) }

// WithKey fills in an absent key of the grant.
func (c GrantAccess) WithKey(key domain.Key) domain.Command {
	c.Grant = c.Grant.Or(key)
	return c
}

// Decide grants the role. A key that was revoked is not granted again: who
// reads the log shall find one scope under one key.
func (c GrantAccess) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	if err := domain.RequireKey("grant", c.Grant); err != nil {
		return nil, err
	}
	if s != nil && s.Grants.Has(c.Grant) {
		return nil, domain.Refuse(domain.CodeAlreadyExists, "grant", "grant %q is there, or was revoked; choose another key", c.Grant)
	}
	switch {
	case c.Principal == Administrator:
		return nil, domain.Refuse(CodeReserved, "principal", "%q is the local administrator of each server; choose another key", c.Principal)
	case c.Role == Representative && c.Party == "":
		return nil, domain.Refuse(CodePartyRequired, "party", "a representative acts for one party; say for which")
	case len(c.Cleared) > 0 && c.Agreement == "":
		return nil, domain.Refuse(CodeAgreementRequired, "agreement", "what is cleared is restricted in an agreement; say in which")
	}
	for _, path := range c.Cleared {
		if !clears(path) {
			return nil, domain.Refuse(CodeCannotBeCleared, "cleared", "%q cannot be restricted; want project/<key> or area/<key>", path)
		}
	}
	if c.Party != "" {
		if _, err := party.Load(in.World, "party", c.Party); err != nil {
			return nil, err
		}
	}
	return []domain.Event{Granted(c)}, nil
}

// Granted: the principal has a role from now on. Like a token and an identity, a
// grant that was revoked stays so in whatever order the events are applied.
type Granted struct {
	Principal domain.Key `json:"principal" doc:"Key of the principal, a person or a program."`
	Grant     domain.Key `json:"grant" doc:"Key of the grant."`
	Called    string     `json:"name,omitzero" doc:"Name of the principal for people to read."`
	Role      string     `json:"role" enum:"viewer,contributor,representative,coordinator,auditor,admin" doc:"What it may do."`
	Agreement domain.Key `json:"agreement,omitzero" doc:"Key of the agreement; the whole ledger when absent."`
	Party     domain.Key `json:"party,omitzero" doc:"The party that it acts for."`
	Cleared   []string   `json:"cleared,omitzero" doc:"Paths of what is restricted in the agreement and yet seen."`
}

func (Granted) Type() string      { return "milepost.access.granted.v1" }
func (e Granted) Ref() domain.Ref { return Ref(e.Principal) }

func (e Granted) Apply(s *State) {
	s.Principal = e.Principal
	if e.Called != "" {
		s.Name = e.Called
	}
	s.Grants = s.Grants.Edit(e.Grant, func(g *Grant) {
		*g = Grant{Role: e.Role, Agreement: e.Agreement, Party: e.Party, Cleared: e.Cleared, Revoked: g.Revoked}
	})
}

// RevokeAccess is the command revoke-access.
type RevokeAccess struct {
	Principal domain.Key `json:"principal" required:"true" doc:"Key of the principal."`
	Grant     domain.Key `json:"grant,omitzero" doc:"Key of the grant; everything that the principal has, tokens and identities too, when absent."`
}

func (RevokeAccess) Name() string      { return "revoke-access" }
func (c RevokeAccess) Ref() domain.Ref { return Ref(c.Principal) }

// Decide revokes a grant that stands, or all that stands.
func (c RevokeAccess) Decide(s *State, _ domain.Input) ([]domain.Event, error) {
	if s == nil {
		return nil, domain.NotFound("principal", "principal", c.Principal)
	}
	if c.Grant == "" {
		all := s.everything()
		if len(all.Grants)+len(all.Tokens)+len(all.Identities) == 0 {
			return nil, domain.Refuse(domain.CodeNothingChanged, "principal", "principal %q has nothing that could be revoked", c.Principal)
		}
		return []domain.Event{all}, nil
	}
	g, ok := s.Grants.Get(c.Grant)
	switch {
	case !ok:
		return nil, domain.NotFound("grant", "grant", c.Grant)
	case g.Revoked:
		return nil, domain.Refuse(domain.CodeNothingChanged, "grant", "grant %q was revoked before", c.Grant)
	}
	return []domain.Event{Revoked{Principal: c.Principal, Grants: []domain.Key{c.Grant}}}, nil
}

// everything is what a revocation of everything names.
func (s *State) everything() Revoked {
	all := Revoked{Principal: s.Principal}
	for key, g := range s.Grants.Values() {
		if !g.Revoked {
			all.Grants = append(all.Grants, key)
		}
	}
	for key, t := range s.Tokens.Values() {
		if !t.Revoked {
			all.Tokens = append(all.Tokens, key)
		}
	}
	for key, i := range s.Identities.Values() {
		if !i.Unlinked {
			all.Identities = append(all.Identities, key)
		}
	}
	return all
}

// Revoked: these hold no longer. The event names each, so that who reads the log
// sees what was taken away, and so that it means the same in any order.
type Revoked struct {
	Principal  domain.Key   `json:"principal" doc:"Key of the principal, a person or a program."`
	Grants     []domain.Key `json:"grants,omitzero" doc:"Keys of the grants that hold no longer."`
	Tokens     []domain.Key `json:"tokens,omitzero" doc:"Keys of the tokens that are good no longer."`
	Identities []domain.Key `json:"identities,omitzero" doc:"Keys of the identities by which it can sign in no longer."`
}

func (Revoked) Type() string      { return "milepost.access.revoked.v1" }
func (e Revoked) Ref() domain.Ref { return Ref(e.Principal) }

func (e Revoked) Apply(s *State) {
	s.Principal = e.Principal
	for _, key := range e.Grants {
		s.Grants = s.Grants.Edit(key, func(g *Grant) { g.Revoked = true })
	}
	for _, key := range e.Tokens {
		s.Tokens = s.Tokens.Edit(key, func(t *Token) { t.Revoked = true })
	}
	for _, key := range e.Identities {
		s.Identities = s.Identities.Edit(key, func(i *Identity) { i.Unlinked = true })
	}
}

// Standing lists the grants that hold.
func (s *State) Standing() (grants []Grant) {
	for _, g := range s.Grants.All() {
		if !g.Revoked {
			g.Cleared = slices.Clone(g.Cleared)
			grants = append(grants, g)
		}
	}
	return grants
}

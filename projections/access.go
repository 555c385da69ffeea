package projections

import (
	"context"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/access"
)

// Principal is who may do what, as of a point. What it may do now is what it may
// do as of the log's end, whatever point in the past is looked at.
type Principal struct {
	Principal  domain.Key `json:"principal" sql:"-"`
	Name       string     `json:"name"`
	Grants     []Grant    `json:"grants" sql:"-"`     // in the order in which they came, those revoked too
	Tokens     []Token    `json:"tokens" sql:"-"`     // likewise
	Identities []Identity `json:"identities" sql:"-"` // likewise
	Version    uint64     `json:"version" sql:"-"`
}

// Grant is a role of a principal, as of a point.
type Grant struct {
	Grant     domain.Key `json:"grant" sql:"-"`
	Role      string     `json:"role"`
	Agreement domain.Key `json:"agreement"` // "" for the whole ledger
	Party     domain.Key `json:"party"`
	Cleared   []string   `json:"cleared"` // paths of what is restricted and yet seen
	Revoked   bool       `json:"revoked"`
}

// Token is a token of a principal, as of a point. Its hash is for nobody to read.
type Token struct {
	Token   domain.Key  `json:"token" sql:"-"`
	Label   string      `json:"label"`
	Expires domain.Date `json:"expires"` // the last day on which it is good
	Revoked bool        `json:"revoked"`
	Expired bool        `json:"expired" sql:"-"` // that day is past on the day of the point
}

// Identity is how a principal can sign in by an OpenID provider, as of a point.
type Identity struct {
	Identity domain.Key `json:"identity" sql:"-"`
	Issuer   string     `json:"issuer"`
	Subject  string     `json:"subject"`
	Unlinked bool       `json:"unlinked"`
}

var (
	accessTable   = newTable[Principal](orderAccess, access.Kind, versionLead...)
	grantTable    = newTable[Grant](orderGrant, "grant", versionLead...)
	tokenTable    = newTable[Token](orderToken, "token", versionLead...)
	identityTable = newTable[Identity](orderIdentity, "identity", versionLead...)
)

func principalOf(s *access.State) *Principal { return &Principal{Name: s.Name} }

func grantOf(s *access.State, key domain.Key) *Grant {
	g, _ := s.Grants.Get(key)
	return &Grant{Role: g.Role, Agreement: g.Agreement, Party: g.Party, Cleared: g.Cleared, Revoked: g.Revoked}
}

func tokenOf(s *access.State, key domain.Key) *Token {
	t, _ := s.Tokens.Get(key)
	return &Token{Label: t.Label, Expires: t.Expires, Revoked: t.Revoked}
}

func identityOf(s *access.State, key domain.Key) *Identity {
	i, _ := s.Identities.Get(key)
	return &Identity{Issuer: i.Issuer, Subject: i.Subject, Unlinked: i.Unlinked}
}

// Principals lists the principals of the ledger in the order of their first
// grants.
func (m *Models) Principals(ctx context.Context, at Point, page Page) ([]Principal, string, error) {
	return listOf(ctx, m, accessTable, domain.Ref{}, at, page, (*query).principal)
}

// Principal returns one principal, or refuses with not-found.
func (m *Models) Principal(ctx context.Context, key domain.Key, at Point) (Principal, error) {
	return itemOf(ctx, m, accessTable, access.Ref(key), at, (*query).principal)
}

func (q *query) principal(p *Principal, e found) (err error) {
	p.Principal = keyOf(e.path)
	if p.Version, err = q.version(e.id); err != nil {
		return err
	}
	if p.Grants, err = partsOf(q, grantTable, e, func(g *Grant) *domain.Key { return &g.Grant }); err != nil {
		return err
	}
	if p.Tokens, err = partsOf(q, tokenTable, e, func(t *Token) *domain.Key { return &t.Token }); err != nil {
		return err
	}
	for i := range p.Tokens {
		p.Tokens[i].Expired = past(p.Tokens[i].Expires, q.at.Day)
	}
	p.Identities, err = partsOf(q, identityTable, e, func(i *Identity) *domain.Key { return &i.Identity })
	return err
}

// partsOf reads all parts in t of an aggregate, with their keys.
func partsOf[T any](q *query, t *table[T], of found, key func(*T) *domain.Key) ([]T, error) {
	return all(q, t, t.listSQL, []any{of.id, t.name}, func(_ *query, row *T, e found) error {
		*key(row) = keyOf(e.path)
		return nil
	})
}

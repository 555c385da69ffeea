package access

import (
	"cmp"
	"context"
	"crypto/subtle"
	"errors"
	"slices"

	"github.com/milepost-ledger/milepost/domain"
	grants "github.com/milepost-ledger/milepost/domain/access"
	"github.com/milepost-ledger/milepost/projections"
)

// Administrator is the key of the local administrator, who is not in the log. A
// principal of the log by that name is nobody.
const Administrator = domain.Key(grants.Administrator)

// Principal is somebody with the rights that they had when they were looked up.
// What it sees follows the directory: restrictions count as they are when
// [Principal.View] is called.
type Principal struct {
	Key  domain.Key
	Name string // for people to read

	directory *Directory
	grants    []grants.Grant
	again     func() (*Principal, error) // looks it up by what it was known by
}

// ErrUnknown refuses whoever cannot be told apart from a stranger: by a token that
// does not exist, is not theirs, has expired or was revoked, or by an identity
// that no principal is linked to, or two are.
var ErrUnknown = errors.New("access: nobody is known by that")

// identity is what an OpenID provider calls somebody.
type identity struct{ issuer, subject string }

// Token finds who has a token. The answer takes as long whatever of the secret
// is right.
func (d *Directory) Token(token string) (*Principal, error) {
	key, hash, err := ParseToken(token)
	if err != nil {
		return nil, cmp.Or(d.Err(), ErrUnknown)
	}
	return d.byToken(key, hash)
}

func (d *Directory) byToken(key domain.Key, hash domain.Hash) (*Principal, error) {
	if err := d.Err(); err != nil {
		return nil, err
	}
	var found []*Principal
	if d.opts.AdminToken != "" && same(hash, d.opts.AdminToken) {
		found = append(found, d.Administrator())
	}
	today := domain.DateOf(d.opts.Now(), d.opts.Location)
	d.mu.RLock()
	defer d.mu.RUnlock()
	for _, holder := range d.tokens[key] {
		s := d.principal(holder)
		if s == nil {
			continue
		}
		t, _ := s.Tokens.Get(key)
		if same(hash, t.Hash) && !t.Revoked && today <= t.Expires {
			found = append(found, d.of(s))
		}
	}
	return one(found, func() (*Principal, error) { return d.byToken(key, hash) })
}

// Identity finds who is linked to what an OpenID provider calls somebody.
func (d *Directory) Identity(issuer, subject string) (*Principal, error) {
	if err := d.Err(); err != nil {
		return nil, err
	}
	d.mu.RLock()
	defer d.mu.RUnlock()
	var found []*Principal
	for _, holder := range d.identities[identity{issuer, subject}] {
		s := d.principal(holder)
		if s == nil || slices.ContainsFunc(found, func(p *Principal) bool { return p.Key == holder }) {
			continue
		}
		for _, i := range s.Identities.All() {
			if i.Issuer == issuer && i.Subject == subject && !i.Unlinked {
				found = append(found, d.of(s))
				break
			}
		}
	}
	return one(found, func() (*Principal, error) { return d.Identity(issuer, subject) })
}

// one refuses unless there is exactly one.
func one(found []*Principal, again func() (*Principal, error)) (*Principal, error) {
	if len(found) != 1 {
		return nil, ErrUnknown
	}
	found[0].again = again
	return found[0], nil
}

func same(a, b domain.Hash) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// Principal returns a principal as it is now; false when there is none, or while
// the log is not followed.
func (d *Directory) Principal(key domain.Key) (*Principal, bool) {
	p, err := d.byKey(key)
	return p, err == nil
}

func (d *Directory) byKey(key domain.Key) (*Principal, error) {
	if err := d.Err(); err != nil {
		return nil, err
	}
	if key == Administrator {
		return d.Administrator(), nil
	}
	d.mu.RLock()
	defer d.mu.RUnlock()
	s := d.principal(key)
	if s == nil {
		return nil, ErrUnknown
	}
	return d.of(s), nil
}

// Administrator returns the local administrator, who may do everything.
func (d *Directory) Administrator() *Principal {
	return &Principal{
		Key: Administrator, Name: "Administrator", directory: d,
		grants: []grants.Grant{{Role: grants.Admin}},
		again:  func() (*Principal, error) { return d.byKey(Administrator) },
	}
}

// principal is the state of a principal of the log. The lock is held.
func (d *Directory) principal(key domain.Key) *grants.State {
	if key == Administrator {
		return nil
	}
	s, _ := d.entries[grants.Ref(key)].state.(*grants.State)
	return s
}

func (d *Directory) of(s *grants.State) *Principal {
	return &Principal{
		Key: s.Principal, Name: s.Name, directory: d, grants: s.Standing(),
		again: func() (*Principal, error) { return d.byKey(s.Principal) },
	}
}

// View is what the principal may see now.
func (p *Principal) View() projections.View {
	if p.Over("", grants.Auditor, grants.Admin) {
		return projections.View{Internal: true}
	}
	v := projections.View{Agreements: []domain.Key{}}
	for _, g := range p.grants {
		if g.Agreement == "" {
			v.Agreements = nil
			break
		}
		v.Agreements = append(v.Agreements, g.Agreement)
	}
	if v.Agreements != nil {
		slices.Sort(v.Agreements)
		v.Agreements = slices.Compact(v.Agreements)
	}
	for _, r := range p.directory.restrictions() {
		if p.Reads(r.Agreement) && !p.cleared(r) {
			v.Restricted = append(v.Restricted, r)
		}
	}
	return v
}

// cleared reports whether the principal sees what is restricted: because it was
// cleared for it by name, or sees all of its agreement. Who is cleared for a
// project in a restricted area, and not for the area, does not see it.
func (p *Principal) cleared(r projections.Restriction) bool {
	if p.Over(r.Agreement, grants.Auditor, grants.Admin) {
		return true
	}
	return slices.ContainsFunc(p.grants, func(g grants.Grant) bool {
		return g.Agreement == r.Agreement && slices.Contains(g.Cleared, path(r))
	})
}

// path names what is restricted within its agreement.
func path(r projections.Restriction) string {
	if r.Area != "" {
		return "area/" + string(r.Area)
	}
	return "project/" + string(r.Project)
}

// Cleared lists what is restricted and yet seen by the principal, in an agreement
// or where that is "" in all that are in its scope.
func (p *Principal) Cleared(agreement domain.Key) (seen []projections.Restriction) {
	for _, r := range p.directory.restrictions() {
		if (agreement == "" || agreement == r.Agreement) && p.Reads(r.Agreement) && p.cleared(r) {
			seen = append(seen, r)
		}
	}
	return seen
}

type principalKey struct{}

// With returns a context that says who asks.
func With(ctx context.Context, p *Principal) context.Context {
	return context.WithValue(ctx, principalKey{}, p)
}

// From returns who asks, nil where nobody is known.
func From(ctx context.Context) *Principal {
	p, _ := ctx.Value(principalKey{}).(*Principal)
	return p
}

// KnownBy is the principal as one that is known by something else, and looked up again
// by that.
func (p *Principal) KnownBy(again func() (*Principal, error)) *Principal {
	known := *p
	known.again = again
	return &known
}

// Renewed looks the principal up again by what it was known by: with the rights
// that it has now, or as nobody where that is revoked, expired or unlinked.
func (p *Principal) Renewed() (*Principal, error) {
	if p == nil {
		return nil, ErrUnknown
	}
	return p.again()
}

// Grants lists the grants that hold. Whoever has none is known and may do nothing.
func (p *Principal) Grants() []grants.Grant { return slices.Clone(p.grants) }

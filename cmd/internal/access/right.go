package access

import (
	"slices"
	"strings"

	"github.com/milepost-ledger/milepost/domain"
	grants "github.com/milepost-ledger/milepost/domain/access"
)

// Right is what something takes of who asks for it. The zero Right is nobody's.
type Right struct {
	open  bool     // nobody need be known
	known bool     // whoever is known
	roles []string // one of these
	whole bool     // over the whole ledger
	own   bool     // in the name of a party, which must be that of the role
	wide  bool     // with own: whatever agreement the role is in

	// Shows says that the answer can hold what is restricted.
	Shows bool
}

// Open reports whether it is for strangers, too.
func (r Right) Open() bool { return r.open }

// everyRole lists the roles; each reads.
var everyRole = []string{grants.Viewer, grants.Contributor, grants.Representative, grants.Coordinator, grants.Auditor, grants.Admin}

// Begin reports whether the principal has the right over anything: who has not
// need not be heard further. nil is a stranger.
func (p *Principal) Begin(r Right) bool {
	switch {
	case r.open:
		return true
	case p == nil:
		return false
	case r.known:
		return true
	case r.whole:
		return p.Over("", r.roles...)
	}
	return slices.ContainsFunc(p.grants, func(g grants.Grant) bool { return slices.Contains(r.roles, g.Role) })
}

// May reports whether the principal has the right over an agreement, or where
// that is "" over the ledger as a whole, in the name of parties, of which "" is
// none.
//
// A role acts for its own party and an administrator for any. What a party does
// in its own name takes a party.
func (p *Principal) May(r Right, agreement domain.Key, parties ...domain.Key) bool {
	switch {
	case !p.Begin(r):
		return false
	case r.open, r.known:
		return true
	}
	parties = slices.DeleteFunc(slices.Clone(parties), func(party domain.Key) bool { return party == "" })
	if r.own {
		return len(parties) > 0 && !slices.ContainsFunc(parties, func(party domain.Key) bool { return !p.actsFor(r, agreement, party) })
	}
	return p.Over(agreement, r.roles...) &&
		!slices.ContainsFunc(parties, func(party domain.Key) bool { return !p.belongs(agreement, party) })
}

// actsFor reports whether a role that the right takes is the party's.
func (p *Principal) actsFor(r Right, agreement, party domain.Key) bool {
	return slices.ContainsFunc(p.grants, func(g grants.Grant) bool {
		within := g.Agreement == "" || g.Agreement == agreement
		switch {
		case !slices.Contains(r.roles, g.Role):
			return false
		case g.Role == grants.Admin:
			return within
		}
		return g.Party == party && (within || r.wide)
	})
}

// belongs reports whether the principal may say that it asks in a party's name.
func (p *Principal) belongs(agreement, party domain.Key) bool {
	return p.Over(agreement, grants.Admin) || slices.ContainsFunc(p.grants, func(g grants.Grant) bool {
		return g.Party == party && (g.Agreement == "" || g.Agreement == agreement)
	})
}

// Parties lists those for which the principal has one of the right's roles in any
// agreement; all is true where it is an administrator of the whole ledger, who
// acts for each.
func (p *Principal) Parties(r Right) (parties []domain.Key, all bool) {
	for _, g := range p.grants {
		if slices.Contains(r.roles, g.Role) && g.Party != "" {
			parties = append(parties, g.Party)
		}
	}
	return parties, p.Over("", grants.Admin)
}

// Over reports whether the principal has one of the roles over an agreement, or
// where that is "" over the whole ledger.
func (p *Principal) Over(agreement domain.Key, roles ...string) bool {
	return slices.ContainsFunc(p.grants, func(g grants.Grant) bool {
		return (g.Agreement == "" || g.Agreement == agreement) && slices.Contains(roles, g.Role)
	})
}

// Reads reports whether an agreement is in the principal's scope, whether or not
// there is one.
func (p *Principal) Reads(agreement domain.Key) bool { return p.Over(agreement, everyRole...) }

// String says what it takes, for people.
func (r Right) String() string {
	switch {
	case r.open:
		return "nothing"
	case r.known:
		return "a sign-in"
	case len(r.roles) == len(everyRole):
		return "a role of any kind"
	case len(r.roles) == 0:
		return "a right that nobody has"
	}
	text := "the role " + r.roles[0]
	if last := len(r.roles) - 1; last > 0 {
		text = "one of the roles " + strings.Join(r.roles[:last], ", ") + " or " + r.roles[last]
	}
	switch {
	case r.whole:
		text += " over the whole ledger"
	case r.own:
		text += ", for the party in whose name it is asked"
	}
	return text
}

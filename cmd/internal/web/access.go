package web

import (
	"context"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/projections"
)

// Who may do what, and what is restricted: for those to whom the API tells it.
var (
	accessPage    = page{"GET /access", "access", accessAnswer{}, of((*site).access)}
	principalPage = page{"GET /access/{principal}", "principal", principalAnswer{}, of((*site).principal)}
)

type accessAnswer struct {
	*visit
	Principals   []projections.Principal
	Next         string // cursor of more principals
	Restrictions []projections.Restricted
}

func (s *site) access(ctx context.Context, v *visit) (accessAnswer, error) {
	v.Title, v.Section = v.Say("Access"), "access"
	answer := accessAnswer{visit: v}
	var err error
	if answer.Principals, answer.Next, err = v.models.Principals(ctx, v.At, v.page()); err != nil {
		return answer, err
	}
	answer.Restrictions, err = every(ctx, v.At, v.models.Restrictions)
	return answer, err
}

// Held are the grants that are not revoked.
func (accessAnswer) Held(p projections.Principal) (held []projections.Grant) {
	for _, g := range p.Grants {
		if !g.Revoked {
			held = append(held, g)
		}
	}
	return held
}

// Good counts the tokens that are taken on the day of the page.
func (accessAnswer) Good(p projections.Principal) (n int) {
	for _, t := range p.Tokens {
		if !t.Revoked && !t.Expired {
			n++
		}
	}
	return n
}

// Linked counts the identities that are linked.
func (accessAnswer) Linked(p projections.Principal) (n int) {
	for _, i := range p.Identities {
		if !i.Unlinked {
			n++
		}
	}
	return n
}

type principalAnswer struct {
	*visit
	Of projections.Principal
}

func (s *site) principal(ctx context.Context, v *visit) (principalAnswer, error) {
	found, err := v.models.Principal(ctx, domain.Key(v.request.PathValue("principal")), v.At)
	if err != nil {
		return principalAnswer{}, err
	}
	v.Title, v.Section = string(found.Principal), "access"
	if found.Name != "" {
		v.Title = found.Name
	}
	v.Crumbs = []crumb{{v.Say("Access"), "/access"}}
	return principalAnswer{v, found}, nil
}

// Over says which agreement a right is over, or the whole ledger.
func (v *visit) Over(agreement domain.Key) string { return v.over(agreement) }

package web

import (
	"context"
	"slices"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/projections"
)

// partyPage is a party: what it is, what it is in, and what waits for it.
var partyPage = page{"GET /parties/{party}", "party", partyAnswer{}, of((*site).party)}

type partyAnswer struct {
	*visit
	Of         projections.Party
	Members    []projections.Party // parties of which it is the parent
	Agreements []projections.Agreement
	Awaits     awaits
}

func (s *site) party(ctx context.Context, v *visit) (partyAnswer, error) {
	answer := partyAnswer{visit: v}
	var err error
	if answer.Of, err = v.models.Party(ctx, domain.Key(v.request.PathValue("party")), v.At); err != nil {
		return answer, err
	}
	key := answer.Of.Party
	v.Title, v.Crumbs = v.Plain(answer.Of.Title), []crumb{{v.Say("Overview"), "/"}}
	answer.Members, err = every(ctx, v.At, v.models.Parties)
	if err != nil {
		return answer, err
	}
	answer.Members = slices.DeleteFunc(answer.Members, func(p projections.Party) bool { return p.Parent != key })
	answer.Agreements, err = every(ctx, v.At, v.models.Agreements)
	if err != nil {
		return answer, err
	}
	answer.Agreements = slices.DeleteFunc(answer.Agreements, func(a projections.Agreement) bool { return !slices.Contains(a.Parties, key) })
	answer.Awaits, err = v.awaits(ctx, key, projections.DefaultWithin, projections.Page{Limit: 10})
	return answer, err
}

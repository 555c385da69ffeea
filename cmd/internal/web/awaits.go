package web

import (
	"context"
	"slices"
	"strings"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/projections"
)

// awaits is what waits for one party.
type awaits struct {
	Party domain.Key
	Items []awaited
	Next  string // cursor of more
}

// awaited is something that waits, and what to do about it.
type awaited struct {
	projections.Awaited
	What entity
	Do   []*doLink // the thing that is waited for first; those that the viewer may not are nil
}

// myParties are those in whose name the viewer acts, each once.
func (v *visit) myParties() (parties []domain.Key) {
	for _, g := range v.Principal.Grants() {
		if g.Party != "" && !slices.Contains(parties, g.Party) {
			parties = append(parties, g.Party)
		}
	}
	return parties
}

// awaits finds what waits for a party, most urgent first.
func (v *visit) awaits(ctx context.Context, party domain.Key, within int, page projections.Page) (awaits, error) {
	items, next, err := v.models.Awaiting(ctx, party, v.whole(), within, page)
	if err != nil {
		return awaits{}, err
	}
	a := awaits{party, make([]awaited, len(items)), next}
	for i, item := range items {
		a.Items[i] = awaited{item, v.Entity(string(item.Agreement), item.Entity), nil}
		if a.Items[i].Do, err = v.answers(ctx, item, party); err != nil {
			return awaits{}, err
		}
	}
	return a, nil
}

// answers are the commands that a wait is for, with what is known filled in.
func (v *visit) answers(ctx context.Context, of projections.Awaited, party domain.Key) ([]*doLink, error) {
	path := append(strings.Split(of.Entity, "/"), "", "", "", "")
	fields := []any{"agreement", of.Agreement, "party", party}
	if path[0] != "agreement" {
		fields = append(fields, path[0], path[1])
	}
	if path[2] != "" {
		fields = append(fields, path[2], path[3])
	}
	do := func(commands ...string) (links []*doLink) {
		for _, command := range commands {
			links = append(links, v.Do(command, fields...))
		}
		return links
	}
	switch of.Kind + " " + path[0] + "/" + path[2] {
	case "signature agreement/":
		a, err := v.models.Agreement(ctx, of.Agreement, v.whole())
		fields = append(fields, "document", a.Document)
		return do("sign-agreement"), err
	case "signature amendment/":
		a, err := v.models.Amendment(ctx, of.Agreement, domain.Key(path[1]), v.whole())
		fields = append(fields, "document", a.Document)
		return do("sign-amendment", "reject-amendment"), err
	case "confirmation meeting/":
		m, err := v.models.Meeting(ctx, of.Agreement, domain.Key(path[1]), v.whole())
		fields = append(fields, "minutes", m.Minutes)
		return do("confirm-minutes"), err
	case "confirmation project/milestone":
		return do("confirm-achievement", "dispute-achievement"), nil
	case "confirmation agreement/obligation":
		return do("confirm-fulfilment", "dispute-fulfilment"), nil
	case "confirmation indicator/period":
		return do("verify-actual", "return-actual"), nil
	case "action meeting/action":
		return do("complete-action"), nil
	case "action agreement/obligation":
		return do("claim-fulfilment"), nil
	case "action project/milestone":
		return do("claim-achievement", "reforecast-milestone"), nil
	case "report indicator/period":
		return do("report-actual"), nil
	}
	return nil, nil
}

// First is the first link that the viewer may follow; nil for none.
func (v *visit) First(links []*doLink) *doLink {
	if may := v.May(links); len(may) > 0 {
		return may[0]
	}
	return nil
}

// May is those of the links that the viewer may follow.
func (v *visit) May(links []*doLink) []*doLink {
	return slices.DeleteFunc(slices.Clone(links), func(link *doLink) bool { return link == nil })
}

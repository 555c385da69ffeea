package projections

import (
	"cmp"
	"context"
	"slices"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/fund"
)

// Funding is the way of the money of one party, or to one project, in one
// currency: pledged, committed, disbursed, spent.
type Funding struct {
	Key       domain.Key      `json:"key"` // of the party or project
	Currency  domain.Currency `json:"currency"`
	Pledged   domain.Decimal  `json:"pledged"`   // "" by project: pledges and commitments are to a fund
	Committed domain.Decimal  `json:"committed"` // after reductions; "" by project
	Disbursed domain.Decimal  `json:"disbursed"` // of a party: out of its commitments
	Spent     domain.Decimal  `json:"spent"`
}

// Funding sums up the funds of an agreement by party or by project, in the
// order of keys and currencies. It refuses with not-found.
func (m *Models) Funding(ctx context.Context, of domain.Key, by string, at Point, page Page) (items []Funding, next string, err error) {
	if err := knownGrouping(by, ByParty, ByProject); err != nil {
		return nil, "", err
	}
	err = m.read(ctx, at, func(q *query) error {
		p, err := page.open(at, "funding", string(of), by)
		if err != nil {
			return err
		}
		e, err := q.aggregate(agreement.Ref(of))
		if err != nil {
			return err
		}
		all, err := q.funding(e, by)
		items, next = pageOf(all, p)
		return err
	})
	return items, next, err
}

// funding sums up every movement under an agreement.
func (q *query) funding(of found, by string) ([]Funding, error) {
	sums := map[[2]string]*Funding{}
	sum := func(key domain.Key, currency domain.Currency) *Funding {
		id := [2]string{string(key), string(currency)}
		if sums[id] == nil {
			sums[id] = &Funding{Key: key, Currency: currency, Disbursed: "0", Spent: "0"}
			if by == ByParty {
				sums[id].Pledged, sums[id].Committed = "0", "0"
			}
		}
		return sums[id]
	}
	key := func(party, project domain.Key) domain.Key {
		if by == ByParty {
			return party
		}
		return project
	}
	if by == ByParty {
		pledges, err := moved(q, of, pledgeTable)
		if err != nil {
			return nil, err
		}
		for _, m := range pledges {
			f := sum(m.Party, m.Currency)
			f.Pledged = f.Pledged.Add(m.Amount)
		}
		commitments, err := moved(q, of, commitmentTable)
		if err != nil {
			return nil, err
		}
		for _, m := range commitments {
			f := sum(m.Party, m.Currency)
			f.Committed = f.Committed.Add(m.Amount)
		}
	}
	disbursements, err := moved(q, of, disbursementTable)
	if err != nil {
		return nil, err
	}
	for _, m := range disbursements {
		f := sum(key(m.Party, m.Project), m.Currency)
		f.Disbursed = f.Disbursed.Add(m.Amount)
	}
	expenditures, err := moved(q, of, expenditureTable)
	if err != nil {
		return nil, err
	}
	for _, m := range expenditures {
		f := sum(key(m.Party, m.Project), m.Currency)
		f.Spent = f.Spent.Add(m.Amount)
	}
	items := make([]Funding, 0, len(sums))
	for _, f := range sums {
		items = append(items, *f)
	}
	slices.SortFunc(items, func(a, b Funding) int {
		return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.Currency, b.Currency))
	})
	return items, nil
}

// moved reads the movements of a kind in all funds of an agreement.
func moved[T any](q *query, of found, t *table[T]) ([]T, error) {
	return all(q, t, t.belowSQL, []any{of.id, fund.Kind, t.name}, func(*query, *T, found) error { return nil })
}

package projections

import (
	"cmp"
	"context"
	"slices"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/indicator"
)

// PartyBalance is what one party gives and gets under an agreement.
type PartyBalance struct {
	Party    domain.Key    `json:"party"`
	Owes     Owed          `json:"owes"`     // to others
	Owed     Owed          `json:"owed"`     // to it by others
	PutIn    []Funding     `json:"put_in"`   // into funds, by currency
	Results  []PartyResult `json:"results"`  // that it benefits from
	Verified int           `json:"verified"` // how many of the results have a verified actual
}

// Owed counts obligations by what became of them.
type Owed struct {
	Count          int            `json:"count"`
	Open           int            `json:"open"`
	Claimed        int            `json:"claimed"`
	Fulfilled      int            `json:"fulfilled"`
	Breached       int            `json:"breached"`
	Waived         int            `json:"waived"`
	Overdue        int            `json:"overdue"`         // of the open and the claimed
	Value          []domain.Money `json:"value"`           // by currency, of all but the waived
	ValueFulfilled []domain.Money `json:"value_fulfilled"` // of it
}

// PartyResult is an indicator that a party benefits from, with its latest
// verified actual. Values of different indicators have no sum and no mean.
type PartyResult struct {
	Indicator    domain.Key     `json:"indicator"`
	Title        domain.Text    `json:"title"`
	Level        string         `json:"level"`
	Measure      string         `json:"measure"`
	Unit         string         `json:"unit"`
	Period       domain.Key     `json:"period"` // of the latest verified actual, "" for none
	Verified     domain.Decimal `json:"verified"`
	VerifiedText domain.Text    `json:"verified_text"`
	Progress     domain.Decimal `json:"progress"` // of that period, 1 for all; "" for none
}

// Balance weighs what each party of an agreement, and each other that put
// something into its funds, owes and is owed, has put in, and benefits from:
// first the parties, then the others by key. It refuses with not-found.
func (m *Models) Balance(ctx context.Context, of domain.Key, at Point, page Page) (items []PartyBalance, next string, err error) {
	err = m.read(ctx, at, func(q *query) error {
		p, err := page.open(at, "balance", string(of))
		if err != nil {
			return err
		}
		e, err := q.aggregate(agreement.Ref(of))
		if err != nil {
			return err
		}
		b, err := q.balance(e)
		items, next = pageOf(b.items, p)
		return err
	})
	return items, next, err
}

type balance struct{ items []PartyBalance }

func (b *balance) of(party domain.Key) *PartyBalance {
	i := slices.IndexFunc(b.items, func(p PartyBalance) bool { return p.Party == party })
	if i < 0 {
		i = len(b.items)
		none := Owed{Value: []domain.Money{}, ValueFulfilled: []domain.Money{}}
		b.items = append(b.items, PartyBalance{Party: party, Owes: none, Owed: none, PutIn: []Funding{}, Results: []PartyResult{}})
	}
	return &b.items[i]
}

func (q *query) balance(of found) (b balance, err error) {
	var a Agreement
	if _, err := asOf(q, agreementTable, of.id, &a); err != nil {
		return b, err
	}
	for _, party := range a.Parties {
		b.of(party)
	}
	funding, err := q.funding(of, ByParty)
	if err != nil {
		return b, err
	}
	for _, f := range funding {
		p := b.of(f.Key)
		p.PutIn = append(p.PutIn, f)
	}
	obligations, err := all(q, obligationTable, obligationTable.listSQL, []any{of.id, obligationTable.name}, (*query).obligation)
	if err != nil {
		return b, err
	}
	for i := range obligations {
		o := &obligations[i]
		b.of(o.Debtor).Owes.add(o)
		b.of(o.Beneficiary).Owed.add(o)
	}
	indicators, err := all(q, indicatorTable, indicatorTable.listSQL, []any{of.id, indicator.Kind}, (*query).indicator)
	if err != nil {
		return b, err
	}
	for _, i := range indicators {
		p := b.of(i.Beneficiary)
		p.Results = append(p.Results, PartyResult{
			i.Indicator, i.Title, i.Level, i.Measure, i.Unit, i.VerifiedPeriod, i.Verified, i.VerifiedText, i.VerifiedProgress,
		})
		p.Verified += btoi(i.VerifiedPeriod != "")
	}
	return b, nil
}

// add counts an obligation.
func (o *Owed) add(i *Obligation) {
	o.Count++
	o.Overdue += btoi(i.Overdue)
	switch i.State {
	case agreement.Open:
		o.Open++
	case agreement.Claimed:
		o.Claimed++
	case agreement.Fulfilled:
		o.Fulfilled++
		o.ValueFulfilled = addMoney(o.ValueFulfilled, i.Value)
	case agreement.Breached:
		o.Breached++
	case agreement.Waived:
		o.Waived++
		return
	}
	o.Value = addMoney(o.Value, i.Value)
}

// addMoney adds v, if there is one, to the sum in its currency.
func addMoney(sums []domain.Money, v *domain.Money) []domain.Money {
	if v == nil {
		return sums
	}
	i, found := slices.BinarySearchFunc(sums, v.Currency, func(m domain.Money, c domain.Currency) int { return cmp.Compare(m.Currency, c) })
	if !found {
		return slices.Insert(sums, i, *v)
	}
	sums[i].Amount = sums[i].Amount.Add(v.Amount)
	return sums
}

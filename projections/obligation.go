package projections

import (
	"context"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
)

// Obligation is what one party owes another, as of a point.
type Obligation struct {
	Obligation  domain.Key    `json:"obligation" sql:"-"`
	Agreement   domain.Key    `json:"agreement" sql:"-"`
	Title       domain.Text   `json:"title"`
	Debtor      domain.Key    `json:"debtor"`
	Beneficiary domain.Key    `json:"beneficiary"`
	Due         domain.Date   `json:"due"`
	Value       *domain.Money `json:"value"` // null where it is not about money
	State       string        `json:"state"` // open, fulfilment-claimed, fulfilled, waived, breached
	ClaimedOn   domain.Date   `json:"claimed_on"`
	FulfilledOn domain.Date   `json:"fulfilled_on"`
	Overdue     bool          `json:"overdue" sql:"-"` // open or claimed, and due before the day of the point
}

var obligationTable = newTable[Obligation](orderObligation, "obligation", versionLead...)

func obligationOf(s *agreement.State, key domain.Key) *Obligation {
	o, _ := s.Obligations.Get(key)
	row := &Obligation{
		Title: o.Title, Debtor: o.Debtor, Beneficiary: o.Beneficiary, Due: o.Due, State: o.State,
		ClaimedOn: o.ClaimedOn, FulfilledOn: o.FulfilledOn,
	}
	if o.Value != (domain.Money{}) {
		row.Value = &o.Value
	}
	return row
}

// Obligations lists the obligations under an agreement in the order in which
// they were added, or refuses with not-found.
func (m *Models) Obligations(ctx context.Context, of domain.Key, at Point, page Page) ([]Obligation, string, error) {
	return listOf(ctx, m, obligationTable, agreement.Ref(of), at, page, (*query).obligation)
}

// Obligation returns one obligation, or refuses with not-found.
func (m *Models) Obligation(ctx context.Context, of, key domain.Key, at Point) (Obligation, error) {
	return partItem(ctx, m, obligationTable, agreement.Ref(of), key, at, (*query).obligation)
}

func (q *query) obligation(i *Obligation, e found) error {
	i.Obligation, i.Agreement = keyOf(e.path), e.agreement
	i.Overdue = (i.State == agreement.Open || i.State == agreement.Claimed) && past(i.Due, q.at.Day)
	return nil
}

// past reports whether a date, if there is one, lies before day.
func past(date, day domain.Date) bool { return date != 0 && date < day }

package agreement

import "github.com/milepost-ledger/milepost/domain"

// Obligation is what one party owes another under the agreement.
type Obligation struct {
	Title       domain.Text  `json:"title"`
	Debtor      domain.Key   `json:"debtor"`
	Beneficiary domain.Key   `json:"beneficiary"`
	Due         domain.Date  `json:"due"`
	Value       domain.Money `json:"value"` // zero where it is not about money
	State       string       `json:"state"`
	ClaimedOn   domain.Date  `json:"claimed_on"`   // the date of fulfilment that is claimed
	FulfilledOn domain.Date  `json:"fulfilled_on"` // that was confirmed
}

// States of an obligation; fulfilled and waived are final.
const (
	Open      = "open"
	Claimed   = "fulfilment-claimed"
	Fulfilled = "fulfilled"
	Waived    = "waived"
	Breached  = "breached"
)

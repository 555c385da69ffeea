package web

import (
	"context"

	"github.com/milepost-ledger/milepost/projections"
)

// agreementPage is an agreement: who agreed what, and what came of it.
var agreementPage = page{"GET /agreements/{agreement}", "agreement", agreementAnswer{}, of((*site).agreement)}

type agreementAnswer struct {
	*visit
	Of projections.Agreement
}

func (s *site) agreement(ctx context.Context, v *visit) (agreementAnswer, error) {
	a, err := v.agreementCrumbs(ctx, "agreement")
	if err != nil {
		return agreementAnswer{}, err
	}
	v.Title, v.Crumbs = v.Plain(a.Title), v.Crumbs[:1]
	return agreementAnswer{visit: v, Of: a}, nil
}

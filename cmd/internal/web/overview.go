package web

import (
	"context"

	"github.com/milepost-ledger/milepost/projections"
)

// overview is the first page: the agreements, and how they stand.
var overview = page{"GET /{$}", "overview", overviewAnswer{}, of((*site).overview)}

type overviewAnswer struct {
	*visit
	Agreements []projections.Agreement
	Next       string // cursor of more agreements
}

func (s *site) overview(ctx context.Context, v *visit) (overviewAnswer, error) {
	v.Title, v.Section = v.Say("Overview"), "overview"
	answer := overviewAnswer{visit: v}
	var err error
	answer.Agreements, answer.Next, err = v.models.Agreements(ctx, v.At, v.page())
	return answer, err
}

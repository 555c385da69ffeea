package web

import (
	"context"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/projections"
)

// indicatorPage is one result: what it measures, for whom, and how it came by period.
var indicatorPage = page{"GET /agreements/{agreement}/results/{indicator}", "indicator", indicatorAnswer{}, of((*site).indicator)}

type indicatorAnswer struct {
	*visit
	Of indicatorPeriods
}

func (s *site) indicator(ctx context.Context, v *visit) (indicatorAnswer, error) {
	answer := indicatorAnswer{visit: v}
	if _, err := v.agreementCrumbs(ctx, "results", crumb{v.Say("Results"), agreementPath(v.Agreement, "results")}); err != nil {
		return answer, err
	}
	i, err := v.models.Indicator(ctx, v.Agreement, domain.Key(v.request.PathValue("indicator")), v.At)
	if err != nil {
		return answer, err
	}
	v.Title = v.Plain(i.Title)
	answer.Of, err = v.indicatorPeriods(ctx, i)
	return answer, err
}

// PeriodEntity is the path of a period, for the marks beside what changed.
func (v *visit) PeriodEntity(p projections.IndicatorPeriod) string {
	return "indicator/" + string(p.Indicator) + "/period/" + string(p.Period)
}

// periodTable is the periods of an indicator as a table; Full has all columns.
type periodTable struct {
	*visit
	Of   indicatorPeriods
	Full bool
}

// PeriodTable and FullPeriodTable make the table for a page.
func (v *visit) PeriodTable(of indicatorPeriods) periodTable     { return periodTable{v, of, false} }
func (v *visit) FullPeriodTable(of indicatorPeriods) periodTable { return periodTable{v, of, true} }

package web

import (
	"context"
	"html/template"

	"github.com/milepost-ledger/milepost/cmd/internal/web/chart"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/projections"
)

// fundPage is one fund, with everything that was moved in it.
var fundPage = page{"GET /agreements/{agreement}/funds/{fund}", "fund", fundAnswer{}, of((*site).fund)}

type fundAnswer struct {
	*visit
	Of            projections.Fund
	Pledges       []projections.Pledge
	Commitments   []projections.Commitment
	Disbursements []projections.Disbursement
	Expenditures  []projections.Expenditure
	Chart         template.HTML
}

func (s *site) fund(ctx context.Context, v *visit) (answer fundAnswer, err error) {
	answer.visit = v
	if _, err = v.agreementCrumbs(ctx, "funds", crumb{v.Say("Funds"), agreementPath(v.Agreement, "funds")}); err != nil {
		return answer, err
	}
	key := domain.Key(v.request.PathValue("fund"))
	if answer.Of, err = v.models.Fund(ctx, v.Agreement, key, v.At); err != nil {
		return answer, err
	}
	v.Title = v.Plain(answer.Of.Title)
	if answer.Pledges, err = everyIn(ctx, v.Agreement, key, v.At, v.models.Pledges); err != nil {
		return answer, err
	}
	if answer.Commitments, err = everyIn(ctx, v.Agreement, key, v.At, v.models.Commitments); err != nil {
		return answer, err
	}
	if answer.Disbursements, err = everyIn(ctx, v.Agreement, key, v.At, v.models.Disbursements); err != nil {
		return answer, err
	}
	if answer.Expenditures, err = everyIn(ctx, v.Agreement, key, v.At, v.models.Expenditures); err != nil || answer.Of.Currency == "" {
		return answer, err
	}
	f := answer.Of
	bars := chart.Bars{
		Frame:  v.barsFrame("fund", v.Say("The way of the money"), v.Say("In %s.", string(f.Currency))),
		Series: []chart.BarSeries{{Name: v.Title}},
	}
	add := func(label string, value domain.Decimal) {
		bars.Groups = append(bars.Groups, chart.BarGroup{Label: label, Values: []domain.Decimal{value}})
	}
	add(v.Say("Pledged"), f.Pledged)
	add(v.Say("Committed"), f.Committed)
	add(v.Say("Disbursed"), f.Disbursed)
	add(v.Say("Spent"), f.Spent)
	if f.TargetSize != "" {
		bars.Series = append(bars.Series, chart.BarSeries{Name: v.Say("Target size"), Mark: true})
		bars.Groups[0].Values = append(bars.Groups[0].Values, f.TargetSize)
	}
	answer.Chart = bars.HTML()
	return answer, nil
}

// MoneyOf is something about money that is paid to or spent by a project.
func (v *visit) MoneyOf(project, milestone domain.Key) entity {
	path := "project/" + string(project)
	if milestone != "" {
		path += "/milestone/" + string(milestone)
	}
	return v.Entity(string(v.Agreement), path)
}

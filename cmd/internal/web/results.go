package web

import (
	"cmp"
	"context"
	"html/template"
	"slices"

	"github.com/milepost-ledger/milepost/cmd/internal/web/chart"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/projections"
)

// resultsPage is what came of an agreement: its indicators by period against their
// targets, or summed by area, project or beneficiary.
var resultsPage = page{"GET /agreements/{agreement}/results", "results", resultsAnswer{}, of((*site).results)}

type resultsAnswer struct {
	*visit
	By         string
	Groupings  []choice
	Indicators []indicatorPeriods // by period
	Groups     []resultGroup      // by anything else
	Next       string
}

// indicatorPeriods is an indicator with its periods and their chart.
type indicatorPeriods struct {
	projections.Indicator
	Rows  []projections.IndicatorPeriod
	Chart template.HTML
}

// resultGroup is the results under one area, project or beneficiary.
type resultGroup struct {
	Key   domain.Key
	Title template.HTML
	Rows  []projections.Result
	Chart template.HTML
}

// indicatorsShown is how many indicators have their charts on one page.
const indicatorsShown = 20

func (s *site) results(ctx context.Context, v *visit) (resultsAnswer, error) {
	v.Title = v.Say("Results")
	answer := resultsAnswer{visit: v, By: cmp.Or(v.request.URL.Query().Get("by"), projections.ByPeriod)}
	if _, err := v.agreementCrumbs(ctx, "results"); err != nil {
		return answer, err
	}
	choose(&answer.Groupings, answer.By, projections.ByPeriod, v.Say("By period"))
	choose(&answer.Groupings, answer.By, projections.ByArea, v.Say("By area"))
	choose(&answer.Groupings, answer.By, projections.ByBeneficiary, v.Say("By beneficiary"))
	choose(&answer.Groupings, answer.By, projections.ByProject, v.Say("By project"))
	if answer.By != projections.ByPeriod {
		results, next, err := v.models.Results(ctx, v.Agreement, answer.By, v.At, v.page())
		answer.Groups, answer.Next = v.resultGroups(answer.By, results), next
		return answer, err
	}
	page := v.page()
	page.Limit = indicatorsShown
	indicators, next, err := v.models.Indicators(ctx, v.Agreement, v.At, page)
	if err != nil {
		return answer, err
	}
	answer.Next = next
	for _, i := range indicators {
		with, err := v.indicatorPeriods(ctx, i)
		if err != nil {
			return answer, err
		}
		answer.Indicators = append(answer.Indicators, with)
	}
	return answer, nil
}

// indicatorPeriods finds the periods of an indicator, by their days, and draws them.
func (v *visit) indicatorPeriods(ctx context.Context, i projections.Indicator) (indicatorPeriods, error) {
	with := indicatorPeriods{Indicator: i}
	var err error
	with.Rows, err = everyIn(ctx, v.Agreement, i.Indicator, v.At, v.models.Periods)
	slices.SortStableFunc(with.Rows, func(a, b projections.IndicatorPeriod) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(b.End, a.End))
	})
	if err != nil || i.Measure == "qualitative" {
		return with, err
	}
	bars := chart.Bars{
		Frame:  v.barsFrame("results-"+string(i.Indicator), v.Plain(i.Title), v.Say("Actual against target by period, in %s.", cmp.Or(i.Unit, "%"))),
		Series: []chart.BarSeries{{Name: v.Say("Actual")}, {Name: v.Say("Target"), Mark: true}},
	}
	for _, p := range with.Rows {
		bars.Groups = append(bars.Groups, chart.BarGroup{Label: string(p.Period), Values: []domain.Decimal{p.Actual, p.Target}})
	}
	if len(bars.Groups) > 0 {
		with.Chart = bars.HTML()
	}
	return with, nil
}

// resultGroups puts results together by what they are of. Their charts compare
// progress, since units differ.
func (v *visit) resultGroups(by string, results []projections.Result) (groups []resultGroup) {
	for _, r := range results {
		i := slices.IndexFunc(groups, func(g resultGroup) bool { return g.Key == r.Key })
		if i < 0 {
			i = len(groups)
			groups = append(groups, resultGroup{Key: r.Key, Title: v.groupTitle(by, r.Key)})
		}
		groups[i].Rows = append(groups[i].Rows, r)
	}
	for i, g := range groups {
		bars := chart.Bars{Series: []chart.BarSeries{{Name: v.Say("Progress")}, {Name: v.Say("Target"), Mark: true}}}
		for _, r := range g.Rows {
			if percent := attained(r.Progress); percent != "" {
				bars.Groups = append(bars.Groups, chart.BarGroup{Label: v.ResultName(r) + " " + string(r.Period), Values: []domain.Decimal{percent, "100"}})
			}
		}
		if len(bars.Groups) > 0 {
			bars.Frame = v.barsFrame("results-"+cmp.Or(string(g.Key), "none"), v.Say("Progress against targets"), v.Say("In percent of the way from the baseline to the target."))
			groups[i].Chart = bars.HTML()
		}
	}
	return groups
}

// groupTitle is what results are grouped under.
func (v *visit) groupTitle(by string, key domain.Key) template.HTML {
	switch {
	case key == "":
		return escaped(v.Say("Of the agreement as a whole"))
	case by == projections.ByBeneficiary:
		return v.Party(key)
	case by == projections.ByArea:
		return v.Entity(string(v.Agreement), "area/"+string(key)).Name()
	}
	return v.Entity(string(v.Agreement), "project/"+string(key)).Name()
}

// ResultName is what a result is called: its indicator, or what was summed.
func (v *visit) ResultName(r projections.Result) string {
	if r.Indicator != "" || len(r.Title) > 0 {
		return v.Plain(r.Title)
	}
	return v.Label(r.Level) + " · " + cmp.Or(r.Unit, v.Label(r.Measure))
}

package projections

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/indicator"
	"github.com/milepost-ledger/milepost/domain/project"
)

// Result is what came of some indicators in one period. Those that may be
// summed, and are of the same unit, level and period, are one result with
// their sums; each of the others is one by itself, named by Indicator.
type Result struct {
	Key           domain.Key     `json:"key"`       // of the period, area, project or party; "" for what has none
	Indicator     domain.Key     `json:"indicator"` // of which it is, "" for a sum
	Title         domain.Text    `json:"title"`     // of that indicator
	Level         string         `json:"level"`
	Measure       string         `json:"measure"` // unit, percentage, qualitative
	Unit          string         `json:"unit"`
	Period        domain.Key     `json:"period"`
	Baseline      domain.Decimal `json:"baseline"`
	Target        domain.Decimal `json:"target"`
	TargetText    domain.Text    `json:"target_text"` // of a qualitative indicator
	Actual        domain.Decimal `json:"actual"`      // as reported, unless it was returned
	ActualText    domain.Text    `json:"actual_text"`
	Verified      domain.Decimal `json:"verified"`       // what of it is verified
	Progress      domain.Decimal `json:"progress"`       // of those with both a target and an actual, 1 for all; "" for none
	Indicators    int            `json:"indicators"`     // how many it sums up
	Reported      int            `json:"reported"`       // how many of them have an actual
	VerifiedCount int            `json:"verified_count"` // and how many a verified one

	counted struct{ baseline, target, actual domain.Decimal } // of those with both a target and an actual
}

// By what results and funding are grouped.
const (
	ByPeriod      = "period"
	ByArea        = "area"
	ByProject     = "project"
	ByBeneficiary = "beneficiary"
	ByParty       = "party"
)

// CodeInvalidGrouping refuses a grouping that there is not.
const CodeInvalidGrouping = "invalid-grouping"

// Results groups the results of an agreement by period, area, project or
// beneficiary, in the order of keys, levels, units and periods. An indicator
// counts under its own area, or under each of those of its project. It refuses
// with not-found.
func (m *Models) Results(ctx context.Context, of domain.Key, by string, at Point, page Page) (items []Result, next string, err error) {
	if err := knownGrouping(by, ByPeriod, ByArea, ByProject, ByBeneficiary); err != nil {
		return nil, "", err
	}
	err = m.read(ctx, at, func(q *query) error {
		p, err := page.open(at, "results", string(of), by)
		if err != nil {
			return err
		}
		e, err := q.aggregate(agreement.Ref(of))
		if err != nil {
			return err
		}
		results, err := q.results(e, by)
		items, next = pageOf(results, p)
		return err
	})
	return items, next, err
}

func (q *query) results(of found, by string) ([]Result, error) {
	indicators, err := all(q, indicatorTable, indicatorTable.listSQL, []any{of.id, indicator.Kind}, (*query).indicator)
	if err != nil {
		return nil, err
	}
	periods, err := all(q, periodTable, periodTable.belowSQL, []any{of.id, indicator.Kind, periodTable.name}, (*query).period)
	if err != nil {
		return nil, err
	}
	areas := map[domain.Key][]domain.Key{} // by project
	if by == ByArea {
		projects, err := all(q, projectTable, projectTable.listSQL, []any{of.id, project.Kind}, (*query).project)
		if err != nil {
			return nil, err
		}
		for _, p := range projects {
			areas[p.Project] = p.Areas
		}
	}
	byKey := map[domain.Key]*Indicator{}
	for i := range indicators {
		byKey[indicators[i].Indicator] = &indicators[i]
	}
	type group struct {
		key, indicator, period domain.Key
		level, measure, unit   string
	}
	groups := map[group]*Result{}
	for i := range periods {
		p := &periods[i]
		of := byKey[p.Indicator]
		for _, key := range of.groupKeys(by, p, areas) {
			g := group{key: key, level: of.Level, measure: of.Measure, unit: of.Unit, period: p.Period}
			if !of.Summable {
				g.indicator = of.Indicator
			}
			r := groups[g]
			if r == nil {
				r = &Result{Key: key, Indicator: g.indicator, Level: of.Level, Measure: of.Measure, Unit: of.Unit, Period: p.Period}
				groups[g] = r
			}
			r.add(of, p)
		}
	}
	items := make([]Result, 0, len(groups))
	for _, r := range groups {
		r.Progress = progress(r.counted.baseline, r.counted.target, r.counted.actual)
		items = append(items, *r)
	}
	slices.SortFunc(items, func(a, b Result) int {
		return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.Level, b.Level), cmp.Compare(a.Measure, b.Measure), cmp.Compare(a.Unit, b.Unit),
			cmp.Compare(a.Period, b.Period), cmp.Compare(a.Indicator, b.Indicator))
	})
	return items, nil
}

// groupKeys are the groups in which a period of the indicator counts.
func (i *Indicator) groupKeys(by string, p *IndicatorPeriod, areas map[domain.Key][]domain.Key) []domain.Key {
	switch by {
	case ByPeriod:
		return []domain.Key{p.Period}
	case ByProject:
		return []domain.Key{i.Project}
	case ByBeneficiary:
		return []domain.Key{i.Beneficiary}
	}
	if of := areas[i.Project]; i.Area == "" && len(of) > 0 {
		return of
	}
	return []domain.Key{i.Area}
}

// add counts a period of an indicator in. What is not known adds nothing.
func (r *Result) add(of *Indicator, p *IndicatorPeriod) {
	r.Indicators++
	r.Baseline, r.Target = plus(r.Baseline, p.Baseline), plus(r.Target, p.Target)
	if r.Indicator != "" {
		r.Title, r.TargetText = of.Title, p.TargetText
	}
	if !standing(p.State) {
		return
	}
	r.Reported++
	r.Actual = plus(r.Actual, p.Actual)
	if r.Indicator != "" {
		r.ActualText = p.ActualText
	}
	if p.Verified {
		r.VerifiedCount++
		r.Verified = plus(r.Verified, p.Actual)
	}
	if p.Target != "" && p.Actual != "" {
		c := &r.counted
		c.baseline, c.target, c.actual = plus(c.baseline, p.Baseline), plus(c.target, p.Target), plus(c.actual, p.Actual)
	}
}

// plus is a + b where b is a number, else a: a sum of nothing is no number.
func plus(a, b domain.Decimal) domain.Decimal {
	if b == "" {
		return a
	}
	return a.Add(b)
}

func knownGrouping(by string, known ...string) error {
	if slices.Contains(known, by) {
		return nil
	}
	return domain.Refuse(CodeInvalidGrouping, "by", "there is no grouping by %q; want one of %s", by, strings.Join(known, ", "))
}

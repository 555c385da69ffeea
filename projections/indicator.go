package projections

import (
	"context"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/indicator"
)

// Indicator is a result of an agreement as of a point, with the latest of its
// actuals: of the period that ends last. Where there is none, its fields say
// nothing.
type Indicator struct {
	Indicator   domain.Key     `json:"indicator" sql:"-"`
	Agreement   domain.Key     `json:"agreement" sql:"-"`
	Title       domain.Text    `json:"title"`
	Level       string         `json:"level"`   // output, outcome, impact
	Measure     string         `json:"measure"` // unit, percentage, qualitative
	Unit        string         `json:"unit"`
	Ascending   bool           `json:"ascending"` // more is better
	Baseline    domain.Decimal `json:"baseline"`
	BaselineOn  domain.Date    `json:"baseline_on"`
	Beneficiary domain.Key     `json:"beneficiary"`
	Reporter    domain.Key     `json:"reporter"`
	Verifier    domain.Key     `json:"verifier"`
	Summable    bool           `json:"summable"`
	Project     domain.Key     `json:"project"` // "" for the agreement's own
	Area        domain.Key     `json:"area"`

	ActualPeriod     domain.Key     `json:"actual_period"` // the last one with an actual
	Actual           domain.Decimal `json:"actual"`
	ActualText       domain.Text    `json:"actual_text"`     // of a qualitative indicator
	VerifiedPeriod   domain.Key     `json:"verified_period"` // the last one with a verified actual
	Verified         domain.Decimal `json:"verified"`
	VerifiedText     domain.Text    `json:"verified_text"`
	VerifiedProgress domain.Decimal `json:"verified_progress"` // of that period, "" for none
	FirstVerifiedOn  domain.Date    `json:"first_verified_on"` // since when there is a verified actual
	ProgressPeriod   domain.Key     `json:"progress_period"`   // the last one with a target and an actual
	Progress         domain.Decimal `json:"progress"`          // of it, 1 for all; "" for none
	Periods          int            `json:"periods"`
	Version          uint64         `json:"version" sql:"-"`
}

// IndicatorPeriod is a period of an indicator, as of a point.
type IndicatorPeriod struct {
	Period     domain.Key     `json:"period" sql:"-"` // 2018, 2018-h1, 2018-q3, 2018-05, 2018-03-01--2018-08-31
	Indicator  domain.Key     `json:"indicator" sql:"-"`
	Agreement  domain.Key     `json:"agreement" sql:"-"`
	Start      domain.Date    `json:"start"`
	End        domain.Date    `json:"end"`
	Baseline   domain.Decimal `json:"baseline"` // of the indicator
	Target     domain.Decimal `json:"target"`
	TargetText domain.Text    `json:"target_text"` // of a qualitative indicator
	Actual     domain.Decimal `json:"actual"`
	ActualText domain.Text    `json:"actual_text"`
	State      string         `json:"state"`    // planned, reported, verified, returned
	Verified   bool           `json:"verified"` // the actual is verified
	Progress   domain.Decimal `json:"progress"` // (actual - baseline) / (target - baseline), 1 for all; "" for none, and while the actual is returned
	ReportedOn domain.Date    `json:"reported_on"`
	VerifiedOn domain.Date    `json:"verified_on"`
	Locked     bool           `json:"locked"`
}

var (
	indicatorTable = newTable[Indicator](orderIndicator, "indicator", versionLead...)
	periodTable    = newTable[IndicatorPeriod](orderPeriod, "period", versionLead...)
)

func indicatorOf(s *indicator.State) *Indicator {
	row := &Indicator{
		Title: s.Title, Level: s.Level, Measure: s.Measure, Unit: s.Unit, Ascending: s.Ascending,
		Baseline: s.Baseline, BaselineOn: s.BaselineOn, Beneficiary: s.Beneficiary, Reporter: s.Reporter, Verifier: s.Verifier,
		Summable: s.Summable, Project: s.Project, Area: s.Area, FirstVerifiedOn: s.FirstVerifiedOn, Periods: s.Periods.Len(),
	}
	var actual, verified, both domain.Date // ends of the periods so far
	for key, p := range s.Periods.All() {
		if !standing(p.State) {
			continue
		}
		if p.End >= actual {
			actual, row.ActualPeriod, row.Actual, row.ActualText = p.End, key, p.Actual, p.ActualText
		}
		if p.State == indicator.Verified && p.End >= verified {
			verified, row.VerifiedPeriod, row.Verified, row.VerifiedText = p.End, key, p.Actual, p.ActualText
			row.VerifiedProgress = progress(s.Baseline, p.Target, p.Actual)
		}
		if p.Target != "" && p.Actual != "" && p.End >= both {
			both, row.ProgressPeriod, row.Progress = p.End, key, progress(s.Baseline, p.Target, p.Actual)
		}
	}
	return row
}

func periodOf(s *indicator.State, key domain.Key) *IndicatorPeriod {
	p, _ := s.Periods.Get(key)
	row := &IndicatorPeriod{
		Start: p.Start, End: p.End, Baseline: s.Baseline, Target: p.Target, TargetText: p.TargetText,
		Actual: p.Actual, ActualText: p.ActualText, State: p.State, Verified: p.State == indicator.Verified,
		ReportedOn: p.ReportedOn, VerifiedOn: p.VerifiedOn, Locked: p.Locked,
	}
	if standing(p.State) {
		row.Progress = progress(s.Baseline, p.Target, p.Actual)
	}
	return row
}

// standing reports whether a period in that state has an actual that stands:
// one that was returned does not.
func standing(state string) bool { return state == indicator.Reported || state == indicator.Verified }

// hasTarget reports whether a period has a target, in numbers or in words.
func hasTarget(p *indicator.Period) bool { return p.Target != "" || len(p.TargetText) > 0 }

// progress is indicator.State.Progress of any values, which may be sums; ""
// where there is none.
func progress(baseline, target, actual domain.Decimal) domain.Decimal {
	if target == "" || actual == "" {
		return ""
	}
	ratio, _ := actual.Sub(baseline).Per(target.Sub(baseline), indicator.ProgressPlaces)
	return ratio
}

// indicatorAlso: what is told of the indicator is told of its periods.
func indicatorAlso(was, is *indicator.State, parts []string) []string {
	if was.Baseline == is.Baseline && was.Reporter == is.Reporter && was.Verifier == is.Verifier && sameText(was.Title, is.Title) {
		return parts
	}
	return appendParts(parts, periodTable.name, is.Periods)
}

// Indicators lists the indicators of an agreement in the order in which they
// were defined, or refuses with not-found.
func (m *Models) Indicators(ctx context.Context, of domain.Key, at Point, page Page) ([]Indicator, string, error) {
	return listOf(ctx, m, indicatorTable, agreement.Ref(of), at, page, (*query).indicator)
}

// Indicator returns one indicator, or refuses with not-found.
func (m *Models) Indicator(ctx context.Context, of, key domain.Key, at Point) (Indicator, error) {
	return itemOf(ctx, m, indicatorTable, indicator.Ref(of, key), at, (*query).indicator)
}

// Periods lists the periods of an indicator in the order in which they were
// first spoken of, or refuses with not-found.
func (m *Models) Periods(ctx context.Context, of, key domain.Key, at Point, page Page) ([]IndicatorPeriod, string, error) {
	return listOf(ctx, m, periodTable, indicator.Ref(of, key), at, page, (*query).period)
}

func (q *query) indicator(i *Indicator, e found) (err error) {
	i.Indicator, i.Agreement = keyOf(e.path), e.agreement
	i.Version, err = q.version(e.id)
	return err
}

func (q *query) period(i *IndicatorPeriod, e found) error {
	i.Period, i.Indicator, i.Agreement = keyOf(e.path), e.of(), e.agreement
	return nil
}

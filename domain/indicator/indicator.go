// Package indicator holds the results of an agreement as IATI 2.03's results
// framework has them: an indicator with its baseline, and by period a target
// and an actual.
//
//   - An actual counts as a result when the verifying party has verified it,
//     which is never the party that reported it.
//   - A locked period takes another target or actual only as a correction, with
//     a reason, and stays locked.
//   - Progress is (actual - baseline) / (target - baseline), and there is none
//     where the target is the baseline.
//   - One stretch of days has one name as a period, so that nothing is counted
//     twice under two names.
package indicator

import (
	"slices"

	"github.com/milepost-ledger/milepost/domain"
)

// Kind of the aggregate, as in subjects and paths.
const Kind = "indicator"

// Levels of a result, measures of an indicator, after IATI.
const (
	Output  = "output"
	Outcome = "outcome"
	Impact  = "impact"

	Unit        = "unit"
	Percentage  = "percentage"
	Qualitative = "qualitative" // in words, without values
)

// State is what is known of one indicator.
type State struct {
	ID
	Title       domain.Text    `json:"title"`
	Level       string         `json:"level"`
	Measure     string         `json:"measure"`
	Unit        string         `json:"unit"`      // "jobs", "CNY"
	Ascending   bool           `json:"ascending"` // more is better
	Baseline    domain.Decimal `json:"baseline"`
	BaselineOn  domain.Date    `json:"baseline_on"`
	Beneficiary domain.Key     `json:"beneficiary"` // party that the result is for
	Reporter    domain.Key     `json:"reporter"`    // party that reports actuals
	Verifier    domain.Key     `json:"verifier"`    // party that verifies them, another one
	Summable    bool           `json:"summable"`    // with others of the same unit
	Project     domain.Key     `json:"project"`     // "" for the agreement's own
	Area        domain.Key     `json:"area"`

	FirstVerifiedOn domain.Date `json:"first_verified_on"` // since when there is a verified actual

	Periods domain.List[Period] `part:"period"` // by ReportingPeriod
}

// Period is what is known of one period.
type Period struct {
	Start      domain.Date    `json:"start"`
	End        domain.Date    `json:"end"`
	Target     domain.Decimal `json:"target"`
	TargetText domain.Text    `json:"target_text"` // of a qualitative indicator
	Actual     domain.Decimal `json:"actual"`
	ActualText domain.Text    `json:"actual_text"`
	State      string         `json:"state"`
	ReportedOn domain.Date    `json:"reported_on"`
	VerifiedOn domain.Date    `json:"verified_on"`
	Locked     bool           `json:"locked"`
}

// States of a period.
const (
	Planned  = "planned"  // there is no actual
	Reported = "reported" // there is one that waits for its verification
	Verified = "verified"
	Returned = "returned" // for revision
)

// ID names an indicator in commands and events.
type ID struct {
	Agreement domain.Key `json:"agreement" required:"true" doc:"Key of the agreement."`
	Indicator domain.Key `json:"indicator" required:"true" doc:"Key of the indicator."`
}

// Ref names the indicator as an aggregate.
func (id ID) Ref() domain.Ref { return Ref(id.Agreement, id.Indicator) }

// Ref names the indicator key under an agreement.
func Ref(agreement, key domain.Key) domain.Ref {
	return domain.Ref{Agreement: agreement, Kind: Kind, Key: key}
}

// PeriodID names a period of an indicator in commands and events.
type PeriodID struct {
	Agreement domain.Key      `json:"agreement" required:"true" doc:"Key of the agreement."`
	Indicator domain.Key      `json:"indicator" required:"true" doc:"Key of the indicator."`
	Period    ReportingPeriod `json:"period" required:"true" doc:"The period: 2018, 2018-h1, 2018-q3, 2018-05, or its first and last day as 2018-03-01--2018-08-31."`
}

// Ref names the indicator as an aggregate.
func (id PeriodID) Ref() domain.Ref { return Ref(id.Agreement, id.Indicator) }

// of returns the period, a new one where nothing was said of it yet, and
// refuses when there is no indicator.
func (id PeriodID) of(s *State) (Period, error) {
	if s == nil {
		return Period{}, domain.NotFound(Kind, Kind, id.Indicator)
	}
	return s.period(id.Period), nil
}

// in is of, and refuses unless the state of the period is one of wanted.
func (id PeriodID) in(s *State, wanted ...string) (Period, error) {
	p, err := id.of(s)
	if err == nil && !slices.Contains(wanted, p.State) {
		err = domain.WrongState("period", domain.Key(id.Period), p.State, hint(p.State), wanted...)
	}
	return p, err
}

// hint says what leads on from the state of a period.
func hint(state string) string {
	switch state {
	case Planned, Returned:
		return "report its actual with report-actual"
	case Reported:
		return "verify its actual with verify-actual"
	}
	return "another actual is reported with report-actual"
}

// period returns what is known of a period, which is what it is called where
// nothing else is.
func (s *State) period(key ReportingPeriod) Period {
	p, ok := s.Periods.Get(domain.Key(key))
	if !ok {
		p.State = Planned
		p.Start, p.End = key.Span()
	}
	return p
}

// edit replaces a period by what f makes of it.
func (s *State) edit(id PeriodID, f func(p Period) Period) {
	s.ID = ID{id.Agreement, id.Indicator}
	s.Periods = s.Periods.With(domain.Key(id.Period), f(s.period(id.Period)))
}

// Aggregate lists the commands and events of indicators.
var Aggregate = domain.NewAggregate[State](Kind, "A result of an agreement: an indicator with targets and actuals by period.",
	[]domain.CommandType{
		domain.CommandOf[State, Define]("Define an indicator of a result: what is measured, for whom, and who reports and verifies it."),
		domain.CommandOf[State, SetTarget]("Set the target of a period, or another one."),
		domain.CommandOf[State, ReportActual]("Report the actual of a period; it then waits for its verification."),
		domain.CommandOf[State, VerifyActual]("Verify a reported actual: it counts as a result from then on."),
		domain.CommandOf[State, ReturnActual]("Return a reported actual for revision."),
		domain.CommandOf[State, LockPeriod]("Lock a verified period: only a correction with a reason changes it from then on."),
	},
	[]domain.EventType{
		domain.EventOf[State, Defined]("An indicator was defined."),
		domain.EventOf[State, TargetSet]("The target of a period was set."),
		domain.EventOf[State, ActualReported]("The actual of a period was reported."),
		domain.EventOf[State, ActualVerified]("The actual of a period was verified."),
		domain.EventOf[State, ActualReturned]("The actual of a period was returned for revision."),
		domain.EventOf[State, PeriodLocked]("A period was locked."),
	})

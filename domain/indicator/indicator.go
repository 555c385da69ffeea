// Package indicator holds the results of an agreement as IATI 2.03's results
// framework has them: an indicator with its baseline, and by period a target
// and an actual.
//
//   - An actual counts as a result when the verifying party has verified it,
//     which is never the party that reported it.
//   - A locked period takes another target or actual only as a correction, with
//     a reason.
//   - Progress is (actual - baseline) / (target - baseline), and there is none
//     where the target is the baseline.
package indicator

import (
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

// Aggregate lists the commands and events of indicators.
var Aggregate = domain.NewAggregate[State](Kind, "A result of an agreement: an indicator with targets and actuals by period.",
	[]domain.CommandType{},
	[]domain.EventType{})

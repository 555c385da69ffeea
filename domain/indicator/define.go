package indicator

import (
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/project"
)

// Define is the command define-indicator.
type Define struct {
	Agreement   domain.Key     `json:"agreement" required:"true" doc:"Key of the agreement."`
	Indicator   domain.Key     `json:"indicator,omitzero" doc:"Key of the indicator, chosen once; a UUID when absent."`
	Title       domain.Text    `json:"title" required:"true" doc:"Title by language."`
	Level       string         `json:"level" required:"true" enum:"output,outcome,impact" doc:"Level of the result, after IATI."`
	Measure     string         `json:"measure" required:"true" enum:"unit,percentage,qualitative" doc:"What its values are: a number of units, a percentage, or words."`
	Unit        string         `json:"unit,omitzero" max:"50" doc:"What is counted, such as jobs; needed where the measure is unit."`
	Ascending   *bool          `json:"ascending,omitzero" doc:"Whether more is better; it is when absent."`
	Baseline    domain.Decimal `json:"baseline,omitzero" doc:"The value from which progress counts; 0 when absent."`
	BaselineOn  domain.Date    `json:"baseline_on,omitzero" doc:"The date of the baseline."`
	Beneficiary domain.Key     `json:"beneficiary" required:"true" doc:"The party of the agreement that the result is for."`
	Reporter    domain.Key     `json:"reporter" required:"true" doc:"The party of the agreement that reports actuals."`
	Verifier    domain.Key     `json:"verifier,omitzero" doc:"The party of the agreement that verifies them, never the reporter; the beneficiary when absent."`
	Summable    bool           `json:"summable,omitzero" doc:"Whether it may be summed with others of the same unit."`
	Project     domain.Key     `json:"project,omitzero" doc:"The project whose result it is."`
	Area        domain.Key     `json:"area,omitzero" doc:"The area whose result it is, where it is not one project's."`
}

func (Define) Name() string      { return "define-indicator" }
func (c Define) Ref() domain.Ref { return Ref(c.Agreement, c.Indicator) }

// WithKey fills in an absent key of the indicator.
func (c Define) WithKey(key domain.Key) domain.Command {
	c.Indicator = c.Indicator.Or(key)
	return c
}

// Decide defines an indicator under an agreement in any state. The parties are
// those of the agreement at this moment: a draft whose parties change later
// leaves them as they are. So it is with an area that is retired later.
func (c Define) Decide(s *State, in domain.Input) ([]domain.Event, error) {
	if err := domain.RequireKey("indicator", c.Indicator); err != nil {
		return nil, err
	}
	if s != nil {
		return nil, domain.Refuse(domain.CodeAlreadyExists, "indicator", "indicator %q exists under agreement %q; choose another key", c.Indicator, c.Agreement)
	}
	ascending := c.Ascending == nil || *c.Ascending
	if err := c.checkMeasure(ascending); err != nil {
		return nil, err
	}
	if err := in.NotFuture("baseline_on", c.BaselineOn); err != nil {
		return nil, err
	}
	a, err := agreement.Load(in.World, "agreement", c.Agreement)
	if err != nil {
		return nil, err
	}
	verifier, err := c.checkParties(a)
	if err != nil {
		return nil, err
	}
	if err := c.checkPlace(a, in.World); err != nil {
		return nil, err
	}
	return []domain.Event{Defined{
		ID: ID{c.Agreement, c.Indicator}, Title: c.Title, Level: c.Level, Measure: c.Measure, Unit: c.Unit, Ascending: ascending,
		Baseline: c.Baseline, BaselineOn: c.BaselineOn, Beneficiary: c.Beneficiary, Reporter: c.Reporter, Verifier: verifier,
		Summable: c.Summable, Project: c.Project, Area: c.Area,
	}}, nil
}

// checkMeasure refuses what does not go with the measure. Percentages of
// different wholes and words have no sum; and where less is better, nothing can
// be told from a target without the value that it started from.
func (c Define) checkMeasure(ascending bool) error {
	switch {
	case c.Measure == Unit && c.Unit == "":
		return domain.Refuse(domain.CodeMissingField, "unit", "say what is counted, such as jobs")
	case c.Measure != Unit && c.Summable:
		return domain.Refuse(domain.CodeInvalidValue, "summable", "a %s indicator has no sum with others; leave it out", c.Measure)
	case c.Measure == Qualitative && c.Baseline != "":
		return domain.Refuse(domain.CodeInvalidValue, "baseline", "a qualitative indicator has no values; leave it out")
	case c.Measure != Qualitative && !ascending && c.Baseline == "":
		return domain.Refuse(domain.CodeMissingField, "baseline", "where less is better, say from which value progress counts")
	}
	return nil
}

// checkParties refuses parties that are not the agreement's, and returns the
// one that verifies.
func (c Define) checkParties(a *agreement.State) (domain.Key, error) {
	verifier := c.Verifier
	if verifier == "" && c.Beneficiary != c.Reporter {
		verifier = c.Beneficiary
	}
	for _, p := range []struct {
		field string
		party domain.Key
	}{{"beneficiary", c.Beneficiary}, {"reporter", c.Reporter}, {"verifier", c.Verifier}} {
		if p.party == "" {
			continue
		}
		if err := a.RequireParty(p.field, p.party); err != nil {
			return "", err
		}
	}
	switch verifier {
	case "":
		return "", domain.Refuse(domain.CodeMissingField, "verifier", "%q benefits and reports; name another party to verify", c.Reporter)
	case c.Reporter:
		return "", domain.Refuse(domain.CodeWrongParty, "verifier", "%q cannot verify what it reports itself; name another party", verifier)
	}
	return verifier, nil
}

// checkPlace refuses a project or an area that the agreement does not have.
func (c Define) checkPlace(a *agreement.State, w domain.World) error {
	switch {
	case c.Project != "" && c.Area != "":
		return domain.Refuse(domain.CodeInvalidValue, "area", "it is the result of project %q already; name the one or the other", c.Project)
	case c.Area != "":
		return a.RequireArea("area", c.Area)
	case c.Project == "":
		return nil
	}
	_, err := project.Load(w, "project", c.Agreement, c.Project)
	return err
}

// Defined: the agreement has an indicator more.
type Defined struct {
	ID
	Title       domain.Text    `json:"title" doc:"Title by language."`
	Level       string         `json:"level" enum:"output,outcome,impact" doc:"What kind of result it is."`
	Measure     string         `json:"measure" enum:"unit,percentage,qualitative" doc:"How it is measured."`
	Unit        string         `json:"unit,omitzero" doc:"The unit that it is counted in."`
	Ascending   bool           `json:"ascending" doc:"Whether more is better."`
	Baseline    domain.Decimal `json:"baseline,omitzero" doc:"The value from which progress is counted."`
	BaselineOn  domain.Date    `json:"baseline_on,omitzero" doc:"The date of the baseline."`
	Beneficiary domain.Key     `json:"beneficiary" doc:"The party that benefits."`
	Reporter    domain.Key     `json:"reporter" doc:"The party that reports actuals."`
	Verifier    domain.Key     `json:"verifier" doc:"The party that verifies them."`
	Summable    bool           `json:"summable,omitzero" doc:"Whether its values may be summed over periods."`
	Project     domain.Key     `json:"project,omitzero" doc:"The project whose result it is."`
	Area        domain.Key     `json:"area,omitzero" doc:"The area whose result it is."`
}

func (Defined) Type() string { return "milepost.indicator.defined.v1" }

func (e Defined) Apply(s *State) {
	s.ID, s.Title, s.Level, s.Measure, s.Unit, s.Ascending = e.ID, e.Title, e.Level, e.Measure, e.Unit, e.Ascending
	s.Baseline, s.BaselineOn, s.Beneficiary, s.Reporter, s.Verifier = e.Baseline, e.BaselineOn, e.Beneficiary, e.Reporter, e.Verifier
	s.Summable, s.Project, s.Area = e.Summable, e.Project, e.Area
}

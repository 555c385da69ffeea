package ocds

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/indicator"
)

// measured is what has been said of one indicator.
type measured struct {
	id      indicator.ID
	measure string // of the indicator
	unit    string
	targets map[indicator.ReportingPeriod]string
	actuals map[indicator.ReportingPeriod]string
}

// measurePlaces is how many digits behind the point are kept of a measure.
const measurePlaces = 10

// measures records the metrics of a contract as indicators of its project: what
// was agreed as targets; what was observed as actuals, which wait for their
// verification, since nothing published says that anybody verified them.
func (c *converter) measures(p *progress, k *contract, where string) error {
	if len(p.confirming) == 0 {
		return nil
	}
	for i, m := range k.AgreedMetrics {
		if err := c.metric(p, m, inAgreedMetrics, fmt.Sprintf("%s.agreedMetrics[%d]", where, i)); err != nil {
			return err
		}
	}
	for i, m := range k.Implementation.Metrics {
		if err := c.metric(p, m, inMetrics, fmt.Sprintf("%s.implementation.metrics[%d]", where, i)); err != nil {
			return err
		}
	}
	return nil
}

func (c *converter) metric(p *progress, m metric, place, where string) error {
	if m.ID == "" {
		return domain.Refuse(domain.CodeMissingField, where+".id", "a metric needs its id")
	}
	for i := range m.Observations {
		o := &m.Observations[i]
		at := fmt.Sprintf("%s.observations[%d]", where, i)
		period, err := c.period(o.Period, at+".period")
		if err != nil {
			return err
		}
		of := c.indicator(p, m, o, place)
		value, statement, err := of.read(o, at)
		if err != nil {
			return err
		}
		said := string(value) + statement
		meta := from(place+inObservations, string(o.ID))
		var text domain.Text
		if statement != "" {
			text = c.text(statement)
		}
		id := indicator.PeriodID{Agreement: of.id.Agreement, Indicator: of.id.Indicator, Period: period}
		switch {
		case said == "":
		case place == inAgreedMetrics && of.targets[period] != said:
			of.targets[period] = said
			c.add(indicator.SetTarget{PeriodID: id, Value: value, Statement: text}, meta)
		case place == inMetrics && of.actuals[period] != said:
			of.actuals[period] = said
			c.add(indicator.ReportActual{PeriodID: id, Party: p.claimant, Value: value, Statement: text}, meta)
		}
	}
	return nil
}

// indicator returns the indicator of a metric in the dimensions of an
// observation, such as a region. The dimensions that come first have the
// metric's own key; it is defined when its first observation comes.
func (c *converter) indicator(p *progress, m metric, o *observation, place string) *measured {
	dimensions, _ := json.Marshal(o.Dimensions) // what was decoded encodes; keys are sorted
	name := string(m.ID) + " " + string(dimensions)
	if of, known := p.indicators[name]; known {
		return of
	}
	id := string(m.ID)
	title := cmp.Or(m.Title, id)
	if p.metrics[id] {
		id = name
		for _, dimension := range slices.Sorted(maps.Keys(o.Dimensions)) {
			title += fmt.Sprintf(" (%s: %v)", dimension, o.Dimensions[dimension])
		}
	}
	p.metrics[string(m.ID)] = true
	of := &measured{
		id: indicator.ID{Agreement: p.ids.Agreement, Indicator: keyOf("", id)}, measure: indicator.Unit, unit: o.Unit.Name,
		targets: map[indicator.ReportingPeriod]string{}, actuals: map[indicator.ReportingPeriod]string{},
	}
	p.indicators[name] = of
	_, err := rounded(string(o.Measure), measurePlaces)
	switch {
	case o.Value != nil:
		of.unit = o.Value.Currency
	case err != nil:
		of.measure, of.unit = indicator.Qualitative, ""
	case o.Unit.ID == "P1" || slices.Contains([]string{"percent", "percentage", "%"}, o.Unit.Name):
		of.measure = indicator.Percentage
	}
	if of.measure == indicator.Unit {
		unit := []rune(cmp.Or(of.unit, string(o.Unit.ID), "1"))
		of.unit = string(unit[:min(len(unit), 50)])
	}
	c.add(indicator.Define{
		Agreement: of.id.Agreement, Indicator: of.id.Indicator, Title: c.text(title), Level: indicator.Output, Measure: of.measure, Unit: of.unit,
		Beneficiary: p.confirming[0], Reporter: p.claimant, Project: p.ids.Project,
	}, from(place, string(m.ID)))
	return of
}

// read reads what an observation says: a number, or words of a qualitative
// indicator; neither where it says nothing.
func (m *measured) read(o *observation, where string) (value domain.Decimal, statement string, err error) {
	said, field := string(o.Measure), ".measure"
	if o.Value != nil {
		said, field = string(o.Value.Amount), ".value.amount"
	}
	if said == "" || m.measure == indicator.Qualitative {
		return "", said, nil
	}
	if value, err = rounded(said, measurePlaces); err != nil {
		return "", "", domain.Refuse(domain.CodeInvalidValue, where+field, "the metric was observed in numbers before: %v", err)
	}
	return value, "", nil
}

// period reads the period of an observation; one that says none is the day of
// the release.
func (c *converter) period(p period, where string) (indicator.ReportingPeriod, error) {
	start, err := c.date(p.StartDate, where+".startDate")
	if err != nil {
		return "", err
	}
	end, err := c.date(p.EndDate, where+".endDate")
	if err != nil {
		return "", err
	}
	start, end = cmp.Or(start, end, c.rel.effective), cmp.Or(end, start, c.rel.effective)
	if end < start {
		return "", domain.Refuse(domain.CodeInvalidValue, where+".endDate", "%s lies before the start, %s", end, start)
	}
	return indicator.PeriodOf(start, end), nil
}

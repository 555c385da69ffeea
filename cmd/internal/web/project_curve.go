package web

import (
	"html/template"

	"github.com/milepost-ledger/milepost/cmd/internal/web/chart"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/projections"
)

// earnedValue is planned value against earned value, in a chart, its table, and how
// they are on the day of the page.
type earnedValue struct {
	Chart  template.HTML
	Basis  string
	Points []projections.CurvePoint // of the table
	Thin   bool                     // they are the last of each month, or year
	Now    *projections.CurvePoint  // nil where nothing is planned by then
}

// longTable is how many points are a table that nobody reads, and longChart how many
// are closer in a chart than can be seen.
const (
	longTable = 48
	longChart = 250
)

func (v *visit) earnedValue(curve projections.SCurve) earnedValue {
	c := chart.SCurve{
		Frame: v.frame("s-curve", v.Say("S-curve"),
			v.Say("Planned and earned value over time, in percent of the weight of all milestones."), v.Say("Nothing is planned yet.")),
		DataDate: curve.Day,
		Words: chart.SCurveWords{
			Planned: v.Say("Planned value"), Earned: v.Say("Earned value"), DataDate: v.Say("As of"), Percent: v.Say("% of weight"),
		},
	}
	points := curve.Items
	if len(points) > longChart {
		points = lastOfEach(points, len("2006-01"), curve.Day)
	}
	for _, p := range points {
		c.Points = append(c.Points, chart.CurvePoint{Date: p.Date, Planned: percentOf(p.PlannedPercent), Earned: percentOf(p.EarnedPercent)})
	}
	e := earnedValue{Chart: c.HTML(), Basis: curve.Basis, Points: curve.Items}
	for i, p := range curve.Items {
		if p.Date <= curve.Day {
			e.Now = &curve.Items[i]
		}
	}
	for _, digits := range []int{len("2006-01"), len("2006")} {
		if len(e.Points) > longTable {
			e.Points, e.Thin = lastOfEach(e.Points, digits, curve.Day), true
		}
	}
	return e
}

// lastOfEach keeps the last point of each span of time that begins with the same
// digits of its date, and that of a day.
func lastOfEach(points []projections.CurvePoint, digits int, day domain.Date) (kept []projections.CurvePoint) {
	span := func(d domain.Date) string { return d.String()[:digits] }
	for i, p := range points {
		if i+1 == len(points) || span(points[i+1].Date) != span(p.Date) || p.Date == day {
			kept = append(kept, p)
		}
	}
	return kept
}

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
	Thin   bool                     // it has the last of each month, or year
	Now    *projections.CurvePoint  // nil where nothing is planned by then
}

// longCurve is how many points are a table that nobody reads.
const longCurve = 48

func (v *visit) earnedValue(curve projections.SCurve) earnedValue {
	c := chart.SCurve{
		Frame: v.frame("s-curve", v.Say("S-curve"),
			v.Say("Planned and earned value over time, in percent of the weight of all milestones."), v.Say("Nothing is planned yet.")),
		DataDate: curve.Day,
		Words: chart.SCurveWords{
			Planned: v.Say("Planned"), Earned: v.Say("Earned"), DataDate: v.Say("As of"), Percent: v.Say("% of weight"),
		},
	}
	e := earnedValue{Basis: curve.Basis, Points: curve.Items}
	for i, p := range curve.Items {
		c.Points = append(c.Points, chart.CurvePoint{Date: p.Date, Planned: percentOf(p.PlannedPercent), Earned: percentOf(p.EarnedPercent)})
		if p.Date <= curve.Day {
			e.Now = &curve.Items[i]
		}
	}
	e.Chart = c.HTML()
	for _, digits := range []int{len("2006-01"), len("2006")} {
		if len(e.Points) > longCurve {
			e.Points, e.Thin = lastOfEach(e.Points, digits), true
		}
	}
	return e
}

// lastOfEach keeps the last point of each span of time that begins with the same
// digits of its date.
func lastOfEach(points []projections.CurvePoint, digits int) (kept []projections.CurvePoint) {
	span := func(d domain.Date) string { return d.String()[:digits] }
	for i, p := range points {
		if i+1 == len(points) || span(points[i+1].Date) != span(p.Date) {
			kept = append(kept, p)
		}
	}
	return kept
}

package web

import (
	"cmp"
	"html/template"
	"slices"

	"github.com/milepost-ledger/milepost/cmd/internal/web/chart"
	"github.com/milepost-ledger/milepost/projections"
)

// fewLines is how many lines of a trend chart can be told apart.
const fewLines = 12

// trend is the milestone trend analysis of the milestones that moved most, in a chart
// and its table.
type trend struct {
	Chart template.HTML
	Lines []projections.Trend
	All   int // milestones of the project
}

func (v *visit) trend(all []projections.Trend) trend {
	t := trend{All: len(all), Lines: mostMoved(all)}
	c := chart.Trend{
		Frame: v.frame("trend", v.Say("Milestone trend analysis"),
			v.Say("Each forecast over the day on which it was made. A line that rises is a milestone that slips; one that reaches the diagonal is met."),
			v.Say("No milestone is scheduled yet.")),
		AsOf: v.Today(),
		Words: chart.TrendWords{
			MadeOn: v.Say("Forecast made on"), Forecast: v.Say("Forecast for"), Met: v.Say("Met on"), Diagonal: v.Say("Met on the day"), AsOf: v.Say("As of"),
		},
	}
	for _, m := range t.Lines {
		line := chart.TrendLine{Title: v.Plain(m.Title), Href: v.MilestonePage(m.Agreement, m.Project, m.Milestone), MetOn: m.MetOn}
		for _, move := range m.Series {
			line.Moves = append(line.Moves, chart.TrendMove{MadeOn: move.MadeOn, Forecast: move.Forecast})
		}
		c.Lines = append(c.Lines, line)
	}
	t.Chart = c.HTML()
	return t
}

// mostMoved returns the milestones whose forecasts moved by the most days, in the
// order of their agreed dates.
func mostMoved(all []projections.Trend) []projections.Trend {
	lines := slices.Clone(all)
	slices.SortStableFunc(lines, func(a, b projections.Trend) int { return cmp.Compare(max(b.Drift, -b.Drift), max(a.Drift, -a.Drift)) })
	lines = lines[:min(len(lines), fewLines)]
	slices.SortStableFunc(lines, func(a, b projections.Trend) int { return cmp.Compare(a.Due, b.Due) })
	return lines
}

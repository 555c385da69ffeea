package chart

import (
	"html/template"

	"github.com/milepost-ledger/milepost/domain"
)

// Trend is a milestone trend analysis (MTA): each forecast over the day on
// which it was made. A line that rises is a milestone that slips, and one that
// reaches the diagonal is met.
type Trend struct {
	Frame
	Lines []TrendLine
	AsOf  domain.Date // lines of milestones that are not met lead up to here; 0 for the last move
	Words TrendWords
}

// TrendLine is a milestone.
type TrendLine struct {
	Title string
	Href  string      // where its label leads; "" for no link
	Moves []TrendMove // in any order; those made after MetOn are passed over
	MetOn domain.Date
}

// TrendMove is a forecast; it holds until the next one.
type TrendMove struct {
	MadeOn, Forecast domain.Date
}

// TrendWords are the words of the axes and the legend.
type TrendWords struct {
	MadeOn   string // of the axis across, "Forecast made on"
	Forecast string // of the axis up, "Forecast for"
	Met      string
	Diagonal string // along the diagonal, "Met on the day"
	AsOf     string // before the date of the line
}

// HTML draws the chart.
func (t Trend) HTML() template.HTML { return "" }

package chart

import (
	"html/template"

	"github.com/milepost-ledger/milepost/domain"
)

// SCurve shows planned and earned value over time.
type SCurve struct {
	Frame
	Points   []CurvePoint // in any order; values hold until the next point
	DataDate domain.Date  // up to which value is earned: a line; 0 for none
	Words    SCurveWords
}

// CurvePoint is a date on which planned or earned value changes.
type CurvePoint struct {
	Date            domain.Date
	Planned, Earned domain.Decimal // percent, 0 to 100; "" where it is not known
}

// SCurveWords are the words of the legend and the axis.
type SCurveWords struct {
	Planned, Earned string
	DataDate        string // before the date of the line
	Percent         string // of the axis, "% of weight"
}

// HTML draws the chart.
func (c SCurve) HTML() template.HTML { return "" }

package chart

import (
	"html/template"

	"github.com/milepost-ledger/milepost/domain"
)

// Bars compares amounts: actual and target by period, or the way of the money by
// party.
type Bars struct {
	Frame
	Series []BarSeries
	Groups []BarGroup // in this order, from the top
}

// BarSeries is a bar in each group.
type BarSeries struct {
	Name string
	Mark bool // drawn as a line across the bars of its group, as targets are
}

// BarGroup is a period, a party or a project.
type BarGroup struct {
	Label  string
	Href   string           // where its label leads; "" for no link
	Values []domain.Decimal // by series; "" where there is none
}

// HTML draws the chart.
func (b Bars) HTML() template.HTML { return "" }

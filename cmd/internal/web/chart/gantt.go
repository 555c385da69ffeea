package chart

import (
	"html/template"

	"github.com/milepost-ledger/milepost/domain"
)

// Gantt shows the schedule of a project: where each milestone was planned, is
// agreed and is expected or was met, and what waits for what.
type Gantt struct {
	Frame
	Rows  []GanttRow  // in this order, from the top
	AsOf  domain.Date // the day of the point: a line; 0 for none
	Words GanttWords
}

// GanttRow is a milestone.
type GanttRow struct {
	Key       string // what dependencies name it by
	Title     string
	Note      string // a word or two after the title, such as the state; may be ""
	Href      string // where its title leads; "" for no link
	Baseline  domain.Date
	Due       domain.Date // agreed
	Forecast  domain.Date
	MetOn     domain.Date
	RAG       RAG
	Changed   bool     // marked as changed since the date that the page compares with
	DependsOn []string // keys; one that no row has is passed over
}

// GanttWords are the words of the legend.
type GanttWords struct {
	Baseline, Due, Forecast, Met string
	Slip                         string // from the baseline to the forecast, or to the date met
	Dependency                   string
	AsOf                         string // before the date of the line
	Changed                      string
	RAG                          RAGWords
}

// HTML draws the chart.
func (g Gantt) HTML() template.HTML { return "" }

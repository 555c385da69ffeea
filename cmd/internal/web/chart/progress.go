package chart

import (
	"html/template"

	"github.com/milepost-ledger/milepost/domain"
)

// Progress is a small bar with its percent, for a cell of a table.
type Progress struct {
	ID      string         // unique on the page
	Title   string         // what is said of it, "82% complete, red"
	Percent domain.Decimal // 0 to 100; "" for none
	Text    string         // beside the bar, "82%"
	RAG     RAG
}

// HTML draws the bar.
func (p Progress) HTML() template.HTML { return "" }

// Spark is a small line, for a cell of a table.
type Spark struct {
	ID     string           // unique on the page
	Title  string           // what is said of it
	Values []domain.Decimal // from the first to the last; "" where there is none
	RAG    RAG
}

// HTML draws the line.
func (s Spark) HTML() template.HTML { return "" }

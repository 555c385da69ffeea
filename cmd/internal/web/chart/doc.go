// Package chart draws the charts of the web pages: SVG from plain data, on the
// server, for a page that needs no script to show it.
//
// A chart is a struct with an HTML method. It knows no ledger, no language and
// no clock: what it says, in whatever language, it was given; so were the
// functions that write dates and numbers.
//
// What is guaranteed:
//
//   - Equal data give equal bytes, and any data give a chart: well-formed XML,
//     no NaN, nothing outside of its viewBox (TestAnyInputGivesAChart).
//   - What is drawn is said in words too: each chart has a title and a
//     description that it is labelled by. The page puts a table beside it.
//   - Nothing is told by colour alone: markers, dashes and hatching differ.
//   - All text is escaped. A link leads nowhere but into the site it is on.
//   - There is no style attribute and no script; colours are those of classes
//     that start with "chart", which CSS declares for light, dark and print.
//   - The space that a chart takes is known before it is drawn: it fills its
//     container's width, at a fixed ratio. Each but Progress and Spark is drawn
//     twice, for wide containers and for narrow ones, and CSS shows the one that
//     fits, so that text stays readable on a telephone.
package chart

import (
	_ "embed"
	"html/template"

	"github.com/milepost-ledger/milepost/domain"
)

// CSS is what charts look like. It is made to be a part of the page's one
// stylesheet; its custom properties all start with --chart.
//
//go:embed chart.css
var CSS []byte

// Frame is what all charts are given.
type Frame struct {
	ID          string // unique on the page; letters, digits, - and _
	Title       string
	Description string // what the chart shows, in a sentence or two; may be ""
	Empty       string // said in the place of a chart that has nothing to draw

	Date   func(domain.Date) string       // writes a date; nil for YYYY-MM-DD
	Tick   func(domain.Date, Unit) string // writes the day that a unit of a time axis starts with; nil for 2017, 2017 Q1, 2017-02, 2017-02-28
	Number func(domain.Decimal) string    // nil for the digits
}

// Unit is that of a time axis.
type Unit int

// The units of time axes.
const (
	Day Unit = iota
	Week
	Month
	Quarter
	Year
)

// RAG is red, amber or green; anything else is none of them.
type RAG string

// The RAGs, as the read models say them.
const (
	Green RAG = "green"
	Amber RAG = "amber"
	Red   RAG = "red"
)

// RAGWords are the words for each.
type RAGWords struct{ Green, Amber, Red string }

var _ = template.HTML("")

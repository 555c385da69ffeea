package chart

import (
	"html/template"

	"github.com/milepost-ledger/milepost/domain"
)

// Timeline shows what happened when: days, and spans of time.
type Timeline struct {
	Frame
	Items []TimelineItem // in any order
	AsOf  domain.Date    // a line; 0 for none
	Words TimelineWords
}

// TimelineItem is a day, where To is 0 or the same, or a span.
type TimelineItem struct {
	Title    string
	When     string // the date in words, after the title; may be ""
	Href     string // where its title leads; "" for no link
	Kind     Kind
	From, To domain.Date
	Faded    bool // it happened somewhere within the span, nobody knows when
}

// Kind is what an item of a timeline is about.
type Kind int

// The kinds of items.
const (
	OfPrior Kind = iota // cooperation before the agreement
	OfAgreement
	OfProject
	OfResult
	OfMeeting
)

// TimelineWords are the words of the legend.
type TimelineWords struct {
	Prior, Agreement, Project, Result, Meeting string
	AsOf                                       string // before the date of the line
}

// HTML draws the chart.
func (t Timeline) HTML() template.HTML { return "" }

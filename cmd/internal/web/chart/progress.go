package chart

import (
	"html/template"
	"math"

	"github.com/milepost-ledger/milepost/domain"
)

// Progress is a small bar with its percent, for a cell of a table.
type Progress struct {
	ID      string         // unique on the page
	Title   string         // what is said of it, "82% complete, red"
	Percent domain.Decimal // 0 to 100; "" for none
	Text    string         // beside the bar, "82%"
	RAG     RAG            // the colour; what it means is to be said beside the bar
}

// HTML draws the bar.
func (p Progress) HTML() template.HTML {
	c := &canvas{w: 106, h: 16, id: identifier(p.ID)}
	c.rect("chart-track", 1, 4, 60, 8, "rx", 2)
	if v, ok := amount(p.Percent); ok {
		c.rect(p.RAG.of("chart-done chart-"), 1, 4, clamp(v, 0, 100)*0.6, 8, "rx", 2)
	}
	c.text("chart-text", fromHere, point{67, 12.5}, smallText, c.w-67, p.Text)
	return template.HTML(c.svg("chart-progress", p.Title, ""))
}

// Spark is a small line, for a cell of a table.
type Spark struct {
	ID     string           // unique on the page
	Title  string           // what is said of it
	Values []domain.Decimal // from the first to the last; "" where there is none
	RAG    RAG
}

// HTML draws the line.
func (s Spark) HTML() template.HTML {
	c := &canvas{w: 84, h: 20, id: identifier(s.ID)}
	low, high := math.Inf(1), math.Inf(-1)
	for _, d := range s.Values {
		if v, ok := amount(d); ok {
			low, high = min(low, v), max(high, v)
		}
	}
	x, y := scale{0, float64(len(s.Values) - 1), 5, c.w - 5}, scale{low, high, c.h - 5, 5}
	var path []point
	for i, d := range s.Values {
		if v, ok := amount(d); ok {
			path = append(path, point{x.at(float64(i)), y.at(v)})
		}
	}
	if len(path) > 0 {
		c.polyline(s.RAG.of("chart-spark chart-"), path)
		c.circle(s.RAG.of("chart-spark-end chart-"), path[len(path)-1], 3.5)
	}
	return template.HTML(c.svg("chart-spark-svg", s.Title, ""))
}

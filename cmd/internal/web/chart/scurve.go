package chart

import (
	"cmp"
	"html/template"
	"slices"

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
func (s SCurve) HTML() template.HTML { return s.both(s.draw) }

func (s SCurve) draw(c *canvas) {
	points, days := s.sorted()
	if !days.any {
		s.nothing(c)
		return
	}
	days.reach(s.DataDate)
	top := c.legend(4, s.legend(points)) + 46
	height := 300.0
	if c.narrow() {
		height = 240
	}
	bottom := top + height
	values := s.percents(points)
	left := 24.0
	for i := range values {
		_, w := elide(values[i].label, smallText, c.w/4)
		left = max(left, w+14)
	}
	x, y := days.over(left, c.w-16), scale{values[0].at, values[len(values)-1].at, bottom, top}
	c.across(s.dayTicks(x, false), bottom, bottom, true)
	for _, v := range values {
		c.line("chart-grid", point{left, y.at(v.at)}, point{c.w - 16, y.at(v.at)})
		c.text("chart-soft", upToHere, point{left - 6, y.at(v.at) + 4}, smallText, c.w/4, v.label)
	}
	c.text("chart-soft", fromHere, point{4, top - 10}, smallText, c.w/2, s.Words.Percent)
	end := x.b
	if s.DataDate != 0 {
		end = x.day(s.DataDate)
	}
	s.steps(c, points, x, y, end, false)
	s.steps(c, points, x, y, x.b, true)
	c.dayLine(x, s.DataDate, s.Words.DataDate+" "+s.date(s.DataDate), top-26, top, bottom)
	c.h = bottom + 26
}

// sorted are the points by date, without the end where nothing changes any
// more, and the days that they are about.
func (s SCurve) sorted() ([]CurvePoint, extent) {
	var points []CurvePoint
	for _, p := range s.Points {
		if _, planned := amount(p.Planned); p.Date != 0 {
			if _, earned := amount(p.Earned); planned || earned {
				points = append(points, p)
			}
		}
	}
	slices.SortStableFunc(points, func(a, b CurvePoint) int { return cmp.Compare(a.Date, b.Date) })
	var days extent
	var last CurvePoint
	for _, p := range points {
		if p.Planned != "" && p.Planned != last.Planned || p.Earned != "" && p.Earned != last.Earned {
			days.add(p.Date)
		}
		last.Planned, last.Earned = domain.Decimal(cmp.Or(string(p.Planned), string(last.Planned))), domain.Decimal(cmp.Or(string(p.Earned), string(last.Earned)))
	}
	return points, days
}

// percents are the lines across, from none to all, or further where there is
// more.
func (s SCurve) percents(points []CurvePoint) []tick {
	low, high := 0.0, 100.0
	for _, p := range points {
		for _, d := range []domain.Decimal{p.Planned, p.Earned} {
			if v, ok := amount(d); ok {
				low, high = min(low, v), max(high, v)
			}
		}
	}
	if low == 0 && high == 100 {
		return s.numbers([]float64{0, 25, 50, 75, 100})
	}
	return s.numbers(round(low, high, 5))
}

// steps draws planned or earned value up to a place.
func (s SCurve) steps(c *canvas, points []CurvePoint, x, y scale, end float64, planned bool) {
	var path, corners []point
	for _, p := range points {
		d := p.Earned
		if planned {
			d = p.Planned
		}
		v, ok := amount(d)
		at := point{x.day(p.Date), y.at(v)}
		if !ok || at.x > end {
			continue
		}
		if n := len(path); n == 0 {
			path = append(path, point{at.x, y.at(0)}) // from nothing
			if v == 0 {
				continue
			}
		} else {
			if path[n-1].y == at.y {
				continue
			}
			path = append(path, point{at.x, path[n-1].y})
		}
		path, corners = append(path, at), append(corners, at)
	}
	if len(path) == 0 {
		return
	}
	last := point{end, path[len(path)-1].y}
	path = append(path, last)
	if planned {
		c.polyline("chart-planned", path, "stroke-dasharray", "8 4")
		for _, p := range corners {
			c.polygon("chart-planned-point", regular(p, 5, 4, 45))
		}
		return
	}
	c.polygon("chart-earned-area", append([]point{{path[0].x, y.at(0)}}, append(path, point{end, y.at(0)})...))
	c.polyline("chart-earned", path)
	for _, p := range corners {
		c.circle("chart-earned-point", p, 4.5)
	}
}

// legend says the values on the data date too.
func (s SCurve) legend(points []CurvePoint) []key {
	var now CurvePoint
	for _, p := range points {
		if s.DataDate == 0 || p.Date <= s.DataDate {
			now.Planned, now.Earned = domain.Decimal(cmp.Or(string(p.Planned), string(now.Planned))), domain.Decimal(cmp.Or(string(p.Earned), string(now.Earned)))
		}
	}
	label := func(word string, d domain.Decimal) string {
		if _, ok := amount(d); !ok {
			return word
		}
		return word + " " + s.number(d) + "%"
	}
	return []key{
		{label(s.Words.Planned, now.Planned), 30, func(c *canvas, p point) {
			c.line("chart-planned", point{p.x - 15, p.y}, point{p.x + 15, p.y}, "stroke-dasharray", "8 4")
			c.polygon("chart-planned-point", regular(p, 5, 4, 45))
		}},
		{label(s.Words.Earned, now.Earned), 30, func(c *canvas, p point) {
			c.line("chart-earned", point{p.x - 15, p.y}, point{p.x + 15, p.y})
			c.circle("chart-earned-point", p, 4.5)
		}},
	}
}

package chart

import (
	"html/template"
	"strconv"

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
func (b Bars) HTML() template.HTML { return b.both(b.draw) }

const (
	barHeight = 16.0
	barGap    = 3.0
	barFills  = 4
)

func (b Bars) draw(c *canvas) {
	bars, low, high, any := b.measure()
	if !any {
		b.nothing(c)
		return
	}
	for i := range min(bars, barFills) {
		c.pattern(i)
	}
	top := c.legend(4, b.legend()) + 8
	left, right := 12.0, 0.0
	for _, g := range b.Groups {
		if !c.narrow() {
			_, w := elide(g.Label, textSize, 260)
			left = max(left, w+20)
		}
		for i := range b.Series {
			_, w := elide(b.label(g, i), smallText, c.w*0.35)
			right = max(right, w)
		}
	}
	group := float64(max(bars, 1))*(barHeight+barGap) - barGap + 16
	head := 0.0 // for the label over its group
	if c.narrow() {
		head = 22
	}
	bottom := top + float64(len(b.Groups))*(group+head)
	x, ticks := b.axis(low, high, left, c.w-right-16)
	c.across(ticks, top, bottom, true)
	for n, g := range b.Groups {
		y := top + float64(n)*(group+head)
		if n > 0 {
			c.line("chart-rule", point{0, y}, point{c.w, y})
		}
		if c.narrow() {
			c.linked(g.Href, "chart-text", fromHere, point{left, y + 18}, textSize, c.w-left-8, g.Label)
		} else {
			c.linked(g.Href, "chart-text", upToHere, point{left - 10, y + group/2 + 5}, textSize, left-14, g.Label)
		}
		b.group(c, g, x, y+head+8, y+head+group-8)
	}
	c.line("chart-axis", point{x.at(0), top}, point{x.at(0), bottom})
	c.h = bottom + 26
}

// measure counts the bars of a group and finds the extremes of all.
func (b Bars) measure() (bars int, low, high float64, any bool) {
	for i, s := range b.Series {
		if !s.Mark {
			bars++
		}
		for _, g := range b.Groups {
			if v, ok := g.amount(i); ok {
				low, high, any = min(low, v), max(high, v), true
			}
		}
	}
	return bars, low, high, any
}

func (g BarGroup) amount(series int) (float64, bool) {
	if series >= len(g.Values) {
		return 0, false
	}
	return amount(g.Values[series])
}

// axis is the finest whose labels fit.
func (b Bars) axis(low, high, left, right float64) (x scale, ticks []tick) {
	for n := 6; n > 0; n-- {
		ticks = b.numbers(round(low, high, n))
		x = scale{ticks[0].at, ticks[len(ticks)-1].at, left, max(right, left+40)}
		for i := range ticks {
			ticks[i].at = x.at(ticks[i].at)
		}
		if apart(ticks) {
			return x, ticks
		}
	}
	return x, nil
}

func (b Bars) group(c *canvas, g BarGroup, x scale, top, bottom float64) {
	c.open("g", "class", "chart-row")
	c.hint(b.say(g))
	marks := x.at(0) // where values are written: right of all marks
	for i, s := range b.Series {
		if v, ok := g.amount(i); ok && s.Mark {
			marks = max(marks, x.at(v)+2)
		}
	}
	bar := 0
	for i, s := range b.Series {
		if s.Mark {
			continue
		}
		y := top + float64(bar)*(barHeight+barGap)
		if v, ok := g.amount(i); ok {
			a, z := min(x.at(0), x.at(v)), max(x.at(0), x.at(v))
			c.bar(bar, a, y, z-a)
			c.text("chart-value", fromHere, point{max(z, marks) + 6, y + barHeight - 3.5}, smallText, c.w-max(z, marks)-8, b.label(g, i))
		}
		bar++
	}
	for i, s := range b.Series {
		if v, ok := g.amount(i); ok && s.Mark {
			c.line("chart-target-mark", point{x.at(v), top - 4}, point{x.at(v), bottom + 4})
			if bar != 1 || !b.barred(g) {
				c.text("chart-soft", fromHere, point{marks + 6, top + barHeight - 3.5}, smallText, c.w-marks-8, b.label(g, i))
			}
		}
	}
	c.close("g")
}

// barred reports whether the group has a bar at all.
func (b Bars) barred(g BarGroup) bool {
	for i, s := range b.Series {
		if _, ok := g.amount(i); ok && !s.Mark {
			return true
		}
	}
	return false
}

// label is what is written beside a bar: its value, and where there is one bar
// with its mark, that one's too.
func (b Bars) label(g BarGroup, series int) string {
	if _, ok := g.amount(series); !ok {
		return ""
	}
	own := b.number(g.Values[series])
	bars, mark := 0, ""
	for i, s := range b.Series {
		if !s.Mark {
			bars++
		} else if _, ok := g.amount(i); ok {
			mark = " / " + b.number(g.Values[i])
		}
	}
	switch {
	case b.Series[series].Mark:
		return "– / " + own
	case bars == 1:
		return own + mark
	}
	return own
}

// say is a group in words.
func (b Bars) say(g BarGroup) string {
	said := g.Label
	for i, s := range b.Series {
		if _, ok := g.amount(i); ok {
			said += "; " + s.Name + " " + b.number(g.Values[i])
		}
	}
	return said
}

// bar is one, hatched by its series.
func (c *canvas) bar(i int, x, y, w float64) {
	class := "chart-series chart-c" + strconv.Itoa(i%colours)
	c.open("g", "class", class)
	c.rect("chart-bar", x, y, w, barHeight, "fill", c.fill(i))
	c.close("g")
}

// fill is that of bars: full, hatched, hollow, dotted.
func (c *canvas) fill(i int) string { return "url(#" + c.id + "-fill" + strconv.Itoa(i%barFills) + ")" }

func (c *canvas) pattern(i int) {
	c.open("defs")
	c.open("pattern", "id", c.id+"-fill"+strconv.Itoa(i), "class", "chart-series chart-c"+strconv.Itoa(i), "patternUnits", "userSpaceOnUse", "width", 6, "height", 6)
	switch i {
	case 0:
		c.rect("chart-fill", 0, 0, 6, 6)
	case 1:
		c.polyline("chart-hatch", []point{{0, 6}, {6, 0}})
		c.polyline("chart-hatch", []point{{0, 0.5}, {0.5, 0}})
		c.polyline("chart-hatch", []point{{5.5, 6}, {6, 5.5}})
	case 3:
		c.rect("chart-fill", 1.5, 1.5, 3, 3)
	}
	c.close("pattern")
	c.close("defs")
}

func (b Bars) legend() []key {
	var keys []key
	bar := 0
	for _, s := range b.Series {
		if s.Mark {
			keys = append(keys, key{s.Name, 8, func(c *canvas, p point) { c.line("chart-target-mark", point{p.x, p.y - 9}, point{p.x, p.y + 9}) }})
			continue
		}
		i := bar
		keys = append(keys, key{s.Name, 24, func(c *canvas, p point) { c.bar(i, p.x-12, p.y-barHeight/2, 24) }})
		bar++
	}
	return keys
}

package chart

import (
	"html/template"
	"math"

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
func (g Gantt) HTML() template.HTML { return g.both(g.draw) }

func (g Gantt) draw(c *canvas) {
	var days extent
	for _, r := range g.Rows {
		days.add(r.Baseline, r.Due, r.Forecast, r.MetOn)
	}
	if len(g.Rows) == 0 {
		g.nothing(c)
		return
	}
	if !days.any {
		days.add(g.AsOf)
	}
	days.reach(g.AsOf)
	l := g.layout(c, &days)
	for i, r := range g.Rows {
		g.background(c, l, i, r)
	}
	if days.any {
		ticks := g.dayTicks(l.days, false)
		c.across(ticks, l.top, l.bottom, false)
		if len(g.Rows) > 12 {
			c.across(ticks, l.bottom, l.bottom, true)
		}
		c.dayLine(l.days, g.AsOf, g.Words.AsOf+" "+g.date(g.AsOf), l.top-25, l.top, l.bottom)
	}
	g.arrows(c, l)
	for i, r := range g.Rows {
		g.row(c, l, i, r)
	}
	c.h = l.bottom + 6
	if len(g.Rows) > 12 {
		c.h += 20
	}
}

// ganttLayout is where things are: titles left of the plot, or where that is
// narrow, each over its own line.
type ganttLayout struct {
	top, bottom, row float64
	line             float64 // from the top of a row to its markers
	titles           float64 // room for them
	days             scale
}

func (g Gantt) layout(c *canvas, days *extent) ganttLayout {
	l := ganttLayout{top: c.legend(4, g.legend()) + 46, row: 34, line: 17, titles: 120}
	for _, r := range g.Rows {
		if _, w := elide(r.Title, textSize, 280); w > l.titles {
			l.titles = w
		}
		if r.Note != "" {
			l.row, l.line = 44, 22
		}
	}
	if c.narrow() {
		l.row, l.line, l.titles = 54, 37, c.w-30
		l.days = days.over(14, c.w-14)
	} else {
		l.days = days.over(l.titles+46, c.w-16)
	}
	l.bottom = l.top + l.row*float64(len(g.Rows))
	return l
}

func (l ganttLayout) y(i int) float64 { return l.top + l.row*float64(i) + l.line }

func (g Gantt) background(c *canvas, l ganttLayout, i int, r GanttRow) {
	y := l.top + l.row*float64(i)
	switch {
	case r.Changed:
		c.rect("chart-changed", 0, y, c.w, l.row)
		c.rect("chart-changed-edge", 0, y, 4, l.row)
	case i%2 == 0:
		c.rect("chart-stripe", 0, y, c.w, l.row)
	}
}

func (g Gantt) row(c *canvas, l ganttLayout, i int, r GanttRow) {
	class := "chart-row"
	if r.Changed {
		class = "chart-row chart-row-changed"
	}
	c.open("g", "class", class)
	c.hint(g.say(r))
	g.title(c, l, l.top+l.row*float64(i), r)
	y := l.y(i)
	if from, to := r.slip(); from != 0 && to != 0 && from != to {
		a, b := l.days.day(from), l.days.day(to)
		if to > from {
			c.rect(r.RAG.of("chart-slip chart-"), a, y-3.5, b-a, 7)
		} else {
			c.line("chart-early", point{b, y}, point{a, y})
		}
	}
	if r.Due != 0 {
		x := l.days.day(r.Due)
		c.line("chart-due", point{x, y - 12}, point{x, y + 12})
	}
	if r.Baseline != 0 {
		c.diamond("chart-baseline", point{l.days.day(r.Baseline), y}, 9)
	}
	switch {
	case r.MetOn != 0:
		c.met("chart-met", point{l.days.day(r.MetOn), y})
	case r.Forecast != 0:
		c.diamond("chart-forecast", point{l.days.day(r.Forecast), y}, 6)
	}
	c.close("g")
}

func (g Gantt) title(c *canvas, l ganttLayout, top float64, r GanttRow) {
	c.rag(r.RAG, point{15, top + 17}, g.Words.RAG)
	switch {
	case c.narrow():
		_, note := elide(r.Note, smallText, l.titles/2)
		c.text("chart-soft", upToHere, point{c.w - 6, top + 20}, smallText, l.titles/2, r.Note)
		c.linked(r.Href, "chart-text", fromHere, point{28, top + 21}, textSize, l.titles-note-12, r.Title)
	case r.Note == "":
		c.linked(r.Href, "chart-text", fromHere, point{28, top + 22}, textSize, l.titles, r.Title)
	default:
		c.linked(r.Href, "chart-text", fromHere, point{28, top + 19}, textSize, l.titles, r.Title)
		c.text("chart-soft", fromHere, point{28, top + 36.5}, smallText, l.titles, r.Note)
	}
}

// slip leads from where a milestone was planned to where it is now.
func (r GanttRow) slip() (from, to domain.Date) {
	return first(r.Baseline, r.Due), first(r.MetOn, r.Forecast)
}

// now is where a milestone is.
func (r GanttRow) now() domain.Date { return first(r.MetOn, r.Forecast, r.Due, r.Baseline) }

func first(dates ...domain.Date) domain.Date {
	for _, d := range dates {
		if d != 0 {
			return d
		}
	}
	return 0
}

// say is a row in words.
func (g Gantt) say(r GanttRow) string {
	said := r.Title
	for _, d := range []struct {
		word string
		date domain.Date
	}{{g.Words.Baseline, r.Baseline}, {g.Words.Due, r.Due}, {g.Words.Forecast, r.Forecast}, {g.Words.Met, r.MetOn}} {
		if d.date != 0 {
			said += "; " + d.word + " " + g.date(d.date)
		}
	}
	return said
}

// arrows lead from each milestone to those that wait for it: down its own line,
// along the edge of the other's row, and into that one's marker.
func (g Gantt) arrows(c *canvas, l ganttLayout) {
	rows := make(map[string]int, len(g.Rows))
	for i, r := range g.Rows {
		if _, there := rows[r.Key]; !there && r.Key != "" {
			rows[r.Key] = i
		}
	}
	for i, r := range g.Rows {
		for _, k := range r.DependsOn {
			j, ok := rows[k]
			if !ok || j == i || r.now() == 0 || g.Rows[j].now() == 0 {
				continue
			}
			a, b := point{l.days.day(g.Rows[j].now()), l.y(j)}, point{l.days.day(r.now()), l.y(i)}
			down := 1.0
			if b.y < a.y {
				down = -1
			}
			edge := l.top + l.row*float64(i)
			if down < 0 {
				edge += l.row
			}
			tip := point{b.x, b.y - down*11}
			path := []point{{a.x, a.y + down*9}, {a.x, edge}, {b.x, edge}, tip}
			if math.Abs(a.x-b.x) < 1 {
				path = []point{path[0], tip}
			}
			c.polyline("chart-arrow", path)
			c.polygon("chart-arrow-head", []point{tip, {tip.x - 4, tip.y - down*7}, {tip.x + 4, tip.y - down*7}})
		}
	}
}

// legend explains what is there.
func (g Gantt) legend() []key {
	var has GanttRow
	var slip, changed, arrow bool
	for _, r := range g.Rows {
		has.Baseline, has.Due, has.MetOn = first(has.Baseline, r.Baseline), first(has.Due, r.Due), first(has.MetOn, r.MetOn)
		if r.MetOn == 0 {
			has.Forecast = first(has.Forecast, r.Forecast)
		}
		from, to := r.slip()
		slip, changed, arrow = slip || from != 0 && to > from, changed || r.Changed, arrow || len(r.DependsOn) > 0
	}
	var keys []key
	add := func(there bool, label string, width float64, draw func(c *canvas, p point)) {
		if there {
			keys = append(keys, key{label, width, draw})
		}
	}
	add(has.Baseline != 0, g.Words.Baseline, 18, func(c *canvas, p point) { c.diamond("chart-baseline", p, 8) })
	add(has.Due != 0, g.Words.Due, 8, func(c *canvas, p point) { c.line("chart-due", point{p.x, p.y - 8}, point{p.x, p.y + 8}) })
	add(has.Forecast != 0, g.Words.Forecast, 14, func(c *canvas, p point) { c.diamond("chart-forecast", p, 6) })
	add(has.MetOn != 0, g.Words.Met, 16, func(c *canvas, p point) { c.met("chart-met", p) })
	add(slip, g.Words.Slip, 26, func(c *canvas, p point) { c.rect("chart-slip chart-none", p.x-13, p.y-3.5, 26, 7) })
	add(arrow, g.Words.Dependency, 22, func(c *canvas, p point) {
		c.line("chart-arrow", point{p.x - 11, p.y}, point{p.x + 5, p.y})
		c.polygon("chart-arrow-head", []point{{p.x + 11, p.y}, {p.x + 4, p.y - 4}, {p.x + 4, p.y + 4}})
	})
	add(changed, g.Words.Changed, 18, func(c *canvas, p point) {
		c.rect("chart-changed", p.x-9, p.y-7, 18, 14)
		c.rect("chart-changed-edge", p.x-9, p.y-7, 4, 14)
	})
	return keys
}

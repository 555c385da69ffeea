package chart

import (
	"cmp"
	"html/template"
	"slices"
	"strconv"

	"github.com/milepost-ledger/milepost/domain"
)

// Trend is a milestone trend analysis (MTA): each forecast over the day on
// which it was made. A line that rises is a milestone that slips, and one that
// reaches the diagonal is met.
type Trend struct {
	Frame
	Lines []TrendLine
	AsOf  domain.Date // lines of milestones that are not met lead up to here; 0 for the last move
	Words TrendWords
}

// TrendLine is a milestone.
type TrendLine struct {
	Title string
	Href  string      // where its label leads; "" for no link
	Moves []TrendMove // in any order; those made after MetOn are passed over
	MetOn domain.Date
}

// TrendMove is a forecast; it holds until the next one.
type TrendMove struct {
	MadeOn, Forecast domain.Date
}

// TrendWords are the words of the axes and the legend.
type TrendWords struct {
	MadeOn   string // of the axis across, "Forecast made on"
	Forecast string // of the axis up, "Forecast for"
	Met      string
	Diagonal string // along the diagonal, "Met on the day"
	AsOf     string // before the date of the line
}

// HTML draws the chart.
func (t Trend) HTML() template.HTML { return t.both(t.draw) }

func (t Trend) draw(c *canvas) {
	var days extent
	lines := make([][]TrendMove, len(t.Lines))
	for i, l := range t.Lines {
		lines[i] = l.moves()
		for _, m := range lines[i] {
			days.add(m.MadeOn, m.Forecast)
		}
	}
	if !days.any {
		t.nothing(c)
		return
	}
	days.reach(t.AsOf)
	top := c.legend(4, t.legend()) + 46
	left, right, height := 88.0, c.w-t.labels(), 420.0
	if c.narrow() {
		left, right, height = 84, c.w-12, 270
	} else {
		height = max(height, trendLabel*float64(len(t.Lines)))
	}
	bottom := top + height
	x, y := days.over(left, right), days.over(bottom, top)
	c.across(t.dayTicks(x, false), bottom, bottom, true)
	for _, tick := range t.dayTicks(x, false) {
		if tick.label != "" {
			c.line("chart-grid", point{tick.at, top}, point{tick.at, bottom})
		}
	}
	for _, tick := range t.dayTicks(y, true) {
		if tick.label == "" {
			continue
		}
		c.line("chart-grid", point{left, tick.at}, point{right, tick.at})
		c.text("chart-soft", upToHere, point{left - 6, tick.at + 4}, smallText, left-8, tick.label)
	}
	c.line("chart-diagonal", point{x.a, y.a}, point{x.b, y.b}, "stroke-dasharray", "3 3")
	c.text("chart-soft", fromHere, point{4, top - 10}, smallText, c.w/2, t.Words.Forecast)
	c.text("chart-soft", upToHere, point{right, bottom + 38}, smallText, c.w/2, t.Words.MadeOn)
	c.dayLine(x, t.AsOf, t.Words.AsOf+" "+t.date(t.AsOf), top-26, top, bottom)
	ends := make([]point, len(lines))
	for i, moves := range lines {
		ends[i] = t.line(c, i, moves, x, y)
	}
	c.h = bottom + 46
	if c.narrow() {
		t.below(c)
	} else {
		t.beside(c, lines, ends, right, top, bottom)
	}
}

// moves are the forecasts by the day they were made on, and the day met as the
// last of them.
func (l TrendLine) moves() []TrendMove {
	var moves []TrendMove
	for _, m := range l.Moves {
		if m.MadeOn != 0 && m.Forecast != 0 && (l.MetOn == 0 || m.MadeOn <= l.MetOn) {
			moves = append(moves, m)
		}
	}
	slices.SortStableFunc(moves, func(a, b TrendMove) int { return cmp.Compare(a.MadeOn, b.MadeOn) })
	if l.MetOn != 0 {
		moves = append(moves, TrendMove{l.MetOn, l.MetOn})
	}
	return moves
}

// line draws a milestone and returns where its line ends.
func (t Trend) line(c *canvas, i int, moves []TrendMove, x, y scale) point {
	if len(moves) == 0 {
		return point{}
	}
	l := t.Lines[i]
	var path []point
	for n, m := range moves {
		at := point{x.day(m.MadeOn), y.day(m.Forecast)}
		if n > 0 {
			path = append(path, point{at.x, path[len(path)-1].y}) // it holds until then
		}
		path = append(path, at)
	}
	end := path[len(path)-1]
	if l.MetOn == 0 && t.AsOf > moves[len(moves)-1].MadeOn {
		end = point{x.day(t.AsOf), end.y}
		path = append(path, end)
	}
	c.open("g", "class", "chart-series chart-c"+strconv.Itoa(i%colours))
	said := l.Title
	if l.MetOn != 0 {
		said += "; " + t.Words.Met + " " + t.date(l.MetOn)
	} else {
		said += "; " + t.date(moves[len(moves)-1].Forecast)
	}
	c.hint(said)
	c.polyline("chart-line", path, "stroke-dasharray", dash(i))
	for n, m := range moves {
		at := point{x.day(m.MadeOn), y.day(m.Forecast)}
		switch {
		case l.MetOn != 0 && n == len(moves)-1:
			c.met("chart-mark", at)
		case n == 0 || m.Forecast != moves[n-1].Forecast:
			c.shape(i, "chart-mark", at)
		}
	}
	c.close("g")
	return end
}

func dash(i int) string {
	if d := dashes[i%len(dashes)]; d != "" {
		return d
	}
	return "none"
}

// trendLabel is how far labels are from one another.
const trendLabel = 20.0

// labels is how much room titles take right of the plot, with their samples.
func (t Trend) labels() float64 {
	room := 90.0
	for _, l := range t.Lines {
		_, w := elide(l.Title, textSize, 300)
		room = max(room, w)
	}
	return room + 58
}

// beside writes the titles right of the plot, each as near to the end of its
// line as those above and below it allow.
func (t Trend) beside(c *canvas, lines [][]TrendMove, ends []point, right, top, bottom float64) {
	var order []int
	for i := range lines {
		if len(lines[i]) > 0 {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(ends[a].y, ends[b].y) })
	ys := make([]float64, len(order))
	for n, i := range order {
		ys[n] = clamp(ends[i].y, top+8, bottom-8)
	}
	spread(ys, trendLabel, top+8, bottom-8)
	at := right + 16
	for n, i := range order {
		c.open("g", "class", "chart-series chart-c"+strconv.Itoa(i%colours))
		c.polyline("chart-leader", []point{ends[i], {right, ends[i].y}, {at - 6, ys[n]}})
		t.sample(c, i, point{at, ys[n]})
		c.close("g")
		c.linked(t.Lines[i].Href, "chart-text", fromHere, point{at + 36, ys[n] + 4}, textSize, c.w-4-(at+36), t.Lines[i].Title)
	}
}

// below writes them under the plot.
func (t Trend) below(c *canvas) {
	for i, l := range t.Lines {
		if len(l.moves()) == 0 {
			continue
		}
		c.open("g", "class", "chart-series chart-c"+strconv.Itoa(i%colours))
		t.sample(c, i, point{8, c.h + 12})
		c.close("g")
		c.linked(l.Href, "chart-text", fromHere, point{46, c.h + 17}, textSize, c.w-52, l.Title)
		c.h += 26
	}
	c.h += 4
}

// sample is a bit of a line with its marker, from p to the right.
func (t Trend) sample(c *canvas, i int, p point) {
	c.line("chart-line", p, point{p.x + 30, p.y}, "stroke-dasharray", dash(i))
	c.shape(i, "chart-mark", point{p.x + 15, p.y})
}

// spread moves rising values apart, at least by gap and as little as it takes,
// between low and high if there is room.
func spread(values []float64, gap, low, high float64) {
	for i := range values {
		if i > 0 {
			values[i] = max(values[i], values[i-1]+gap)
		}
	}
	for i := len(values) - 1; i >= 0; i-- {
		limit := high
		if i < len(values)-1 {
			limit = values[i+1] - gap
		}
		values[i] = max(low, min(values[i], limit))
	}
}

func (t Trend) legend() []key {
	keys := []key{{t.Words.Diagonal, 26, func(c *canvas, p point) {
		c.line("chart-diagonal", point{p.x - 13, p.y + 6}, point{p.x + 13, p.y - 6}, "stroke-dasharray", "3 3")
	}}}
	for _, l := range t.Lines {
		if l.MetOn != 0 {
			return append(keys, key{t.Words.Met, 16, func(c *canvas, p point) { c.met("chart-met", p) }})
		}
	}
	return keys
}

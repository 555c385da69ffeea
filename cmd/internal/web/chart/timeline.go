package chart

import (
	"cmp"
	"html/template"
	"slices"
	"strconv"

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
func (t Timeline) HTML() template.HTML { return t.both(t.draw) }

const laneHeight = 42.0

func (t Timeline) draw(c *canvas) {
	items, days := t.sorted()
	if !days.any {
		t.nothing(c)
		return
	}
	days.reach(t.AsOf)
	top := c.legend(4, t.legend(items)) + 46
	x := days.over(12, c.w-12)
	places, lanes := t.place(items, x, c.w)
	bottom := top + float64(lanes)*laneHeight + 8
	c.across(t.dayTicks(x, false), top, bottom, false)
	c.dayLine(x, t.AsOf, t.Words.AsOf+" "+t.date(t.AsOf), top-25, top, bottom)
	for i, it := range items {
		t.item(c, i, it, places[i], top+float64(places[i].lane)*laneHeight)
	}
	c.h = bottom + 6
}

// sorted are the items that have a date, by date.
func (t Timeline) sorted() ([]TimelineItem, extent) {
	var items []TimelineItem
	var days extent
	for _, it := range t.Items {
		if it.From == 0 {
			it.From = it.To
		}
		if it.To == 0 {
			it.To = it.From
		}
		if it.From == 0 {
			continue
		}
		it.From, it.To = min(it.From, it.To), max(it.From, it.To)
		if it.Kind < OfPrior || it.Kind > OfMeeting {
			it.Kind = OfPrior
		}
		days.add(it.From, it.To)
		items = append(items, it)
	}
	slices.SortStableFunc(items, func(a, b TimelineItem) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To)) })
	return items, days
}

// place is where an item is: its mark, its title over it, and its lane.
type place struct {
	from, to float64 // of the mark
	text     float64 // where the title starts
	room     float64 // how much there is for it
	width    float64 // how much of that it takes
	lane     int
}

// place finds each item the first lane in which nothing is in its way.
func (t Timeline) place(items []TimelineItem, x scale, width float64) (places []place, lanes int) {
	var ends []float64
	for _, it := range items {
		p := place{from: x.day(it.From), to: x.day(it.To), room: width - 12}
		p.width = new(canvas).titled("", point{}, p.room, it.Title, it.When)
		p.text = clamp(p.from-7, 4, width-p.width-4)
		start := min(p.text, p.from-9)
		for p.lane < len(ends) && ends[p.lane] > start {
			p.lane++
		}
		if p.lane == len(ends) {
			ends = append(ends, 0)
		}
		ends[p.lane] = max(p.text+p.width, p.to+9) + 12
		places = append(places, p)
	}
	return places, len(ends)
}

var kindClass = [...]string{OfPrior: "chart-prior", OfAgreement: "chart-agreement", OfProject: "chart-project", OfResult: "chart-result", OfMeeting: "chart-meeting"}

func (t Timeline) item(c *canvas, i int, it TimelineItem, p place, top float64) {
	y := top + 32
	c.open("g", "class", "chart-item "+kindClass[it.Kind])
	said := it.Title
	if it.When != "" {
		said += "; " + it.When
	}
	c.hint(said)
	if p.to-p.from > 1 {
		if it.Faded {
			id := c.id + "-fade" + strconv.Itoa(i)
			c.fade(id)
			c.rect("chart-faded", p.from, y-5, p.to-p.from, 10, "fill", "url(#"+id+")")
			c.rect("chart-faded-edge", p.from, y-5, p.to-p.from, 10, "fill", "none", "stroke-dasharray", "3 3")
		} else {
			c.rect("chart-span", p.from, y-4, p.to-p.from, 8, "rx", 3)
		}
	}
	if !it.Faded || p.to-p.from <= 1 {
		c.kind(it.Kind, point{p.from, y})
	} else {
		c.kind(it.Kind, point{(p.from + p.to) / 2, y})
	}
	c.close("g")
	c.titled(it.Href, point{p.text, top + 19}, p.room, it.Title, it.When)
}

// fade is a fill that comes and goes.
func (c *canvas) fade(id string) {
	c.open("defs")
	c.open("linearGradient", "id", id)
	for _, s := range [][2]string{{"0", "0"}, {"0.5", "0.7"}, {"1", "0"}} {
		c.tag("stop", "class", "chart-stop", "offset", s[0], "stop-opacity", s[1])
	}
	c.close("linearGradient")
	c.close("defs")
}

// kind is the marker of a kind of items.
func (c *canvas) kind(k Kind, p point) {
	switch k {
	case OfPrior:
		c.circle("chart-kind chart-hollow", p, 6)
	case OfAgreement:
		c.polygon("chart-kind", regular(p, 8.5, 4, 45))
	case OfProject:
		c.polygon("chart-kind", regular(p, 8, 3, 90))
	case OfResult:
		c.polygon("chart-kind", star(p, 9, 4, 5))
	case OfMeeting:
		c.polygon("chart-kind", regular(p, 7, 4, 0))
	}
}

func (t Timeline) legend(items []TimelineItem) []key {
	var keys []key
	for k, word := range []string{t.Words.Prior, t.Words.Agreement, t.Words.Project, t.Words.Result, t.Words.Meeting} {
		if !slices.ContainsFunc(items, func(it TimelineItem) bool { return it.Kind == Kind(k) }) {
			continue
		}
		keys = append(keys, key{word, 16, func(c *canvas, p point) {
			c.open("g", "class", "chart-item "+kindClass[k])
			c.kind(Kind(k), p)
			c.close("g")
		}})
	}
	return keys
}

package chart

import (
	"html"
	"html/template"
	"math"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"
)

// canvas is an SVG while it is drawn. Its height is known when it is done.
type canvas struct {
	w, h  float64
	id    string // before all ids in it
	links bool
	body  strings.Builder
}

// Widths in units: of charts in wide containers, and in narrow ones. What is
// text is at least smallText high in both.
const (
	wide      = 1000
	narrow    = 400
	textSize  = 13
	smallText = 12
)

type point struct{ x, y float64 }

func (c *canvas) narrow() bool { return c.w <= narrow }

// tag writes an element without content; attributes are pairs of a name and a
// string or a number.
func (c *canvas) tag(name string, attrs ...any) {
	c.begin(name, attrs)
	c.body.WriteString("/>")
}

func (c *canvas) open(name string, attrs ...any) {
	c.begin(name, attrs)
	c.body.WriteByte('>')
}

func (c *canvas) close(name string) { c.body.WriteString("</" + name + ">") }

func (c *canvas) begin(name string, attrs []any) {
	c.body.WriteString("<" + name)
	for i := 0; i+1 < len(attrs); i += 2 {
		c.body.WriteString(" " + attrs[i].(string) + `="`)
		switch v := attrs[i+1].(type) {
		case float64:
			c.body.WriteString(number(v))
		case int:
			c.body.WriteString(strconv.Itoa(v))
		case string:
			c.body.WriteString(escape(v))
		}
		c.body.WriteByte('"')
	}
}

// number writes a coordinate, to a tenth of a unit.
func number(v float64) string {
	v = math.Round(v*10) / 10
	if v == 0 || math.IsNaN(v) || math.IsInf(v, 0) { // 0 may be -0
		return "0"
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

// escape makes text fit for the content of an element and for an attribute.
func escape(s string) string { return html.EscapeString(clean(s)) }

// clean replaces what XML cannot hold, though a string can.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || r == '\n' || r == '\r':
			return ' '
		case r < 0x20, r >= 0x7f && r < 0xa0, r == 0xfffe, r == 0xffff:
			return utf8.RuneError
		}
		return r
	}, strings.ToValidUTF8(s, string(utf8.RuneError)))
}

// identifier makes an id of what may be none.
func identifier(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_':
			return r
		}
		return '-'
	}, s)
	if s == "" {
		return "chart"
	}
	return s
}

// local returns href where it leads into the site, and else "".
func local(href string) string {
	u, err := url.Parse(href)
	if err != nil || u.Scheme != "" || u.Host != "" || u.Opaque != "" || strings.Contains(href, `\`) || strings.HasPrefix(href, "//") {
		return ""
	}
	return href
}

func clamp(v, lo, hi float64) float64 {
	if math.IsNaN(v) {
		return lo
	}
	return max(lo, min(v, max(lo, hi)))
}

func (c *canvas) line(class string, a, b point, attrs ...any) {
	c.tag("line", append([]any{"class", class, "x1", a.x, "y1", a.y, "x2", b.x, "y2", b.y}, attrs...)...)
}

func (c *canvas) rect(class string, x, y, w, h float64, attrs ...any) {
	c.tag("rect", append([]any{"class", class, "x", x, "y", y, "width", max(w, 0), "height", max(h, 0)}, attrs...)...)
}

func (c *canvas) polyline(class string, points []point, attrs ...any) {
	c.tag("polyline", append([]any{"class", class, "points", join(points), "fill", "none"}, attrs...)...)
}

func (c *canvas) polygon(class string, points []point) {
	c.tag("polygon", "class", class, "points", join(points))
}

func join(points []point) string {
	var b strings.Builder
	for i, p := range points {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(number(p.x) + "," + number(p.y))
	}
	return b.String()
}

// hint is what a pointer that rests on the group reads.
func (c *canvas) hint(s string) {
	if s != "" {
		c.body.WriteString("<title>" + escape(s) + "</title>")
	}
}

// Where text stands to its point.
const (
	fromHere = "start"
	around   = "middle"
	upToHere = "end"
)

// text writes s in at most room units and returns how many it takes. What is
// cut off is in its hint.
func (c *canvas) text(class, anchor string, at point, size, room float64, s string) float64 {
	return c.linked("", class, anchor, at, size, room, s)
}

// linked is text that leads to href, if that is a link.
func (c *canvas) linked(href, class, anchor string, at point, size, room float64, s string) float64 {
	short, width := elide(s, size, min(room, c.w))
	if short == "" {
		return 0
	}
	c.write(href, class, anchor, at, size, width, short, s, "")
	return width
}

// titled is linked text from at on, with more of it in soft small text: right
// behind, however wide the first turns out to be.
func (c *canvas) titled(href string, at point, room float64, s, more string) float64 {
	short, width := elide(s, textSize, room)
	more, then := elide(more, smallText, room-width-8)
	if then > 0 {
		width += 8 + then
	} else {
		more = "" // an accent without a letter
	}
	if short+more != "" {
		c.write(href, "chart-text", fromHere, at, textSize, width, short, s, more)
	}
	return width
}

// write writes what was measured, short of what is long, and more behind it;
// aside from its point where it would else leave the canvas.
func (c *canvas) write(href, class, anchor string, at point, size, width float64, short, long, more string) {
	share := map[string]float64{around: 0.5, upToHere: 1}[anchor]
	left := clamp(at.x-share*width, 0, c.w-width)
	at.x = left + share*width
	href = local(href)
	if href != "" {
		c.links = true
		c.open("a", "href", href, "class", "chart-link")
		c.rect("chart-target", left, max(at.y-17, 0), min(width, c.w), 24) // that a finger finds
	}
	c.open("text", "class", class, "x", at.x, "y", at.y, "font-size", size, "text-anchor", anchor)
	if short != strings.TrimSpace(clean(long)) {
		c.hint(long)
	}
	c.body.WriteString(escape(short))
	if more != "" {
		c.open("tspan", "class", "chart-soft", "font-size", smallText, "dx", 8)
		c.body.WriteString(escape(more))
		c.close("tspan")
	}
	c.close("text")
	if href != "" {
		c.close("a")
	}
}

// both draws a chart for wide containers and for narrow ones.
func (f Frame) both(draw func(*canvas)) template.HTML {
	id := identifier(f.ID)
	var b strings.Builder
	b.WriteString(`<div class="chart">`)
	for _, c := range []*canvas{{w: wide, id: id}, {w: narrow, id: id + "-narrow"}} {
		draw(c)
		class := "chart-svg chart-wide"
		if c.narrow() {
			class = "chart-svg chart-narrow"
		}
		b.WriteString(c.svg(class, f.Title, f.Description))
	}
	b.WriteString("</div>\n")
	return template.HTML(b.String()) // all text in it went through escape
}

// nothing draws a frame with a word instead of data.
func (f Frame) nothing(c *canvas) {
	c.h = 60
	c.rect("chart-empty", 1, 1, c.w-2, c.h-2, "rx", 6)
	c.text("chart-soft", around, point{c.w / 2, 35}, textSize, c.w-40, f.Empty)
}

// svg is what was drawn. A picture's parts are not heard by a screen reader,
// so one with links is a group.
func (c *canvas) svg(class, title, description string) string {
	s := &canvas{}
	role := "img"
	if c.links {
		role = "group"
	}
	attrs := []any{"class", class, "viewBox", "0 0 " + number(c.w) + " " + number(c.h), "role", role, "aria-labelledby", c.id + "-title"}
	if description != "" {
		attrs = append(attrs, "aria-describedby", c.id+"-desc")
	}
	s.open("svg", attrs...)
	s.open("title", "id", c.id+"-title")
	s.body.WriteString(escape(title))
	s.close("title")
	if description != "" {
		s.open("desc", "id", c.id+"-desc")
		s.body.WriteString(escape(description))
		s.close("desc")
	}
	s.body.WriteString(c.body.String())
	s.close("svg")
	return s.body.String()
}

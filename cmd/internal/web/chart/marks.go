package chart

import "math"

// regular is a regular polygon around p, its first corner at an angle in
// degrees, clockwise from the top.
func regular(p point, r float64, corners int, angle float64) []point {
	points := make([]point, corners)
	for i := range points {
		sin, cos := math.Sincos((angle + 360*float64(i)/float64(corners)) * math.Pi / 180)
		points[i] = point{p.x + r*sin, p.y - r*cos}
	}
	return points
}

// star is a polygon whose corners are at two radii in turn.
func star(p point, r, inner float64, rays int) []point {
	var points []point
	out, in := regular(p, r, rays, 0), regular(p, inner, rays, 180/float64(rays))
	for i := range out {
		points = append(points, out[i], in[i])
	}
	return points
}

func (c *canvas) circle(class string, p point, r float64) {
	c.tag("circle", "class", class, "cx", p.x, "cy", p.y, "r", r)
}

func (c *canvas) diamond(class string, p point, r float64) { c.polygon(class, regular(p, r, 4, 0)) }

// met is the marker of what is done: a full circle with a check in it.
func (c *canvas) met(class string, p point) {
	c.circle(class, p, 7.5)
	c.polyline("chart-check", []point{{p.x - 3.5, p.y}, {p.x - 1, p.y + 3}, {p.x + 3.8, p.y - 3}})
}

// rag is a badge that differs in shape: a disc, a triangle, a square.
func (c *canvas) rag(r RAG, p point, words RAGWords) {
	var word string
	switch r {
	case Green:
		word = words.Green
	case Amber:
		word = words.Amber
	case Red:
		word = words.Red
	default:
		return
	}
	c.open("g", "class", "chart-rag chart-"+string(r))
	c.hint(word)
	switch r {
	case Green:
		c.circle("chart-badge", p, 5)
	case Amber:
		c.polygon("chart-badge", regular(point{p.x, p.y + 1}, 6.5, 3, 0))
	case Red:
		c.polygon("chart-badge", regular(p, 7, 4, 45))
	}
	c.close("g")
}

// of is the class of a RAG after a prefix; what is none of the three has that of none.
func (r RAG) of(prefix string) string {
	switch r {
	case Green, Amber, Red:
		return prefix + string(r)
	}
	return prefix + "none"
}

// dashes and shapes tell lines apart that look the same in grey.
var dashes = []string{"", "8 4", "2 4", "11 4 2 4", "16 5", "5 3 1 3 1 3"}

const colours = 6

func (c *canvas) shape(i int, class string, p point) {
	switch i % 8 {
	case 0:
		c.circle(class, p, 4.5)
	case 1:
		c.polygon(class, regular(p, 5.8, 4, 45))
	case 2:
		c.polygon(class, regular(p, 6, 3, 0))
	case 3:
		c.polygon(class, regular(p, 6, 4, 0))
	case 4:
		c.polygon(class, regular(p, 6, 3, 180))
	case 5:
		c.polygon(class, star(p, 7, 2.8, 5))
	case 6:
		c.polygon(class, star(p, 6.5, 2.5, 4))
	case 7:
		c.polygon(class, regular(p, 5.5, 6, 0))
	}
}

// key is an entry of a legend.
type key struct {
	label string
	width float64 // of its sample
	draw  func(c *canvas, p point)
}

// legend writes entries from the top, row after row, and returns where it ends.
func (c *canvas) legend(top float64, keys []key) float64 {
	x, y := 8.0, top+13
	for _, k := range keys {
		room := c.w - 16 - k.width - 6
		label, w := elide(k.label, smallText, room)
		if label == "" {
			continue
		}
		if x > 8 && x+k.width+6+w > c.w-8 {
			x, y = 8, y+20
		}
		k.draw(c, point{x + k.width/2, y})
		c.text("chart-soft", fromHere, point{x + k.width + 6, y + 4}, smallText, room, k.label)
		x += k.width + 6 + w + 18
	}
	if x == 8 {
		return top
	}
	return y + 13
}

package chart

import (
	"fmt"
	"math"
	"time"

	"github.com/milepost-ledger/milepost/domain"
)

// scale maps days, or amounts, to coordinates.
type scale struct{ from, to, a, b float64 }

func (s scale) at(v float64) float64 {
	if s.to <= s.from {
		return (s.a + s.b) / 2
	}
	return clamp(s.a+(v-s.from)/(s.to-s.from)*(s.b-s.a), min(s.a, s.b), max(s.a, s.b))
}

func (s scale) day(d domain.Date) float64 { return s.at(float64(d)) }

func (s scale) length() float64 { return math.Abs(s.b - s.a) }

// extent is the days that a chart is about.
type extent struct {
	first, last domain.Date
	any         bool
}

func (e *extent) add(dates ...domain.Date) {
	for _, d := range dates {
		switch {
		case d == 0:
		case !e.any:
			e.first, e.last, e.any = d, d, true
		default:
			e.first, e.last = min(e.first, d), max(e.last, d)
		}
	}
}

func (e *extent) days() float64 { return float64(e.last) - float64(e.first) }

// reach takes in d where that does not stretch the extent out of measure: of a
// project that ended years ago, today is far away.
func (e *extent) reach(d domain.Date) {
	far := max(e.days()*0.4, 45)
	if e.any && d != 0 && float64(d) <= float64(e.last)+far && float64(d) >= float64(e.first)-far {
		e.add(d)
	}
}

// over is the scale of the extent from a to b, with some days to spare at
// both ends.
func (e *extent) over(a, b float64) scale {
	spare := max(e.days()*0.025, 1)
	if e.days() < 14 {
		spare = 7
	}
	return scale{float64(e.first) - spare, float64(e.last) + spare, a, b}
}

// tick is a line of an axis, at a place in coordinates.
type tick struct {
	at    float64
	label string // "" for a small one
}

// step is that from one tick of a time axis to the next.
type step struct {
	unit Unit
	n    int     // of units
	days float64 // about
}

// steps are those of time axes, from the finest.
func steps(yield func(step) bool) {
	for _, s := range []step{{Day, 1, 1}, {Week, 1, 7}, {Month, 1, 30}, {Quarter, 1, 91}} {
		if !yield(s) {
			return
		}
	}
	for tens := 1; ; tens *= 10 {
		for _, n := range []int{1, 2, 5} {
			if !yield(step{Year, n * tens, 365 * float64(n*tens)}) {
				return
			}
		}
	}
}

// dayTicks are the ticks of s in the finest step whose labels fit: side by side
// across, one above the other where the axis goes up.
func (f Frame) dayTicks(s scale, up bool) (ticks []tick) {
	var finer step
	for st := range steps {
		least := 24.0
		if up {
			least = 32
		}
		if gap := st.days / (s.to - s.from) * s.length(); gap >= least {
			if ticks = f.ticksOf(s, st); up || apart(ticks) {
				break
			}
		}
		finer = st
	}
	if finer.n > 0 && finer.days/(s.to-s.from)*s.length() >= 7 {
		for _, t := range f.ticksOf(s, finer) {
			ticks = append(ticks, tick{at: t.at})
		}
	}
	return ticks
}

// apart reports whether labels around their ticks leave some space.
func apart(ticks []tick) bool {
	end := math.Inf(-1)
	for _, t := range ticks {
		half := textWidth(t.label, smallText) / 2
		if t.at-half < end+12 {
			return false
		}
		end = t.at + half
	}
	return true
}

func (f Frame) ticksOf(s scale, st step) (ticks []tick) {
	for v := firstOf(math.Ceil(s.from), st); v <= s.to; v = nextOf(v, st) {
		if v >= s.from && v != 0 && math.Abs(v) < math.MaxInt32 {
			label, _ := elide(f.tick(domain.Date(v), st.unit), smallText, 110)
			ticks = append(ticks, tick{s.at(v), label})
		}
	}
	return ticks
}

// Days are counted as domain.Date does, in floats: an axis begins before the
// first date.
func firstOf(day float64, st step) float64 {
	switch t := civil(day); st.unit {
	case Day:
		return day
	case Week: // day 1 was a Monday
		return day + math.Mod(7-math.Mod(math.Mod(day-1, 7)+7, 7), 7)
	case Month:
		return dayOf(t.Year(), t.Month())
	case Quarter:
		return dayOf(t.Year(), (t.Month()-1)/3*3+1)
	default:
		return dayOf(int(math.Floor(float64(t.Year())/float64(st.n)))*st.n, time.January)
	}
}

func nextOf(day float64, st step) float64 {
	switch t := civil(day); st.unit {
	case Day:
		return day + 1
	case Week:
		return day + 7
	case Month:
		return dayOf(t.Year(), t.Month()+1)
	case Quarter:
		return dayOf(t.Year(), t.Month()+3)
	default:
		return dayOf(t.Year()+st.n, time.January)
	}
}

const epochDay = 719163 // 1970-01-01 as a domain.Date

func civil(day float64) time.Time {
	return time.Unix((int64(day)-epochDay)*86400, 0).UTC()
}

func dayOf(year int, month time.Month) float64 {
	return float64(time.Date(year, month, 1, 0, 0, 0, 0, time.UTC).Unix()/86400 + epochDay)
}

func (f Frame) date(d domain.Date) string {
	if f.Date == nil || d == 0 {
		return d.String()
	}
	return f.Date(d)
}

func (f Frame) tick(d domain.Date, u Unit) string {
	if f.Tick != nil {
		return f.Tick(d, u)
	}
	t := civil(float64(d))
	switch u {
	case Year:
		return fmt.Sprint(t.Year())
	case Quarter:
		return fmt.Sprintf("%d Q%d", t.Year(), (int(t.Month())+2)/3)
	case Month:
		return fmt.Sprintf("%d-%02d", t.Year(), int(t.Month()))
	}
	return d.String()
}

func (f Frame) number(d domain.Decimal) string {
	if f.Number == nil || d == "" {
		return string(d)
	}
	return f.Number(d)
}

// across draws a time axis with its labels above the plot, and its lines
// through it.
func (c *canvas) across(ticks []tick, top, bottom float64, below bool) {
	y := top - 7
	if below {
		y = bottom + 17
	}
	for _, t := range ticks {
		if t.label == "" {
			c.line("chart-tick", point{t.at, top}, point{t.at, top + 4})
			continue
		}
		c.line("chart-grid", point{t.at, top}, point{t.at, bottom})
		c.text("chart-soft", around, point{t.at, y}, smallText, 120, t.label)
	}
}

// dayLine draws the line of a day, with its label above it. Where the day is
// outside of the plot, an arrow says on which side.
func (c *canvas) dayLine(s scale, day domain.Date, label string, labelY, top, bottom float64) {
	if day == 0 {
		return
	}
	room := c.w - 16
	switch v := float64(day); {
	case v < s.from:
		c.text("chart-asof-label", fromHere, point{s.a, labelY}, smallText, room, "← "+label)
	case v > s.to:
		c.text("chart-asof-label", upToHere, point{s.b, labelY}, smallText, min(room, s.b), label+" →")
	default:
		x := s.at(v)
		c.line("chart-asof", point{x, top}, point{x, bottom}, "stroke-dasharray", "7 3 2 3")
		c.text("chart-asof-label", around, point{x, labelY}, smallText, room, label)
	}
}

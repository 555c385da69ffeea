package chart_test

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/milepost-ledger/milepost/cmd/internal/web/chart"
	"github.com/milepost-ledger/milepost/domain"
)

// Whatever is drawn is well-formed, has numbers for coordinates, and stays
// inside of its viewBox.
func TestAnyInputGivesAChart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := anyChart(t)
		drawn := string(c.HTML())
		if err := sound(drawn); err != nil {
			t.Fatalf("%v in\n%s", err, drawn)
		}
		if again := string(c.HTML()); again != drawn {
			t.Fatalf("drawn twice:\n%s\n%s", drawn, again)
		}
	})
}

func anyChart(t *rapid.T) interface{ HTML() html } {
	date := anyDate(t)
	text := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", "Site", "验收", hostile, strings.Repeat("很长的标题 and so on ", 30)}))
	href := rapid.SampledFrom([]string{"", "/m/site", "?a=1&b=2", "javascript:alert(1)", "//evil.example", `/\evil.example`, "%zz"})
	rag := rapid.SampledFrom([]chart.RAG{"", chart.Green, chart.Amber, chart.Red, `x" onload="`})
	dec := rapid.Custom(func(t *rapid.T) domain.Decimal {
		return domain.Decimal(rapid.SampledFrom([]string{"", "0", "50", "-12.5", "100", "250.75", "NaN", "Inf", "x<y", "0.00001", "1" + strings.Repeat("0", 400), "-9" + strings.Repeat("9", 50)}).Draw(t, "decimal"))
	})
	f := chart.Frame{ID: text.Draw(t, "id"), Title: text.Draw(t, "title"), Description: text.Draw(t, "description"), Empty: text.Draw(t, "empty")}
	if rapid.Bool().Draw(t, "long labels") {
		long := text.Draw(t, "label")
		f.Date = func(d domain.Date) string { return long + d.String() }
		f.Tick = func(d domain.Date, u chart.Unit) string { return long + d.String() }
		f.Number = func(d domain.Decimal) string { return long + string(d) }
	}
	n := rapid.IntRange(0, 12)
	switch rapid.IntRange(0, 6).Draw(t, "chart") {
	case 0:
		g := chart.Gantt{Frame: f, AsOf: date.Draw(t, "as of"), Words: chart.GanttWords{Baseline: text.Draw(t, "word"), Slip: "Slip", Dependency: "Waits for", AsOf: text.Draw(t, "word"), RAG: ragWords}}
		for range n.Draw(t, "rows") {
			g.Rows = append(g.Rows, chart.GanttRow{Key: rapid.SampledFrom([]string{"", "a", "b", "c"}).Draw(t, "key"), Title: text.Draw(t, "title"), Note: text.Draw(t, "note"), Href: href.Draw(t, "href"),
				Baseline: date.Draw(t, "baseline"), Due: date.Draw(t, "due"), Forecast: date.Draw(t, "forecast"), MetOn: date.Draw(t, "met"), RAG: rag.Draw(t, "rag"), Changed: rapid.Bool().Draw(t, "changed"),
				DependsOn: rapid.SliceOfN(rapid.SampledFrom([]string{"", "a", "b", "c", "d"}), 0, 3).Draw(t, "depends")})
		}
		return g
	case 1:
		c := chart.SCurve{Frame: f, DataDate: date.Draw(t, "data date"), Words: chart.SCurveWords{Planned: text.Draw(t, "word"), Earned: text.Draw(t, "word"), DataDate: text.Draw(t, "word"), Percent: text.Draw(t, "word")}}
		for range n.Draw(t, "points") {
			c.Points = append(c.Points, chart.CurvePoint{Date: date.Draw(t, "date"), Planned: dec.Draw(t, "planned"), Earned: dec.Draw(t, "earned")})
		}
		return c
	case 2:
		c := chart.Trend{Frame: f, AsOf: date.Draw(t, "as of"), Words: chart.TrendWords{MadeOn: text.Draw(t, "word"), Forecast: text.Draw(t, "word"), Met: text.Draw(t, "word"), Diagonal: text.Draw(t, "word"), AsOf: text.Draw(t, "word")}}
		for range n.Draw(t, "lines") {
			l := chart.TrendLine{Title: text.Draw(t, "title"), Href: href.Draw(t, "href"), MetOn: date.Draw(t, "met")}
			for range n.Draw(t, "moves") {
				l.Moves = append(l.Moves, chart.TrendMove{MadeOn: date.Draw(t, "made on"), Forecast: date.Draw(t, "forecast")})
			}
			c.Lines = append(c.Lines, l)
		}
		return c
	case 3:
		b := chart.Bars{Frame: f}
		for range rapid.IntRange(0, 6).Draw(t, "series") {
			b.Series = append(b.Series, chart.BarSeries{Name: text.Draw(t, "name"), Mark: rapid.Bool().Draw(t, "mark")})
		}
		for range n.Draw(t, "groups") {
			b.Groups = append(b.Groups, chart.BarGroup{Label: text.Draw(t, "label"), Href: href.Draw(t, "href"), Values: rapid.SliceOfN(dec, 0, 7).Draw(t, "values")})
		}
		return b
	case 4:
		c := chart.Timeline{Frame: f, AsOf: date.Draw(t, "as of"), Words: chart.TimelineWords{Prior: text.Draw(t, "word"), AsOf: text.Draw(t, "word")}}
		for range n.Draw(t, "items") {
			c.Items = append(c.Items, chart.TimelineItem{Title: text.Draw(t, "title"), When: text.Draw(t, "when"), Href: href.Draw(t, "href"), Kind: chart.Kind(rapid.IntRange(-1, 7).Draw(t, "kind")),
				From: date.Draw(t, "from"), To: date.Draw(t, "to"), Faded: rapid.Bool().Draw(t, "faded")})
		}
		return c
	case 5:
		return chart.Progress{ID: f.ID, Title: f.Title, Percent: dec.Draw(t, "percent"), Text: text.Draw(t, "text"), RAG: rag.Draw(t, "rag")}
	default:
		return chart.Spark{ID: f.ID, Title: f.Title, Values: rapid.SliceOfN(dec, 0, 20).Draw(t, "values"), RAG: rag.Draw(t, "rag")}
	}
}

// anyDate draws dates that are near one another, or a century or an eternity
// apart, or none.
func anyDate(t *rapid.T) *rapid.Generator[domain.Date] {
	from := domain.MustDate("2017-02-28")
	switch rapid.IntRange(0, 4).Draw(t, "span") {
	case 0:
		return rapid.Just(from)
	case 1:
		return rapid.SampledFrom([]domain.Date{0, from, from + 1, from + 20})
	case 2:
		return rapid.Map(rapid.IntRange(0, 2000), func(n int) domain.Date { return from + domain.Date(n) })
	case 3:
		return rapid.Map(rapid.IntRange(-100, 36500), func(n int) domain.Date { return max(0, domain.Date(n)) * 20 })
	default:
		return rapid.Map(rapid.Int32(), func(n int32) domain.Date { return domain.Date(n) })
	}
}

const hostile = "</text></svg><script>alert(1)</script>\x00\x1b\u202e\"'&amp;\xff\ufffe"

// sound says what is wrong with a chart.
func sound(drawn string) error {
	d := xml.NewDecoder(strings.NewReader(drawn))
	var w, h float64
	ids := map[string]bool{}
	var refs []string
	var words *textRun // being read
	said := false      // inside of a hint
	for depth := 0; ; {
		token, err := d.Token()
		switch {
		case errors.Is(err, io.EOF) && depth == 0:
			for _, r := range refs {
				if !ids[r] {
					return fmt.Errorf("nothing has the id %q", r)
				}
			}
			return nil
		case err != nil:
			return err
		}
		switch e := token.(type) {
		case xml.CharData:
			if words != nil && !said {
				words.width += chart.TextWidth(string(e), words.size)
			}
		case xml.EndElement:
			depth--
			switch e.Name.Local {
			case "title":
				said = false
			case "text":
				if from, to := words.extent(); from < -0.2 || to > w+0.2 {
					return fmt.Errorf("text from %v to %v of %v", from, to, w)
				}
				words = nil
			}
		case xml.StartElement:
			depth++
			if !strings.Contains(" div svg title desc g a text tspan line rect circle polyline polygon defs pattern linearGradient stop ", " "+e.Name.Local+" ") {
				return fmt.Errorf("an element %q", e.Name.Local)
			}
			at := map[string]string{}
			for _, a := range e.Attr {
				at[a.Name.Local] = a.Value
				if strings.HasPrefix(a.Name.Local, "on") || a.Name.Local == "style" {
					return fmt.Errorf("an attribute %q", a.Name.Local)
				}
			}
			switch id := at["id"]; {
			case id != "" && ids[id]:
				return fmt.Errorf("the id %q twice", id)
			case id != "":
				ids[id] = true
			}
			for _, name := range []string{"aria-labelledby", "aria-describedby"} {
				if at[name] != "" {
					refs = append(refs, at[name])
				}
			}
			for _, name := range []string{"fill"} {
				if ref, ok := strings.CutPrefix(at[name], "url(#"); ok {
					refs = append(refs, strings.TrimSuffix(ref, ")"))
				}
			}
			if href, ok := at["href"]; ok && (strings.Contains(href, ":") || strings.HasPrefix(href, "//") || strings.Contains(href, `\`)) {
				return fmt.Errorf("a link to %q", href)
			}
			if size := at["font-size"]; size != "" && must(size) < 11 {
				return fmt.Errorf("text of %s", size)
			}
			switch e.Name.Local {
			case "title":
				said = true
			case "text":
				words = &textRun{x: must(at["x"]), size: must(at["font-size"]), anchor: at["text-anchor"]}
			case "tspan":
				words.width, words.size = words.width+must(at["dx"]), must(at["font-size"])
			case "svg":
				box := strings.Fields(at["viewBox"])
				w, h = must(box[2]), must(box[3])
				if !(w > 0 && h > 0) {
					return fmt.Errorf("a viewBox of %v", box)
				}
			}
			if err := within(at, w, h); err != nil {
				return fmt.Errorf("%s: %w", e.Name.Local, err)
			}
		}
	}
}

// textRun is a text that is read, as wide as it is taken to be.
type textRun struct {
	x, size, width float64
	anchor         string
}

func (r textRun) extent() (from, to float64) {
	switch r.anchor {
	case "end":
		return r.x - r.width, r.x
	case "middle":
		return r.x - r.width/2, r.x + r.width/2
	}
	return r.x, r.x + r.width
}

func within(at map[string]string, w, h float64) error {
	inside := func(name, v string, most, more float64) error {
		if f := must(v); !(f >= 0 && f+more <= most+0.11) {
			return fmt.Errorf("%s is %s + %v of %v", name, v, more, most)
		}
		return nil
	}
	if r := number(at["r"]); r > 0 {
		for _, side := range []float64{-r, r} {
			x, y := must(at["cx"])+side, must(at["cy"])+side
			if !(x >= 0 && x <= w && y >= 0 && y <= h) {
				return fmt.Errorf("a circle to %v,%v of %v,%v", x, y, w, h)
			}
		}
	}
	for name, v := range at {
		var err error
		switch name {
		case "x", "x1", "x2", "cx":
			err = inside(name, v, w, number(at["width"]))
		case "y", "y1", "y2", "cy":
			err = inside(name, v, h, number(at["height"]))
		case "points":
			for _, p := range strings.Fields(v) {
				x, y, _ := strings.Cut(p, ",")
				err = errors.Join(err, inside("x", x, w, 0), inside("y", y, h, 0))
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func number(s string) float64 {
	if s == "" {
		return 0
	}
	return must(s)
}

// must is NaN for what is no number.
func must(s string) float64 {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsInf(f, 0) || strings.Trim(s, "-.0123456789") != "" {
		return math.NaN()
	}
	return f
}

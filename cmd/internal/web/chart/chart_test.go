package chart_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/milepost-ledger/milepost/cmd/internal/web/chart"
	"github.com/milepost-ledger/milepost/domain"
)

func TestHostileTextStaysText(t *testing.T) {
	g := chart.Gantt{Frame: chart.Frame{ID: `x" onload="alert(1)`, Title: hostile, Description: hostile},
		Rows: []chart.GanttRow{{Title: hostile, Note: hostile, Href: "javascript:alert(1)", Due: day("2017-06-30"), RAG: `" onload="`}}}
	drawn := string(g.HTML())
	require.NoError(t, sound(drawn))
	assert.NotContains(t, drawn, "<script")
	assert.NotContains(t, drawn, "javascript:")
	assert.NotContains(t, drawn, `onload="`)
	assert.Contains(t, drawn, "&lt;script&gt;alert(1)&lt;/script&gt;")
}

func TestLinksLeadIntoTheSite(t *testing.T) {
	for href, want := range map[string]bool{
		"/a/b?x=1&y=2#z": true, "milestones/x": true, "?as_of=2027-01-01": true, "#x": true,
		"": false, "javascript:alert(1)": false, "javascript:/alert(1)/": false, "JaVaScRiPt:alert(1)": false, " javascript:alert(1)": false, "java\nscript:alert(1)": false, "data:text/html,x": false,
		"https://evil.example": false, "//evil.example": false, "///evil.example": false, `/\evil.example`: false, `\\evil.example`: false,
	} {
		drawn := string(chart.Gantt{Rows: []chart.GanttRow{{Title: "Site", Href: href, Due: day("2017-06-30")}}}.HTML())
		assert.Equal(t, want, strings.Contains(drawn, "<a "), href)
		// the parts of a picture cannot be reached: what has links is none
		assert.Equal(t, want, strings.Contains(drawn, `role="group"`), href)
		assert.Equal(t, !want, strings.Contains(drawn, `role="img"`), href)
	}
}

func TestChartsAreNamed(t *testing.T) {
	drawn := string(chart.SCurve{Frame: frame("curve", "Planned & earned")}.HTML())
	for _, id := range []string{"curve", "curve-narrow"} {
		assert.Contains(t, drawn, `aria-labelledby="`+id+`-title" aria-describedby="`+id+`-desc"><title id="`+id+`-title">Planned &amp; earned</title><desc id="`+id+`-desc">Illustrative.</desc>`)
	}
	assert.Contains(t, drawn, ">Nothing is scheduled yet.</text>")
}

// A chart of a thousand rows is long, and no slower than that.
func TestAThousandRows(t *testing.T) {
	var g chart.Gantt
	var tr chart.Trend
	var tl chart.Timeline
	for i := range 1000 {
		due := day("1927-01-01") + domain.Date(i*37)
		key := func(i int) string { return fmt.Sprint("m", i) }
		g.Rows = append(g.Rows, chart.GanttRow{Key: key(i), Title: "Milestone", Baseline: due, Forecast: due + 20, DependsOn: []string{key(i - 1), key(i + 7)}})
		tr.Lines = append(tr.Lines, chart.TrendLine{Title: "Milestone", Moves: []chart.TrendMove{{MadeOn: due - 500, Forecast: due}}})
		tl.Items = append(tl.Items, chart.TimelineItem{Title: "Milestone", From: due, To: due + 400})
	}
	for _, c := range []interface{ HTML() html }{g, tr, tl} {
		assert.NoError(t, sound(string(c.HTML())))
	}
}

// Ticks are days in a week and decades in a century.
func TestTicksFitTheSpan(t *testing.T) {
	for _, c := range []struct {
		days int
		want string // one of the labels
		not  string
	}{{10, "2017-03-06", "2017-03"}, {90, "2017-04", "2017-04-03"}, {900, "2018 Q1", "2018-01"}, {2500, "2019", "2019 Q1"}, {36500, "2050", "2051"}} {
		first := day("2017-03-01")
		drawn := string(chart.Gantt{Rows: []chart.GanttRow{{Due: first}, {Due: first + domain.Date(c.days)}}}.HTML())
		wide, _, _ := strings.Cut(drawn, "</svg>")
		assert.Contains(t, wide, ">"+c.want+"</text>", c.days)
		assert.NotContains(t, wide, ">"+c.not+"</text>", c.days)
	}
}

// Of a project that ended years ago, today does not make a dot of the rest.
func TestAFarDayIsPointedAt(t *testing.T) {
	g := chart.Gantt{AsOf: day("2018-03-01"), Words: ganttWords, Rows: []chart.GanttRow{{Due: day("2017-06-30")}, {Due: day("2018-06-30")}}}
	assert.Contains(t, string(g.HTML()), ">As of 2018-03-01</text>")
	assert.Contains(t, string(g.HTML()), `class="chart-asof"`)
	g.AsOf = day("2026-11-29")
	assert.Contains(t, string(g.HTML()), ">As of 2026-11-29 →</text>")
	assert.NotContains(t, string(g.HTML()), `class="chart-asof"`)
	g.AsOf = day("2001-11-29")
	assert.Contains(t, string(g.HTML()), ">← As of 2001-11-29</text>")

	// and lines that hold until then end at the edge of the plot
	open := chart.Trend{AsOf: day("2026-11-29"), Lines: []chart.TrendLine{{Title: "Site", Moves: moves("2017-01-01", "2017-06-30")}}}
	assert.NoError(t, sound(string(open.HTML())))
	curve := chart.SCurve{DataDate: day("2026-11-29"), Points: []chart.CurvePoint{{Date: day("2017-06-30"), Planned: "50", Earned: "10"}, {Date: day("2026-11-29"), Planned: "50", Earned: "10"}}}
	assert.NoError(t, sound(string(curve.HTML())))
	assert.NotContains(t, string(curve.HTML()), ">2020", "the axis ends with the last change")
}

// Input in any order gives the same S-curve, trend and timeline.
func TestOrderDoesNotMatter(t *testing.T) {
	for _, s := range samples {
		switch c := s.chart.(type) {
		case chart.SCurve:
			c.Points = slices.Clone(c.Points)
			slices.Reverse(c.Points)
			assert.Equal(t, s.chart.HTML(), c.HTML(), s.name)
		case chart.Timeline:
			c.Items = slices.Clone(c.Items)
			slices.Reverse(c.Items)
			assert.Equal(t, s.chart.HTML(), c.HTML(), s.name)
		case chart.Trend:
			c.Lines = slices.Clone(c.Lines)
			for i := range c.Lines {
				c.Lines[i].Moves = slices.Clone(c.Lines[i].Moves)
				slices.Reverse(c.Lines[i].Moves)
			}
			assert.Equal(t, s.chart.HTML(), c.HTML(), s.name)
		}
	}
}

// Milestones are told apart in grey: no two of the first dozen have the same
// dashes and marker.
func TestLinesDifferWithoutColour(t *testing.T) {
	var tr chart.Trend
	for range 12 {
		tr.Lines = append(tr.Lines, chart.TrendLine{Title: "x", Moves: moves("2017-01-01", "2017-06-30")})
	}
	wide, _, _ := strings.Cut(string(tr.HTML()), "</svg>")
	samples := regexp.MustCompile(`<line class="chart-line"[^>]*stroke-dasharray="([^"]*)"/><(circle|polygon)[^>]*?(points="[^"]*")?/>`).FindAllStringSubmatch(wide, -1)
	require.Len(t, samples, 12)
	looks := map[string]bool{}
	for _, s := range samples {
		looks[s[1]+s[2]+fmt.Sprint(shapeOf(s[3]))] = true
	}
	assert.Len(t, looks, 12)
}

// shapeOf is a polygon's points from its first one.
func shapeOf(points string) (shape []string) {
	fields := strings.Fields(strings.Trim(strings.TrimPrefix(points, `points=`), `"`))
	for _, f := range fields {
		var x, y, x0, y0 float64
		_, _ = fmt.Sscanf(f, "%f,%f", &x, &y)
		_, _ = fmt.Sscanf(fields[0], "%f,%f", &x0, &y0)
		shape = append(shape, fmt.Sprintf("%.0f,%.0f", x-x0, y-y0))
	}
	return shape
}

func TestSpreadKeepsLabelsApart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Float64Range(0, 100), 0, 6).Draw(t, "values")
		slices.Sort(values)
		chart.Spread(values, 20, 0, 100)
		for i, v := range values {
			assert.True(t, v >= 0 && v <= 100, values)
			assert.True(t, i == 0 || v-values[i-1] >= 20-1e-9, values)
		}
	})
}

var placed = regexp.MustCompile(`<text class="chart-text" x="([0-9.]+)" y="([0-9.]+)"[^>]*>(?:<title>[^<]*</title>)?([^<]*)(?:<tspan[^>]*>([^<]*)</tspan>)?`)

// Titles on a timeline do not overlap, in whatever language.
func TestTitlesOnATimelineDoNotOverlap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var tl chart.Timeline
		for range rapid.IntRange(1, 40).Draw(t, "items") {
			tl.Items = append(tl.Items, chart.TimelineItem{
				Title: rapid.SampledFrom([]string{"Site", "基地验收并移交", "A long title of something that happened"}).Draw(t, "title"), When: "2017",
				From: day("2017-01-01") + domain.Date(rapid.IntRange(0, 3000).Draw(t, "from")),
			})
		}
		for svg := range strings.SplitSeq(string(tl.HTML()), "</svg>") {
			lanes := map[string][][2]float64{}
			for _, m := range placed.FindAllStringSubmatch(svg, -1) {
				x := must(m[1])
				lanes[m[2]] = append(lanes[m[2]], [2]float64{x, x + chart.TextWidth(m[3], 13) + 8 + chart.TextWidth(m[4], 12)})
			}
			for _, lane := range lanes {
				slices.SortFunc(lane, func(a, b [2]float64) int { return int(a[0]*10 - b[0]*10) })
				for i := 1; i < len(lane); i++ {
					if lane[i][0] < lane[i-1][1] {
						t.Fatalf("%v overlaps %v", lane[i], lane[i-1])
					}
				}
			}
		}
	})
}

func TestElideCutsBetweenLetters(t *testing.T) {
	for _, c := range []struct {
		s    string
		room float64
		want string
	}{
		{"Site", 100, "Site"}, {"Site handed over to the city", 100, "Site handed…"}, {"场地移交给市里", 60, "场地移…"},
		{"e\u0301e\u0301e\u0301e\u0301", 24, "e\u0301…"}, {"W", 5, ""}, {"", 5, ""}, {"  Site ", 100, "Site"},
	} {
		got, width := chart.Elide(c.s, 13, c.room)
		assert.Equal(t, c.want, got, c.s)
		assert.LessOrEqual(t, width, c.room)
		assert.InDelta(t, chart.TextWidth(got, 13), width, 5, c.s)
	}
}

func TestRoundCovers(t *testing.T) {
	for _, c := range []struct {
		low, high float64
		want      []float64
	}{
		{0, 100, []float64{0, 20, 40, 60, 80, 100}}, {0, 471.25, []float64{0, 100, 200, 300, 400, 500}},
		{-12.5, 30, []float64{-20, -10, 0, 10, 20, 30}}, {0, 0, []float64{0, 0.2, 0.4, 0.6, 0.8, 1}},
	} {
		got := chart.Round(c.low, c.high, 5)
		require.Len(t, got, len(c.want), "%v", got)
		assert.InDeltaSlice(t, c.want, got, 1e-9)
	}
}

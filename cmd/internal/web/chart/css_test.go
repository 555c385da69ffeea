package chart_test

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/web/chart"
)

var (
	classAttr = regexp.MustCompile(`class="([^"]*)"`)
	declared  = regexp.MustCompile(`\.(chart[a-z0-9-]*)`)
	property  = regexp.MustCompile(`(--chart-[a-z0-9-]+):\s*([^;]+);`)
	used      = regexp.MustCompile(`var\((--chart-[a-z0-9-]+)`)
)

// groups are classes that tell elements from one another and look like nothing.
var groups = map[string]bool{"chart-row": true, "chart-series": true, "chart-item": true, "chart-rag": true, "chart-text": true, "chart-value": true, "chart-faded": true, "chart-wide": true, "chart-narrow": true}

func TestTheStylesheetKnowsEachClass(t *testing.T) {
	css := string(chart.CSS)
	known := map[string]bool{}
	for _, m := range declared.FindAllStringSubmatch(css, -1) {
		known[m[1]] = true
	}
	seen := map[string]bool{}
	for _, s := range samples {
		for _, m := range classAttr.FindAllStringSubmatch(string(s.chart.HTML()), -1) {
			for _, class := range strings.Fields(m[1]) {
				seen[class] = true
				assert.True(t, known[class] || groups[class], "%s draws the class %s, which chart.css does not declare", s.name, class)
			}
		}
	}
	for class := range known {
		assert.True(t, seen[class], "chart.css declares the class %s, which no sample draws", class)
	}
	properties := map[string]bool{}
	for _, m := range property.FindAllStringSubmatch(css, -1) {
		properties[m[1]] = true
	}
	for _, m := range used.FindAllStringSubmatch(css, -1) {
		assert.True(t, properties[m[1]], "%s is used and not declared", m[1])
	}
}

// WCAG 2.2 AA: 4.5:1 for text, 3:1 for what must be seen to understand a chart.
func TestColoursContrast(t *testing.T) {
	css := string(chart.CSS)
	light, dark, found := strings.Cut(css, "@media screen and (prefers-color-scheme: dark)")
	require.True(t, found)
	dark, _, found = strings.Cut(dark, "@media (forced-colors")
	require.True(t, found)
	for theme, text := range map[string]string{"light": light, "dark": dark} {
		colours := map[string]string{}
		for _, m := range property.FindAllStringSubmatch(text, -1) {
			colours[strings.TrimPrefix(m[1], "--chart-")] = m[2]
		}
		require.Contains(t, colours, "paper")
		for _, ground := range []string{"paper", "stripe", "changed"} {
			for name, colour := range colours {
				least := 3.0
				switch name {
				case "paper", "stripe", "changed", "grid": // grounds, and lines that only guide
					continue
				case "ink", "soft", "link":
					least = 4.5
				}
				assert.GreaterOrEqual(t, contrast(t, colour, colours[ground]), least, "%s on %s, %s", name, ground, theme)
			}
		}
	}
}

func contrast(t *testing.T, a, b string) float64 {
	la, lb := luminance(t, a), luminance(t, b)
	return (max(la, lb) + 0.05) / (min(la, lb) + 0.05)
}

func luminance(t *testing.T, colour string) float64 {
	hex := strings.TrimPrefix(strings.TrimSpace(colour), "#")
	if len(hex) == 3 {
		hex = string([]byte{hex[0], hex[0], hex[1], hex[1], hex[2], hex[2]})
	}
	require.Len(t, hex, 6, colour)
	l := 0.0
	for i, share := range []float64{0.2126, 0.7152, 0.0722} {
		n, err := strconv.ParseUint(hex[2*i:2*i+2], 16, 8)
		require.NoError(t, err)
		c := float64(n) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		l += share * c
	}
	return l
}

package chart_test

import (
	"flag"
	"html/template"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type html = template.HTML

var update = flag.Bool("update", false, "write the golden files anew; look at them in a browser then")

// What is drawn changes only when somebody means it to.
func TestSamplesAreDrawnAsTheyWere(t *testing.T) {
	for _, s := range samples {
		t.Run(s.name, func(t *testing.T) {
			drawn := strings.ReplaceAll(string(s.chart.HTML()), "><", ">\n<") // so that differences can be read
			file := filepath.Join("testdata", s.name+".html")
			if *update {
				require.NoError(t, os.MkdirAll("testdata", 0o755))
				require.NoError(t, os.WriteFile(file, []byte(drawn), 0o644))
			}
			golden, err := os.ReadFile(file)
			require.NoError(t, err, "run go test with -update")
			assert.Equal(t, string(golden), drawn)
		})
	}
}

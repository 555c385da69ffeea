package sheet

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"
	"pgregory.net/rapid"
)

func gridOf(t *testing.T, first []string, items ...string) Grid {
	t.Helper()
	raw := make([]json.RawMessage, len(items))
	for i, item := range items {
		raw[i] = json.RawMessage(item)
	}
	g, err := FromJSON(first, raw)
	require.NoError(t, err)
	return g
}

func csvOf(t *testing.T, g Grid) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, g.WriteCSV(&b))
	return b.String()
}

func TestColumnsComeInTheOrderOfTheMembers(t *testing.T) {
	for name, c := range map[string]struct {
		first []string
		items []string
		want  string
	}{
		"scalars":                      {nil, []string{`{"a":"x","b":-1.50,"c":true,"d":null}`}, "a,b,c,d\nx,-1.50,true,\n"},
		"members of objects":           {nil, []string{`{"t":{"zh":"里"},"z":1}`, `{"t":{"en":"M","zh":"N"},"z":2}`}, "t.en,t.zh,z\n,里,1\nM,N,2\n"},
		"objects that are not there":   {nil, []string{`{"t":null,"z":1}`, `{"t":{"en":"M"},"z":2}`, `{"z":3}`}, "t.en,z\n,1\nM,2\n,3\n"},
		"a member more in the middle":  {nil, []string{`{"a":1,"c":3}`, `{"a":1,"b":2,"c":3}`}, "a,b,c\n1,,3\n1,2,3\n"},
		"lists":                        {nil, []string{`{"k":["a","b"],"n":[1,2],"e":[],"o":[{"x":1}]}`}, "k,n,e,o\na;b,1;2,,\"[{\"\"x\"\":1}]\"\n"},
		"objects in objects":           {nil, []string{`{"e":{"type":"t","data":{"due":"2026-01-01"}}}`}, "e.type,e.data\nt,\"{\"\"due\"\":\"\"2026-01-01\"\"}\"\n"},
		"values of any kind":           {nil, []string{`{"old":{"en":"M"},"new":"2026-01-01"}`}, "old,new\n\"{\"\"en\"\":\"\"M\"\"}\",2026-01-01\n"},
		"nothing, but known columns":   {[]string{"a", "b"}, nil, "a,b\n"},
		"known columns before others":  {[]string{"a", "b"}, []string{`{"b":1,"x":2,"a":3}`}, "a,b,x\n3,1,2\n"},
		"texts that could be formulas": {nil, []string{`{"a":"=1+1","b":"+1","c":"-1","d":"@x","e":"\tx","f":"\nx","g":-1,"h":"1-1","i":["-x"]}`}, "a,b,c,d,e,f,g,h,i\n'=1+1,'+1,'-1,'@x,'\tx,\"'\nx\",-1,1-1,'-x\n"},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, c.want, csvOf(t, gridOf(t, c.first, c.items...)))
		})
	}
	_, err := FromJSON(nil, []json.RawMessage{json.RawMessage(`["a"]`)})
	assert.ErrorContains(t, err, "want a JSON object")
}

// Whatever texts a ledger holds, a program that reads the CSV gets them all,
// each in its cell, and none can be a formula.
func TestTextsSurviveCSV(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		texts := rapid.SliceOfN(rapid.String(), 1, 5).Draw(r, "texts")
		var items []json.RawMessage
		for _, s := range texts {
			item, err := json.Marshal(map[string]any{"a": s, "b": map[string]string{"en": s}})
			if err != nil {
				r.Fatal(err)
			}
			items = append(items, item)
		}
		g, err := FromJSON(nil, items)
		if err != nil {
			r.Fatal(err)
		}
		var b bytes.Buffer
		if err := g.WriteCSV(&b); err != nil {
			r.Fatal(err)
		}
		rows, err := csv.NewReader(&b).ReadAll()
		if err != nil || len(rows) != len(texts)+1 {
			r.Fatalf("%v: %q", err, rows)
		}
		for i, s := range texts {
			for _, cell := range rows[i+1] {
				if strings.IndexAny(cell, "=+-@\t\r\n") == 0 {
					r.Fatalf("%q could be a formula", cell)
				}
				if want := strings.ReplaceAll(s, "\r\n", "\n"); strings.TrimPrefix(cell, "'") != strings.TrimPrefix(want, "'") { // encoding/csv reads line ends so
					r.Fatalf("%q became %q", s, cell)
				}
			}
		}
	})
}

func TestAWorkbookHasNumbersDatesAndNoFormulas(t *testing.T) {
	g := gridOf(t, nil,
		`{"due":"2026-01-31","text":"=1+1","mixed":"2026-01-31","n":-12.5,"long":12345678901234567,"yes":true,"old":"1850-01-01","none":null}`,
		`{"due":null,"text":"里","mixed":"soon","n":3,"long":1,"yes":false,"old":"1850-01-02","none":null}`)
	write := func() []byte {
		var b bytes.Buffer
		require.NoError(t, g.WriteXLSX(&b, "a list", Fact{"as of", "seq:3"}))
		return b.Bytes()
	}
	raw := write()
	assert.True(t, bytes.Equal(raw, write()), "the same table makes the same bytes")
	f, err := excelize.OpenReader(bytes.NewReader(raw))
	require.NoError(t, err)
	shown, err := f.GetRows("a list")
	require.NoError(t, err)
	assert.Equal(t, [][]string{
		{"due", "text", "mixed", "n", "long", "yes", "old", "none"},
		{"2026-01-31", "=1+1", "2026-01-31", "-12.5", "12345678901234567", "TRUE", "1850-01-01"},
		{"", "里", "soon", "3", "1", "FALSE", "1850-01-02"},
	}, shown)
	rawRows, err := f.GetRows("a list", excelize.Options{RawCellValue: true})
	require.NoError(t, err)
	assert.Equal(t, "46053", rawRows[1][0], "a date is one")
	assert.Equal(t, "2026-01-31", rawRows[1][2], "a text stays one")
	formula, err := f.GetCellFormula("a list", "B2")
	require.NoError(t, err)
	assert.Empty(t, formula)
	about, err := f.GetRows("about")
	require.NoError(t, err)
	assert.Equal(t, [][]string{{"as of", "seq:3"}}, about)
}

func TestATextThatNoCellHolds(t *testing.T) {
	long, err := json.Marshal(map[string]string{"a": strings.Repeat("里", excelize.TotalCellChars+1)})
	require.NoError(t, err)
	var b bytes.Buffer
	require.NoError(t, gridOf(t, nil, string(long)).WriteXLSX(&b, strings.Repeat("n", 40)))
	f, err := excelize.OpenReader(&b)
	require.NoError(t, err)
	cell, err := f.GetCellValue(strings.Repeat("n", 30)+"…", "A2")
	require.NoError(t, err)
	assert.Equal(t, excelize.TotalCellChars, len([]rune(cell)))
	assert.True(t, strings.HasSuffix(cell, "…"), "that it was cut is seen")
}

func TestATemplateIsAPlan(t *testing.T) {
	var b bytes.Buffer
	template := Template{Languages: []string{"en", "zh"}, Project: "base"}
	require.NoError(t, template.WriteXLSX(&b))
	table, err := ReadXLSX(bytes.NewReader(b.Bytes()))
	require.NoError(t, err)
	require.Len(t, table.rows, 1)
	_, err = ReadPlan(table, "wuxi", "base")
	assert.Equal(t, CodeEmpty, refusal(t, err).Code)
	assert.Contains(t, err.Error(), "plan: there is no milestone", "its headings are those of a plan")

	// a list of projects that no drop-down list holds is left out, not cut
	for range 100 {
		template.Projects = append(template.Projects, "some-project")
	}
	template.Project = ""
	b.Reset()
	require.NoError(t, template.WriteXLSX(&b))
	f, err := excelize.OpenReader(&b)
	require.NoError(t, err)
	checks, err := f.GetDataValidations("plan")
	require.NoError(t, err)
	for _, v := range checks {
		assert.NotContains(t, v.Formula1, "some-project")
	}
}

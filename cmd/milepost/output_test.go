package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/rivo/uniseg"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

const answer = `{"as_of":{"seq":3,"at":"2026-01-02T03:04:05.000000Z"},"items":[
 {"milestone":"design","title":{"en":"Design","zh":"设计批复"},"due":"2026-03-01","slip_days":-5,"note":"=1+1","confirming":["a","b"]},
 {"milestone":"site","title":{"en":"Site"},"due":null,"slip_days":120,"note":"+86 510","confirming":[]}],"next":""}`

// show prints answer with the flags given, and returns what came out.
func show(t *testing.T, a *app, v view) string {
	t.Helper()
	var out bytes.Buffer
	a.out = &out
	a.env = func(string) string { return "" }
	require.NoError(t, a.printList([]byte(answer), "items", v))
	return out.String()
}

func TestTableAlignsByWidthOnTheTerminal(t *testing.T) {
	// Given titles of which one is Chinese, when they are shown in that language
	out := show(t, &app{output: "table", lang: "zh"}, view{table: fields("milestone", "title", "due", "slip_days")})

	// Then columns start at the same place on the screen, numbers are on the right, and null is empty.
	lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	require.Len(t, lines, 3)
	assert.Equal(t, "MILESTONE  TITLE     DUE         SLIP DAYS", lines[0])
	assert.Equal(t, "design     设计批复  2026-03-01         -5", lines[1])
	assert.Equal(t, "site       Site                        120", lines[2])
}

func TestJSONIsTheServersAnswerUnchanged(t *testing.T) {
	out := show(t, &app{output: "json"}, view{table: fields("milestone")})
	assert.Equal(t, answer+"\n", out)
}

func TestCSVIsAsTheServerWritesIt(t *testing.T) {
	// Given notes that a spreadsheet would run, when shown as CSV
	out := show(t, &app{output: "csv", lang: "fr"}, view{csv: []string{"milestone", "absent"}})

	// Then each member has its column, each language too; formulas are texts,
	// while numbers stay numbers.
	rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	require.NoError(t, err)
	assert.Equal(t, [][]string{
		{"milestone", "title.en", "title.zh", "due", "slip_days", "note", "confirming"},
		{"design", "Design", "设计批复", "2026-03-01", "-5", "'=1+1", "a;b"},
		{"site", "Site", "", "", "120", "'+86 510", ""},
	}, rows)
}

func TestTableCellsCannotSteerTheTerminal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cell := clean(rapid.String().Draw(t, "cell"))
		assert.NotRegexp(t, "[\x00-\x1f\x7f-\u009f\u202a-\u202e\u2066-\u2069]", cell)
	})
	assert.Equal(t, "a [31mb c", clean("a\x1b[31mb\nc"))
}

func TestTextOfValues(t *testing.T) {
	people := style{languages: []string{"zh-CN", "zh"}, zone: time.FixedZone("CST", 8*3600)}
	machine := style{languages: []string{"en"}}
	for _, c := range []struct {
		name  string
		style style
		value string
		want  string
	}{
		{"null", people, `null`, ""},
		{"absent", people, ``, ""},
		{"instant for people", people, `"2026-11-22T20:03:05.123456Z"`, "2026-11-23 04:03:05+08:00"},
		{"instant for machines", machine, `"2026-11-22T20:03:05.123456Z"`, "2026-11-22T20:03:05.123456Z"},
		{"date", people, `"2026-11-22"`, "2026-11-22"},
		{"text that only looks like an instant", people, `"2026-11-22T is late, all of it"`, "2026-11-22T is late, all of it"},
		{"title in the reader's language", people, `{"en":"Base","zh":"基地"}`, "基地"},
		{"title in English where it is in no other", people, `{"en":"Base","de":"Basis"}`, "Base"},
		{"object for people", people, `{"start":"2026-01-01","end_":null,"n":3}`, "start 2026-01-01, n 3"},
		{"money for people", people, `{"amount":"1250.5","currency":"CNY"}`, "1250.5 CNY"},
		{"object for machines", machine, `{"start":"2026-01-01","n":3}`, `{"start":"2026-01-01","n":3}`},
		{"list", people, `["a","b"]`, "a, b"},
		{"number", people, `12.50`, "12.50"},
		{"boolean", people, `true`, "true"},
	} {
		t.Run(c.name, func(t *testing.T) {
			assert.Equal(t, c.want, c.style.text(json.RawMessage(c.value)))
		})
	}
}

func TestLanguageComesFromTheFlagThenTheEnvironment(t *testing.T) {
	env := map[string]string{"LANG": "zh_CN.UTF-8"}
	a := &app{env: func(name string) string { return env[name] }}
	assert.Equal(t, []string{"zh-CN", "zh"}, a.languages())
	a.lang = "de"
	assert.Equal(t, []string{"de"}, a.languages())
}

func TestRowsLineUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cell := rapid.StringMatching(`[a-z设计é]{0,6}`)
		rows := rapid.SliceOfN(rapid.SliceOfN(cell, 3, 3), 1, 5).Draw(t, "rows")
		for i := range rows {
			rows[i][2] = "|"
		}
		var out bytes.Buffer
		require.NoError(t, writeRows(&out, rows, nil))
		lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
		for _, line := range lines {
			assert.Equal(t, uniseg.StringWidth(lines[0]), uniseg.StringWidth(line))
		}
	})
}

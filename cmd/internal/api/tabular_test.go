package api

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"github.com/milepost-ledger/milepost/cmd/internal/sheet"
)

// table reads an answer as CSV.
func (r reply) table() (rows [][]string) {
	r.t.Helper()
	r.is(http.StatusOK)
	require.Equal(r.t, "text/csv; charset=utf-8; header=present", r.header.Get("Content-Type"))
	rows, err := csv.NewReader(bytes.NewReader(r.body)).ReadAll()
	require.NoError(r.t, err)
	return rows
}

// column is what stands under a heading.
func column(t *testing.T, rows [][]string, heading string) (cells []string) {
	t.Helper()
	for i, h := range rows[0] {
		if h == heading {
			for _, r := range rows[1:] {
				cells = append(cells, r[i])
			}
			return cells
		}
	}
	require.Fail(t, "no column "+heading, "%v", rows[0])
	return nil
}

func TestEveryListIsATable(t *testing.T) {
	r := start(t)
	last := r.scheduled()
	doc := document(t, r)
	lists := 0
	for path, item := range at(t, doc, "paths") {
		get, ok := item.(object)["get"].(object)
		if !ok || !strings.Contains(fmt.Sprint(get["parameters"]), "name:cursor") {
			continue
		}
		lists++
		t.Run(path, func(t *testing.T) {
			r := r.on(t)
			content := at(t, get, "responses", "200", "content")
			at(t, content, mediaJSON)
			at(t, content, sheet.MediaCSV)
			at(t, content, sheet.MediaXLSX)
			url := strings.NewReplacer("{agreement}", "wuxi-2017", "{project}", "iot-base").Replace(path)
			if strings.Contains(url, "{") || required(get) {
				return // its declaration is all that can be asked here
			}
			min := fmt.Sprintf("?min_seq=%d", last.Seq)
			answer := r.get(url+min, "Accept: text/csv").is(http.StatusOK)
			assert.Equal(t, fmt.Sprint(last.Seq), answer.header.Get("Milepost-Seq"))
			assert.NotEmpty(t, answer.header.Get("Milepost-At"))
			rows := answer.table()
			assert.NotEmpty(t, rows[0])
			assert.Equal(t, string(answer.body), string(r.get(url+min+"&format=csv", "Accept: application/json").body), "the parameter goes before the header")
			r.get(url+min+"&format=ods").problem(http.StatusBadRequest, CodeInvalidParameter)
		})
	}
	assert.GreaterOrEqual(t, lists, 6)
}

// required reports whether an operation has a query parameter that must be given.
func required(op object) bool {
	for _, p := range op["parameters"].([]any) {
		if p := p.(object); p["in"] == "query" && p["required"] == true {
			return true
		}
	}
	return false
}

func TestAListAsCSV(t *testing.T) {
	r := start(t)
	r.done("register-party", `{"party":"wuxi","title":{"en":"=HYPERLINK(\"http://x\")","zh":"无锡, \"市\""},"kind":"local-government"}`)
	r.done("register-party", `{"party":"fund","title":{"fr":"-Fonds"},"kind":"fund-manager","parent":"wuxi"}`)
	last := r.done("register-party", `{"party":"third","title":"Third","kind":"other"}`)
	url := fmt.Sprintf("/v1/parties?format=csv&min_seq=%d", last.Seq)

	t.Run("has the members in order, languages beside each other, and no formula", func(t *testing.T) {
		r := r.on(t)
		rows := r.get(url).table()
		assert.Equal(t, []string{"party", "title.fr", "title.en", "title.zh"}, rows[0][:4])
		assert.Equal(t, []string{"wuxi", "", `'=HYPERLINK("http://x")`, `无锡, "市"`}, rows[1][:4])
		assert.Equal(t, []string{"fund", "'-Fonds", "", ""}, rows[2][:4])
		assert.Equal(t, []string{"", "wuxi", ""}, column(t, rows, "parent"))
		assert.Equal(t, []string{"1", "1", "1"}, column(t, rows, "version"))
	})
	t.Run("is read page by page as of one point", func(t *testing.T) {
		r := r.on(t)
		var keys []string
		next := "/v1/parties?format=csv&limit=2&as_of=seq:3"
		for next != "" {
			answer := r.get(next)
			keys = append(keys, column(t, answer.table(), "party")...)
			next, _, _ = strings.Cut(strings.TrimPrefix(answer.header.Get("Link"), "<"), `>; rel="next"`)
			r.done("register-party", fmt.Sprintf(`{"party":"later-%d","title":"L","kind":"other"}`, len(keys)))
		}
		assert.Equal(t, []string{"wuxi", "fund", "third"}, keys)
	})
	t.Run("has its columns when it is empty", func(t *testing.T) {
		r := r.on(t)
		rows := r.get("/v1/parties?format=csv&as_of=seq:0").table()
		assert.Len(t, rows, 1)
		assert.Equal(t, []string{"party", "title"}, rows[0][:2])
	})
	t.Run("JSON is what it was, and says the next page too", func(t *testing.T) {
		r := r.on(t)
		answer := r.get("/v1/parties?limit=1&as_of=seq:3").is(http.StatusOK)
		assert.Equal(t, "application/json", answer.header.Get("Content-Type"))
		assert.Empty(t, answer.header.Get("Content-Disposition"))
		var p page
		answer.into(&p)
		assert.Contains(t, answer.header.Get("Link"), "cursor="+p.Next)
	})
	t.Run("what is no list stays JSON, and an error a problem", func(t *testing.T) {
		r := r.on(t)
		assert.Equal(t, "application/json", r.get("/v1/parties/wuxi", "Accept: text/csv").is(http.StatusOK).header.Get("Content-Type"))
		r.get("/v1/agreements/none/projects?format=csv").problem(http.StatusNotFound, "not-found")
	})
}

func TestChangesAndEventsAsCSV(t *testing.T) {
	r := start(t)
	last := r.scheduled()
	rows := r.get(fmt.Sprintf("/v1/changes?format=csv&min_seq=%d&project=iot-base&milestone=design&agreement=wuxi-2017", last.Seq)).table()
	assert.Equal(t, []string{"seq", "event_id", "type", "agreement", "entity", "field", "op", "old", "new"}, rows[0][:9])
	assert.Contains(t, column(t, rows, "field"), "due")
	assert.Contains(t, column(t, rows, "new"), "2019-06-30")
	assert.Contains(t, column(t, rows, "new"), `{"en":"Design"}`, "a value of any kind is one column")

	rows = r.get("/v1/events?format=csv").table()
	assert.Equal(t, "seq", rows[0][0])
	assert.Contains(t, column(t, rows, "event.type"), "milepost.project.milestone-scheduled.v1")
	assert.Contains(t, column(t, rows, "event.data")[0], `{"party":"wuxi"`)
}

func TestAListAsAWorkbook(t *testing.T) {
	r := start(t)
	r.scheduled()
	last := r.done("schedule-milestone", `{"agreement":"wuxi-2017","project":"iot-base","milestone":"build","title":{"en":"=1+1","zh":"建设"},"due":"2020-06-30","confirming":["wuxi","cethik"],"depends_on":["design"]}`)
	path := "/v1/agreements/wuxi-2017/projects/iot-base/milestones"
	answer := r.get(fmt.Sprintf("%s?min_seq=%d", path, last.Seq), "Accept: application/vnd.ms-excel, "+sheet.MediaXLSX+";q=0.9, application/json;q=0.1").is(http.StatusOK)
	assert.Equal(t, sheet.MediaXLSX, answer.header.Get("Content-Type"))
	assert.Equal(t, `attachment; filename="milestones.xlsx"`, answer.header.Get("Content-Disposition"))
	again := r.get(fmt.Sprintf("%s?format=xlsx&as_of=seq:%d", path, last.Seq)).is(http.StatusOK)

	f, err := excelize.OpenReader(bytes.NewReader(answer.body))
	require.NoError(t, err)
	assert.Equal(t, []string{"milestones", "about"}, f.GetSheetList())
	rows, err := f.GetRows("milestones")
	require.NoError(t, err)
	require.Len(t, rows, 3)
	assert.Equal(t, []string{"build", "=1+1", "建设", "scheduled"}, rows[2][:4])
	assert.Equal(t, []string{"wuxi", "wuxi;cethik"}, column(t, rows, "confirming"))
	assert.Equal(t, []string{"2019-06-30", "2020-06-30"}, column(t, rows, "due"))
	formula, err := f.GetCellFormula("milestones", "B3")
	require.NoError(t, err)
	assert.Empty(t, formula, "a text is no formula")

	about, err := f.GetRows("about")
	require.NoError(t, err)
	assert.Contains(t, about, []string{"ledger", "test"})
	assert.Contains(t, about, []string{"as of sequence", fmt.Sprint(last.Seq)})
	assert.Contains(t, about, []string{"question", fmt.Sprintf("%s?min_seq=%d", path, last.Seq)})

	same, err := excelize.OpenReader(bytes.NewReader(again.body))
	require.NoError(t, err)
	rowsAgain, err := same.GetRows("milestones")
	require.NoError(t, err)
	assert.Equal(t, rows, rowsAgain)
}

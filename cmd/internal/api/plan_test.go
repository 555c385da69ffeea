package api

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
	"github.com/milepost-ledger/milepost/cmd/internal/sheet"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/domaintest"
)

const planURL = "/v1/import?format=plan&agreement=wuxi-2017&project=iot-base"

// plan imports a milestone plan in CSV.
func (r *rig) plan(csv string, headers ...string) reply {
	r.t.Helper()
	return r.send(http.MethodPost, planURL, csv, append([]string{"Content-Type: text/csv"}, headers...)...)
}

const planHeadings = "milestone,title_en,title_zh,due,weight,type,confirming,depends_on\n"

func TestImportAPlan(t *testing.T) {
	r := start(t)
	before := r.scheduled().Seq
	csv := planHeadings +
		"build,Build,建设,2020-03-31,3,delivery,wuxi;cethik,plans;design\n" + // the one is below, the other in the ledger
		"plans,Plans,,2019-12-31,,,wuxi,\n"

	// when it is imported, then all of it is there, in one append
	var sum ledger.Summary
	r.plan(csv, "Milepost-Actor: wang").is(http.StatusOK).into(&sum)
	assert.Equal(t, ledger.Summary{Lines: 2, Commands: 2, Events: 2, FirstSeq: before + 1, LastSeq: before + 2}, sum)
	var got page
	r.get("/v1/agreements/wuxi-2017/projects/iot-base/milestones").is(http.StatusOK).into(&got)
	assert.Equal(t, []string{"design", "plans", "build"}, got.keys("milestone"))
	assert.Equal(t, []any{"plans", "design"}, got.Items[2]["depends_on"])
	var events struct {
		Items []struct {
			Event struct{ Actor string }
		}
	}
	r.get(fmt.Sprintf("/v1/events?after=%d", before)).is(http.StatusOK).into(&events)
	assert.Equal(t, "wang", events.Items[0].Event.Actor)

	// and again, also with rows more, nothing is added twice
	r.plan(csv).is(http.StatusOK).into(&sum)
	assert.Equal(t, ledger.Summary{Lines: 2, Skipped: 2}, sum)
	r.plan(csv + "test,Test,,2020-06-30,,,wuxi,build\n").is(http.StatusOK).into(&sum)
	assert.Equal(t, ledger.Summary{Lines: 3, Skipped: 2, Commands: 1, Events: 1, FirstSeq: before + 3, LastSeq: before + 3}, sum)
	// but a row that says something else is no new milestone
	p := r.plan(strings.Replace(csv, "2019-12-31", "2019-11-30", 1)).problem(http.StatusUnprocessableEntity, domain.CodeAlreadyExists)
	assert.Equal(t, "A3", p.Field)
	assert.Equal(t, before+3, r.last())
}

func TestAPlanIsImportedWholeOrNotAtAll(t *testing.T) {
	r := start(t)
	before := r.scheduled().Seq
	p := r.plan(planHeadings+
		"good,Good,,2020-03-31,,,wuxi,\n"+
		"late,Late,,2020-02-30,,,mars,\n"+
		"after,After,,2020-04-30,,,wuxi,late\n"+ // only refused because the row above is
		"design,Design,,2020-04-30,,,mars,nowhere\n"+
		"more,More,,2020-04-30,,,wuxi;mars,\n").problem(http.StatusUnprocessableEntity, domain.CodeInvalidValue)

	assert.Equal(t, "D3", p.Field)
	assert.Equal(t, "D3: want a date that exists, as YYYY-MM-DD, got 2020-02-30 (and 2 more, see errors)", p.Detail)
	var cells []string
	for _, e := range p.Errors {
		cells = append(cells, e.Cell+" "+e.Field+" "+e.Code)
	}
	assert.Equal(t, []string{"D3 due invalid-value", "A5 milestone already-exists", "G6 confirming wrong-party"}, cells)
	assert.Equal(t, before, r.last(), "nothing was written")
}

func TestPlansThatAreRefused(t *testing.T) {
	domaintest.Exhausting(t)
	r := start(t)
	before := r.scheduled().Seq
	const row = ",Good,,2020-03-31,,,wuxi,\n"
	good := planHeadings + row
	small := func(fill func(f *excelize.File)) string {
		f := excelize.NewFile()
		require.NoError(t, f.SetSheetRow("Sheet1", "A1", &[]string{"milestone", "title_en", "due", "confirming"}))
		fill(f)
		var b bytes.Buffer
		require.NoError(t, f.Write(&b))
		return b.String()
	}
	for name, c := range map[string]struct {
		url, media, body string
		status           int
		code, field      string
	}{
		"no agreement":        {"/v1/import", sheet.MediaCSV, good, 400, CodeInvalidParameter, "agreement"},
		"no key":              {"/v1/import?agreement=A", sheet.MediaCSV, good, 400, CodeInvalidParameter, "agreement"},
		"another format":      {planURL + "x", sheet.MediaCSV, good, 422, domain.CodeNotFound, ""},
		"unknown format":      {"/v1/import?format=gantt&agreement=a", sheet.MediaCSV, good, 400, CodeInvalidParameter, "format"},
		"parameters of lines": {planURL, mediaLines, "", 400, CodeInvalidParameter, ""},
		"unknown agreement":   {"/v1/import?agreement=none&project=p", sheet.MediaCSV, good + row, 422, domain.CodeNotFound, ""},
		"no project":          {"/v1/import?agreement=wuxi-2017", sheet.MediaCSV, good, 422, domain.CodeMissingField, ""},
		"unknown column":      {planURL, sheet.MediaCSV, "colour," + good, 422, domain.CodeUnknownField, "A1"},
		"empty":               {planURL, sheet.MediaCSV, "", 422, sheet.CodeEmpty, ""},
		"too many rows":       {planURL, sheet.MediaCSV, planHeadings + strings.Repeat(row, 1001), 413, sheet.CodeTooLarge, ""},
		"101 MiB":             {planURL, sheet.MediaCSV, strings.Repeat(" ", 101<<20), 413, sheet.CodeTooLarge, ""},
		"CSV as XLSX":         {planURL, sheet.MediaXLSX, good, 422, sheet.CodeNotASheet, ""},
		"a wrong date": {planURL, sheet.MediaXLSX, small(func(f *excelize.File) {
			require.NoError(t, f.SetSheetRow("Sheet1", "A7", &[]any{"m", "M", "2025-02-30", "wuxi"}))
		}), 422, domain.CodeInvalidValue, "C7"},
		"a number for a date": {planURL, sheet.MediaXLSX, small(func(f *excelize.File) {
			require.NoError(t, f.SetSheetRow("Sheet1", "A2", &[]any{"m", "M", 46022, "wuxi"}))
		}), 422, domain.CodeInvalidValue, "C2"},
		"a formula": {planURL, sheet.MediaXLSX, small(func(f *excelize.File) {
			require.NoError(t, f.SetSheetRow("Sheet1", "A2", &[]any{"m", "M", nil, "wuxi"}))
			require.NoError(t, f.SetCellFormula("Sheet1", "C2", "TODAY()+1"))
		}), 422, sheet.CodeFormula, "C2"},
	} {
		t.Run(name, func(t *testing.T) {
			r := r.on(t)
			p := r.send(http.MethodPost, c.url, c.body, "Content-Type: "+c.media).problem(c.status, c.code)
			assert.Equal(t, c.field, p.Field)
			assert.LessOrEqual(t, len(p.Errors), 1, "what is said of no cell is said once")
			if len(p.Errors) > 0 && c.media == sheet.MediaXLSX {
				assert.Contains(t, p.Detail, "Sheet1!"+c.field+": ")
			}
		})
	}
	t.Run("101 MiB of unsaid length", func(t *testing.T) {
		r := r.on(t)
		body := struct{ io.Reader }{strings.NewReader(strings.Repeat(" ", 101<<20))} // of which the client does not see the length
		req := r.request(t.Context(), http.MethodPost, planURL, body)
		req.Header.Set("Content-Type", sheet.MediaCSV)
		resp, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		defer func() { _ = resp.Body.Close() }()
		assert.Equal(t, http.StatusRequestEntityTooLarge, resp.StatusCode)
	})
	assert.Equal(t, before, r.last(), "nothing was written")
}

func TestPlanTemplates(t *testing.T) {
	r := start(t)
	r.scheduled()
	csv := r.get("/v1/plan-template?format=csv").is(http.StatusOK)
	assert.Equal(t, "project,"+planHeadings, string(csv.body))
	assert.Equal(t, planHeadings, string(r.get("/v1/plan-template?format=csv&agreement=wuxi-2017&project=iot-base").is(http.StatusOK).body))
	r.get("/v1/plan-template?agreement=none").problem(http.StatusNotFound, domain.CodeNotFound)
	r.get("/v1/plan-template?agreement=wuxi-2017&project=none").problem(http.StatusNotFound, domain.CodeNotFound)
	r.get("/v1/plan-template?format=ods").problem(http.StatusBadRequest, CodeInvalidParameter)
	r.get("/v1/plan-template?language=en").problem(http.StatusBadRequest, CodeUnknownParameter)

	// a template says what each column takes
	answer := r.get("/v1/plan-template?agreement=wuxi-2017").is(http.StatusOK)
	assert.Equal(t, sheet.MediaXLSX, answer.header.Get("Content-Type"))
	f, err := excelize.OpenReader(bytes.NewReader(answer.body))
	require.NoError(t, err)
	comments, err := f.GetComments("plan")
	require.NoError(t, err)
	i := slices.IndexFunc(comments, func(c excelize.Comment) bool { return strings.Contains(c.Text, "have to confirm") })
	require.GreaterOrEqual(t, i, 0)
	assert.Contains(t, comments[i].Text, "The parties are wuxi, cethik.")
	checks, err := f.GetDataValidations("plan")
	require.NoError(t, err)
	var lists []string
	for _, v := range checks {
		if v.Type == "list" {
			lists = append(lists, v.Formula1)
		}
	}
	assert.Equal(t, []string{`"iot-base"`, `"delivery,financing,approval,assessment,engagement,reporting,pre-procurement"`}, lists)

	// and filled in, it is imported
	require.NoError(t, f.SetSheetRow("plan", "A2", &[]any{"iot-base", "build", "Build", "建设", 43921, 3, "delivery", "wuxi, cethik", "design"}))
	var filled bytes.Buffer
	require.NoError(t, f.Write(&filled))
	var sum ledger.Summary
	r.send(http.MethodPost, "/v1/import?agreement=wuxi-2017", filled.String(), "Content-Type: "+sheet.MediaXLSX).is(http.StatusOK).into(&sum)
	assert.Equal(t, 1, sum.Events)
	var milestone map[string]any
	r.get("/v1/agreements/wuxi-2017/projects/iot-base/milestones/build").is(http.StatusOK).into(&milestone)
	assert.Equal(t, "2020-03-31", milestone["due"])
}

// Given as many sheets under way as there may be, then another waits until one
// of them is read, or until its client is gone.
func TestASheetWaitsForItsTurn(t *testing.T) {
	s := &server{sheets: make(chan struct{}, 1)}
	s.sheets <- struct{}{}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.readSheet(gone, sheet.MediaCSV, []byte(planHeadings))
	require.ErrorIs(t, err, context.Canceled)

	read := make(chan error)
	go func() {
		_, err := s.readSheet(t.Context(), sheet.MediaCSV, []byte(planHeadings))
		read <- err
	}()
	<-s.sheets
	require.NoError(t, <-read)
	require.Empty(t, s.sheets, "its place is free again")
}

package sheet

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/project"
)

// planOf reads a plan from CSV; it must read.
func planOf(t *testing.T, csv string) *Plan {
	t.Helper()
	table, err := ReadCSV(strings.NewReader(csv))
	require.NoError(t, err)
	plan, err := ReadPlan(table, "wuxi", "base")
	require.NoError(t, err)
	return plan
}

// said are the errors of a plan's rows: "C7 code text".
func said(items []ledger.Item) (errors []string) {
	for _, item := range items {
		if wrong, ok := item.Err.(Errors); ok {
			for _, e := range wrong {
				errors = append(errors, e.Cell+" "+e.Code+" "+e.Text)
			}
		}
	}
	return errors
}

const headings = "milestone,title_en,title_zh,due,weight,type,confirming,depends_on\n"

func TestAPlanIsCommands(t *testing.T) {
	// given a plan in which a row depends on a later one
	plan := planOf(t, "\xef\xbb\xbf"+headings+
		`build,"Build, phase 1",建设,2026-03-31,3,delivery,wuxi; cethik,design`+"\n"+
		"\n"+
		"design,Design,,2025-12-31,,,cethik,\n"+
		",Unnamed,,2026-06-30,,,wuxi,build\n")
	// then its commands come in the order of dependency, with what was given
	weight := 3
	id := project.ID{Agreement: "wuxi", Project: "base"}
	var got []domain.Command
	var lines []int
	for _, item := range plan.Items() {
		require.NoError(t, item.Err)
		got, lines = append(got, item.Command), append(lines, item.Line)
	}
	assert.Equal(t, []domain.Command{
		project.Schedule{ID: id, Milestone: "design", Title: domain.Text{"en": "Design"}, Due: domain.MustDate("2025-12-31"), Confirming: []domain.Key{"cethik"}},
		project.Schedule{ID: id, Milestone: "build", Title: domain.Text{"en": "Build, phase 1", "zh": "建设"}, Due: domain.MustDate("2026-03-31"),
			Weight: &weight, Type: "delivery", Confirming: []domain.Key{"wuxi", "cethik"}, DependsOn: []domain.Key{"design"}},
		project.Schedule{ID: id, Title: domain.Text{"en": "Unnamed"}, Due: domain.MustDate("2026-06-30"), Confirming: []domain.Key{"wuxi"}, DependsOn: []domain.Key{"build"}},
	}, got)
	assert.Equal(t, []int{4, 2, 5}, lines, "rows as a spreadsheet counts them")
}

func TestHeadingsAsPeopleWriteThem(t *testing.T) {
	for _, csv := range []string{
		"Project;Milestone;Title EN;TITLE-zh;Due;Confirming;Depends on\nbase;m;M;里;2026-01-31;wuxi,cethik;\n",
		"project\tmilestone\ttitle\ttitle_ZH\tdue\tconfirming\nbase\tm\tM\t里\t2026-01-31\twuxi；cethik\n",
		"project,milestone,title,title_ZH,due,confirming\rbase,m,M,里,2026-01-31,wuxi;cethik\r",
		"confirming,due,title_zh,title,milestone,,project\r\n\"wuxi\ncethik\",2026-01-31,里,M,m,,base\r\n",
	} {
		table, err := ReadCSV(strings.NewReader(csv))
		require.NoError(t, err)
		plan, err := ReadPlan(table, "wuxi", "")
		require.NoError(t, err)
		items := plan.Items()
		require.Len(t, items, 1)
		require.NoError(t, items[0].Err)
		assert.Equal(t, project.Schedule{
			ID: project.ID{Agreement: "wuxi", Project: "base"}, Milestone: "m", Title: domain.Text{"en": "M", "zh": "里"},
			Due: domain.MustDate("2026-01-31"), Confirming: []domain.Key{"wuxi", "cethik"},
		}, items[0].Command)
	}
}

func TestEveryErrorOfAPlanNamesItsCell(t *testing.T) {
	// given rows with several errors each
	plan := planOf(t, headings+
		"Design,D,,2025-02-30,many,party,wuxi;Cethik,\n"+
		"ok,,,2026-01-01,1001,,,\n"+
		"\"multi\nline\",M,,31.12.2025,1.5,,wuxi,\n"+
		"fine,Fine,,2026-01-01,,,wuxi,\n"+
		"fine,Fine again,,2026-01-01,,,wuxi,,left over\n")
	assert.Equal(t, []string{
		"A2 invalid-value want a key: 1 to 64 of a-z, 0-9 and '-', not starting with '-', got Design",
		"D2 invalid-value want a date that exists, as YYYY-MM-DD, got 2025-02-30",
		"E2 invalid-value want a whole number, got many",
		`F2 invalid-value "party" is none of delivery, financing, approval, assessment, engagement, reporting, pre-procurement`,
		"G2 invalid-value want a key: 1 to 64 of a-z, 0-9 and '-', not starting with '-', got Cethik",
		"B3 missing-field is empty and required: Title by language.",
		"E3 invalid-value 1001 is not 0 to 1000",
		"G3 missing-field is empty and required: Parties of the agreement that have to confirm its achievement.",
		"A4 invalid-value want a key: 1 to 64 of a-z, 0-9 and '-', not starting with '-', got multi\nline",
		"D4 invalid-value want a date that exists, as YYYY-MM-DD, got 31.12.2025",
		"E4 invalid-value want a whole number, got 1.5",
		`A6 already-exists "fine" is the key of row 5 too: each milestone has its own`,
		"I6 unknown-field the column has no heading",
	}, said(plan.Items()))
}

func TestCirclesInAPlan(t *testing.T) {
	plan := planOf(t, "milestone,title,due,confirming,depends_on\n"+
		"a,A,2026-01-01,wuxi,c\nb,B,2026-01-01,wuxi,a\nc,C,2026-01-01,wuxi,b\nd,D,2026-01-01,wuxi,d\ne,E,2026-01-01,wuxi,a\n")
	assert.ElementsMatch(t, []string{
		"E3 dependency-cycle a -> c -> b -> a: nothing can depend on itself; take one of them out",
		"E5 dependency-cycle d -> d: nothing can depend on itself; take one of them out",
	}, said(plan.Items()))
}

func TestHeadingsThatAreRefused(t *testing.T) {
	for csv, want := range map[string]string{
		"milestone,titel,due,confirming\nx,X,2026-01-01,wuxi\n": `B1: "titel" is no column of a plan; it has project, milestone, title_en, title_zh, due, weight, type, confirming, depends_on (and 1 more)`,
		"title,title_en,due,confirming\nx,X,2026-01-01,wuxi\n":  `B1: the column title_en is there twice`,
		"title_x,due,confirming\nx,2026-01-01,wuxi\n":           `A1: "title_x": want a language tag such as "en" or "zh-Hant", got x`,
		"title,confirming\nx,wuxi\n":                            `there is no column due; it is required: Agreed date.`,
		"agreement,title,due,confirming\na,X,2026-01-01,wuxi\n": `A1: "agreement" is no column of a plan; it has project, milestone, title_en, title_zh, due, weight, type, confirming, depends_on`,
	} {
		table, err := ReadCSV(strings.NewReader(csv))
		require.NoError(t, err)
		_, err = ReadPlan(table, "wuxi", "base")
		var wrong Errors
		require.ErrorAs(t, err, &wrong, csv)
		assert.EqualError(t, err, want, csv)
	}
	table, err := ReadCSV(strings.NewReader("title,due,confirming\nX,2026-01-01,wuxi\n"))
	require.NoError(t, err)
	_, err = ReadPlan(table, "wuxi", "")
	assert.EqualError(t, err, "there is no column project; it is required: Key of the project.")
}

func refusal(t *testing.T, err error) *domain.Rejected {
	t.Helper()
	var r *domain.Rejected
	require.ErrorAs(t, err, &r)
	return r
}

func TestFilesThatAreNoPlan(t *testing.T) {
	many := headings + strings.Repeat(",X,,2026-01-01,,,wuxi,\n", MaxRows+1)
	for name, c := range map[string]struct{ csv, code, text string }{
		"nothing":        {"", CodeEmpty, "the sheet is empty"},
		"blank lines":    {"\n \n,,\n", CodeEmpty, "the sheet is empty"},
		"headings only":  {headings, CodeEmpty, "no milestone below the headings"},
		"no UTF-8":       {"title,due\n\xce\xde\xce\xfd,2026-01-01\n", CodeNotASheet, "CSV UTF-8"},
		"UTF-16":         {"\xff\xfet\x00i\x00", CodeNotASheet, "CSV UTF-8"},
		"a stray quote":  {"title,due\n\n\"a\nb\" c,d\n", CodeNotASheet, "row 3 does not read"},
		"too many rows":  {many, CodeTooLarge, "more than 1000 rows"},
		"too many cells": {headings + strings.Repeat(",", 99) + ",x,\n", CodeTooLarge, "row 2 has 102 columns"},
		"too long":       {strings.Repeat(" ", MaxFile+1), CodeTooLarge, "longer than 10 MiB"},
	} {
		t.Run(name, func(t *testing.T) {
			table, err := ReadCSV(strings.NewReader(c.csv))
			if err == nil {
				_, err = ReadPlan(table, "wuxi", "base")
			}
			r := refusal(t, err)
			assert.Equal(t, c.code, r.Code)
			assert.Contains(t, r.Message, c.text)
		})
	}
	table, err := ReadCSV(strings.NewReader(strings.TrimSuffix(many, ",X,,2026-01-01,,,wuxi,\n")))
	require.NoError(t, err)
	plan, err := ReadPlan(table, "wuxi", "base")
	require.NoError(t, err)
	assert.Len(t, plan.Items(), MaxRows)
}

// book makes a workbook whose first sheet has the cells.
func book(t *testing.T, fill func(f *excelize.File)) []byte {
	t.Helper()
	f := excelize.NewFile()
	fill(f)
	var b bytes.Buffer
	require.NoError(t, f.Write(&b))
	return b.Bytes()
}

func setRow(t *testing.T, f *excelize.File, cell string, values ...any) {
	t.Helper()
	require.NoError(t, f.SetSheetRow("Sheet1", cell, &values))
}

func planOfBook(t *testing.T, raw []byte) (*Plan, error) {
	t.Helper()
	table, err := ReadXLSX(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	return ReadPlan(table, "wuxi", "base")
}

func TestAPlanInAWorkbook(t *testing.T) {
	for name, use1904 := range map[string]bool{"counted from 1900": false, "counted from 1904": true} {
		t.Run(name, func(t *testing.T) {
			day := 46022 // 2025-12-31
			if use1904 {
				day -= 1462
			}
			raw := book(t, func(f *excelize.File) {
				require.NoError(t, f.SetWorkbookProps(&excelize.WorkbookPropsOptions{Date1904: &use1904}))
				setRow(t, f, "A1", "milestone", "title_en", "due", "weight", "confirming")
				setRow(t, f, "A3", "m1", "One", day, 2, "wuxi")
				setRow(t, f, "A4", "m2", "Two", "2026-03-31", 1.0, "wuxi")
				setRow(t, f, "A5", 3, 4, float64(day)+0.5, nil, "wuxi")
				for cell, format := range map[string]string{"C3": "yyyy-mm-dd", "C5": `d"." mmmm yyyy\ `} {
					style, err := f.NewStyle(&excelize.Style{CustomNumFmt: &format})
					require.NoError(t, err)
					require.NoError(t, f.SetCellStyle("Sheet1", cell, cell, style))
				}
			})
			plan, err := planOfBook(t, raw)
			require.NoError(t, err)
			var got []string
			for _, item := range plan.Items() {
				require.NoError(t, item.Err)
				c := item.Command.(project.Schedule)
				got = append(got, fmt.Sprintf("%d %s %s %s", item.Line, c.Milestone, c.Title["en"], c.Due))
			}
			assert.Equal(t, []string{"3 m1 One 2025-12-31", "4 m2 Two 2026-03-31", "5 3 4 2025-12-31"}, got)
		})
	}
}

func TestCellsOfAWorkbookThatAreRefused(t *testing.T) {
	raw := book(t, func(f *excelize.File) {
		require.NoError(t, f.SetSheetName("Sheet1", "my plan"))
		put := func(cell string, v any) { require.NoError(t, f.SetCellValue("my plan", cell, v)) }
		for i, h := range []string{"milestone", "title_en", "due", "weight", "confirming"} {
			put(string(rune('A'+i))+"1", h)
		}
		put("A2", "m1")
		require.NoError(t, f.SetCellFormula("my plan", "B2", `A2&" title"`))
		put("C2", 46022)
		put("D2", 2.5)
		put("E2", "wuxi")
		put("A3", true)
		put("B3", "T")
		require.NoError(t, f.SetCellFormula("my plan", "C3", "TODAY()"))
		put("E3", "wuxi")
	})
	plan, err := planOfBook(t, raw)
	require.NoError(t, err)
	items := plan.Items()
	assert.Equal(t, []string{
		`B2 formula holds the formula =A2&" title"; put its value there (copy, then paste values)`,
		"C2 invalid-value want a date, got the number 46022: format the cell as a date, or write YYYY-MM-DD",
		"D2 invalid-value want a whole number, got 2.5",
		"A3 invalid-value want a key: 1 to 64 of a-z, 0-9 and '-', not starting with '-', got TRUE",
		"C3 formula holds the formula =TODAY(); put its value there (copy, then paste values)",
	}, said(items))
	assert.Contains(t, items[0].Err.Error(), "'my plan'!B2: ")
}

func TestSeparator(t *testing.T) {
	for line, want := range map[string]rune{
		"a,b;c,d\n;;;;": ',', "a;b;c,d\n": ';', "a\tb\tc,d": '\t', `"a;b;c",d`: ',', "\"a\n;;;\",d\n;;;": ',', "a": ',', "": ',', "\n\na;b": ';',
	} {
		assert.Equal(t, string(want), string(separator([]byte(line))), line)
	}
}

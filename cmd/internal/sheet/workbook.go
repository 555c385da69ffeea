package sheet

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"

	"github.com/milepost-ledger/milepost/domain"
)

// Fact is something that a workbook says of itself.
type Fact struct{ Name, Value string }

// Facts are the members of a JSON object, one each.
func Facts(object json.RawMessage) ([]Fact, error) {
	g, err := FromJSON(nil, []json.RawMessage{object})
	if err != nil {
		return nil, err
	}
	facts := make([]Fact, len(g.Columns))
	for i, name := range g.Columns {
		facts[i] = Fact{name, g.rows[0][i].text}
	}
	return facts, nil
}

// WriteXLSX writes the table as a workbook: a sheet of that name, and a sheet
// "about" with the facts. Numbers are numbers, and a column in which every
// text is a date has dates. The same table makes the same bytes.
func (g Grid) WriteXLSX(w io.Writer, name string, about ...Fact) error {
	name = limited(name, excelize.MaxSheetNameLength)
	f, err := newWorkbook(name)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // only written from
	bold, err := f.NewStyle(&excelize.Style{Font: &excelize.Font{Bold: true}})
	if err != nil {
		return err
	}
	day, err := dayStyle(f)
	if err != nil {
		return err
	}
	rows, err := f.NewStreamWriter(name)
	if err != nil {
		return err
	}
	if err := rows.SetPanes(firstRow); err != nil {
		return err
	}
	header := make([]any, len(g.Columns))
	for i, c := range g.Columns {
		header[i] = excelize.Cell{Value: c, StyleID: bold}
	}
	if err := rows.SetRow("A1", header); err != nil {
		return err
	}
	dates := g.dateColumns()
	for i, r := range g.rows {
		cells := make([]any, len(r))
		for j, v := range r {
			if dates[j] && v.text != "" {
				cells[j] = excelize.Cell{Value: serial(domain.MustDate(v.text).Time(time.UTC)), StyleID: day}
				continue
			}
			cells[j] = v.cell()
		}
		if err := rows.SetRow("A"+strconv.Itoa(i+2), cells); err != nil {
			return err
		}
	}
	if err := rows.Flush(); err != nil {
		return err
	}
	if err := writeFacts(f, bold, about); err != nil {
		return err
	}
	return f.Write(w)
}

func writeFacts(f *excelize.File, bold int, facts []Fact) error {
	if len(facts) == 0 {
		return nil
	}
	const sheet = "about"
	if _, err := f.NewSheet(sheet); err != nil {
		return err
	}
	for i, fact := range facts { // not as a stream: excelize writes several in any order
		name, value := "A"+strconv.Itoa(i+1), "B"+strconv.Itoa(i+1)
		if err := errors.Join(f.SetCellStr(sheet, name, fact.Name), f.SetCellStr(sheet, value, cut(fact.Value)), f.SetCellStyle(sheet, name, name, bold)); err != nil {
			return err
		}
	}
	return nil
}

// cell is the value as excelize writes it.
func (v value) cell() any {
	switch v.kind {
	case numeric:
		if n, err := strconv.ParseFloat(v.text, 64); err == nil && len(v.text) <= 15 { // a double has 15 digits
			return n
		}
		return v.text
	case truth:
		return v.text == "true"
	case words:
		return cut(v.text)
	}
	return nil
}

// cut shortens a text to what a cell can hold.
func cut(s string) string {
	if utf8.RuneCountInString(s) <= excelize.TotalCellChars {
		return s
	}
	return limited(s, excelize.TotalCellChars)
}

// dateColumns finds the columns that have dates and nothing else.
func (g Grid) dateColumns() []bool {
	dates := make([]bool, len(g.Columns))
	for j := range g.Columns {
		for _, r := range g.rows {
			if r[j].kind == none {
				continue
			}
			d, err := domain.ParseDate(r[j].text)
			if dates[j] = r[j].kind == words && err == nil && d >= firstDay; !dates[j] {
				break
			}
		}
	}
	return dates
}

// firstDay is the first date that all programs count alike: Excel takes 1900
// for a leap year.
var firstDay = domain.MustDate("1900-03-01")

// serial is a day as a workbook counts them.
func serial(day time.Time) float64 {
	return day.Sub(time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)).Hours() / 24
}

func newWorkbook(sheet string) (*excelize.File, error) {
	f := excelize.NewFile()
	if err := f.SetSheetName("Sheet1", sheet); err != nil {
		return nil, fmt.Errorf("sheet %s: %w", sheet, err)
	}
	return f, nil
}

func dayStyle(f *excelize.File) (int, error) {
	format := "yyyy-mm-dd"
	return f.NewStyle(&excelize.Style{CustomNumFmt: &format})
}

var firstRow = &excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}

func freezeFirstRow(f *excelize.File, sheet string) error { return f.SetPanes(sheet, firstRow) }

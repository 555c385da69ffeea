package sheet

import (
	"encoding/csv"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"

	"github.com/milepost-ledger/milepost/domain"
)

// Template is an empty milestone plan. Its columns, and what they say of
// themselves, are those of the catalogue.
type Template struct {
	Languages []string // of titles, at least one

	// What is known of where the plan is for may be left out. With a Project the
	// plan is of that one, and has no column for it.
	Project  domain.Key
	Projects []domain.Key // to choose from
	Parties  []domain.Key // that can confirm
}

func (t Template) columns() []column {
	var columns []column
	for _, c := range planColumns(t.Languages...) {
		if c.field.Name != "project" || t.Project == "" {
			columns = append(columns, c)
		}
	}
	return columns
}

// WriteCSV writes the headings.
func (t Template) WriteCSV(w io.Writer) error {
	var headings []string
	for _, c := range t.columns() {
		headings = append(headings, c.heading())
	}
	return csv.NewWriter(w).WriteAll([][]string{headings})
}

// WriteXLSX writes a workbook with the headings, what each takes as a comment,
// and validation of what is typed below them.
func (t Template) WriteXLSX(w io.Writer) error {
	const plan = "plan"
	f, err := newWorkbook(plan)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // only written from
	required, optional, day, err := t.styles(f)
	if err != nil {
		return err
	}
	for i, c := range t.columns() {
		name, err := excelize.ColumnNumberToName(i + 1)
		if err != nil {
			return err
		}
		style := optional
		if c.field.Required {
			style = required
		}
		text := t.describe(c)
		steps := []error{
			f.SetCellStr(plan, name+"1", c.heading()),
			f.SetCellStyle(plan, name+"1", name+"1", style),
			f.SetColWidth(plan, name, name, width(c)),
			f.AddComment(plan, excelize.Comment{Cell: name + "1", Author: "milepost", Text: text, Width: 300, Height: uint(60 + len(text)/2)}),
		}
		if c.field.Format == "date" {
			steps = append(steps, f.SetCellStyle(plan, name+"2", fmt.Sprint(name, MaxRows+1), day))
		}
		if v := t.validation(c); v != nil {
			v.Sqref = fmt.Sprintf("%s2:%s%d", name, name, MaxRows+1)
			steps = append(steps, f.AddDataValidation(plan, v))
		}
		for _, err := range steps {
			if err != nil {
				return fmt.Errorf("template: column %s: %w", c.heading(), err)
			}
		}
	}
	if err := freezeFirstRow(f, plan); err != nil {
		return err
	}
	return f.Write(w)
}

func (t Template) styles(f *excelize.File) (required, optional, day int, err error) {
	fill := excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"#DDEBF7"}}
	if required, err = f.NewStyle(&excelize.Style{Font: &excelize.Font{Bold: true}, Fill: fill}); err != nil {
		return
	}
	if optional, err = f.NewStyle(&excelize.Style{Fill: fill}); err != nil {
		return
	}
	day, err = dayStyle(f)
	return
}

func (t Template) describe(c column) string {
	text := c.describe()
	if c.field.Name == "confirming" && len(t.Parties) > 0 {
		text += " The parties are " + joinKeys(t.Parties) + "."
	}
	return text
}

func joinKeys(keys []domain.Key) string {
	names := make([]string, len(keys))
	for i, k := range keys {
		names[i] = string(k)
	}
	return strings.Join(names, ", ")
}

func width(c column) float64 {
	switch {
	case c.field.Type == "text":
		return 40
	case c.field.Type == "array":
		return 24
	}
	return 16
}

// validation is what the program checks while somebody types, nil for nothing.
func (t Template) validation(c column) *excelize.DataValidation {
	v := excelize.NewDataValidation(true)
	var err error
	switch {
	case c.field.Format == "date":
		first := time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC)
		err = v.SetRange(serial(first), serial(first.AddDate(200, 0, 0)), excelize.DataValidationTypeDate, excelize.DataValidationOperatorBetween)
	case len(c.field.Enum) > 0:
		err = v.SetDropList(c.field.Enum)
	case c.field.Name == "project" && len(t.Projects) > 0:
		keys := make([]string, len(t.Projects))
		for i, k := range t.Projects {
			keys[i] = string(k)
		}
		err = v.SetDropList(keys)
	case c.field.Type == "integer" && c.field.Min != nil && c.field.Max != nil:
		err = v.SetRange(*c.field.Min, *c.field.Max, excelize.DataValidationTypeWhole, excelize.DataValidationOperatorBetween)
	default:
		return nil
	}
	if err != nil { // a list that is longer than the format takes
		return nil
	}
	v.SetError(excelize.DataValidationErrorStyleStop, c.heading(), limited(c.describe(), 255))
	return v
}

func limited(s string, n int) string {
	if runes := []rune(s); len(runes) > n {
		return string(runes[:n-1]) + "…"
	}
	return s
}

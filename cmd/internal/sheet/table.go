package sheet

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/xuri/excelize/v2"

	"github.com/milepost-ledger/milepost/domain"
)

// Bounds of a file that is read.
const (
	MaxFile     = 10 << 20 // bytes of a file
	MaxUnzipped = 16 << 20 // bytes of what is packed in an XLSX file
	MaxRows     = 1000     // rows that say something, besides the header: what one atomic append takes
	maxColumns  = 100      // columns that say something
)

// Codes of refusals of a file as a whole or of one cell, beside those of the
// domain.
const (
	CodeNotASheet = "not-a-sheet" // neither CSV in UTF-8 nor XLSX, or damaged
	CodeTooLarge  = "too-large"   // more bytes or rows than are taken
	CodeEmpty     = "empty-sheet" // no row says anything
	CodeFormula   = "formula"     // a cell has a formula, not a value
)

// Media types of the two forms.
const (
	MediaCSV  = "text/csv"
	MediaXLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
)

// kind of a cell's value, as the file says it.
type kind int

const (
	text   kind = iota // all that CSV has
	number             // and no date
	date               // text is YYYY-MM-DD
	formula
	fault // an error value such as #REF!
)

// cell is one cell. Its text has no space around it.
type cell struct {
	kind kind
	text string
}

func (c cell) empty() bool { return c.kind != formula && c.text == "" }

// row is a row that says something.
type row struct {
	number int // as a spreadsheet counts, from 1
	cells  []cell
}

func (r row) empty() bool {
	for _, c := range r.cells {
		if !c.empty() {
			return false
		}
	}
	return true
}

// Table is what a sheet says: its rows, without those that are empty.
type Table struct {
	name string // of the sheet, "" in CSV
	rows []row
}

// add takes a row more unless it is empty.
func (t *Table) add(r row) error {
	switch {
	case r.empty():
		return nil
	case len(t.rows) > MaxRows:
		return domain.Refuse(CodeTooLarge, "", "%sthe sheet has more than %d rows, which is the most that one import takes: divide it",
			t.prefix(), MaxRows)
	case len(r.cells) > maxColumns:
		return domain.Refuse(CodeTooLarge, "", "%srow %d has %d columns, more than %d: delete what is to the right of the table",
			t.prefix(), r.number, len(r.cells), maxColumns)
	}
	t.rows = append(t.rows, r)
	return nil
}

func (t *Table) prefix() string {
	if t.name == "" {
		return ""
	}
	return t.name + ": "
}

// CellError says what is wrong with one cell, or with the whole sheet where
// Cell is "".
type CellError struct {
	Sheet string // name of the sheet, "" in CSV
	Cell  string // "C7"
	Field string // of the command that the cell is for, "due"
	Code  string // of the refusal
	Text  string // what is wrong and what to do

	row, column int // of Cell, from 1 and from 0
}

// Address names the cell as a spreadsheet does: "Sheet1!C7".
func (e *CellError) Address() string {
	sheet := e.Sheet
	if strings.ContainsFunc(sheet, func(c rune) bool { return c == ' ' || c == '!' || c == '\'' }) {
		sheet = "'" + strings.ReplaceAll(sheet, "'", "''") + "'"
	}
	switch {
	case e.Cell == "":
		return e.Sheet
	case sheet == "":
		return e.Cell
	}
	return sheet + "!" + e.Cell
}

func (e *CellError) Error() string {
	if at := e.Address(); at != "" {
		return at + ": " + e.Text
	}
	return e.Text
}

// Errors are all that is wrong with a sheet, by row and column; at least one.
type Errors []*CellError

func (e Errors) Error() string {
	if n := len(e) - 1; n > 0 {
		return fmt.Sprintf("%v (and %d more)", e[0], n)
	}
	return e[0].Error()
}

// sorted returns the errors by row and column.
func (e Errors) sorted() Errors {
	return slices.SortedStableFunc(slices.Values(e), func(a, b *CellError) int {
		return cmp.Or(cmp.Compare(a.row, b.row), cmp.Compare(a.column, b.column))
	})
}

// blame makes the error of a cell; column is from 0, and -1 where there is
// none to blame.
func (t *Table) blame(row, column int, field, code, format string, args ...any) *CellError {
	e := &CellError{Sheet: t.name, Field: field, Code: code, Text: fmt.Sprintf(format, args...)}
	if column >= 0 {
		e.row, e.column = row, column
		e.Cell, _ = excelize.CoordinatesToCellName(column+1, row) // fails for numbers below one only
	}
	return e
}

// Read reads a table of one of the two media types.
func Read(media string, r io.Reader) (*Table, error) {
	if media == MediaXLSX {
		return ReadXLSX(r)
	}
	return ReadCSV(r)
}

package sheet

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"

	"github.com/milepost-ledger/milepost/domain"
)

// ReadXLSX reads the first sheet of a workbook.
func ReadXLSX(r io.Reader) (t *Table, err error) {
	raw, err := readFile(r)
	if err != nil {
		return nil, err
	}
	if err := checkWorkbook(raw); err != nil {
		return nil, err
	}
	// excelize panics on cells that there cannot be: in row -3, with text number -1.
	defer func() {
		if recover() != nil {
			t, err = nil, damaged(errors.New("it has cells that there cannot be"))
		}
	}()
	f, err := excelize.OpenReader(bytes.NewReader(raw), excelize.Options{
		UnzipSizeLimit: MaxUnzipped, UnzipXMLSizeLimit: MaxUnzipped, RawCellValue: true,
	})
	if err != nil {
		return nil, damaged(err)
	}
	defer func() { _ = f.Close() }() // nothing of it is on disk
	return workbook{f}.table(f.GetSheetName(0))
}

// damaged refuses what does not read as a workbook.
func damaged(err error) error {
	why, _, _ := strings.Cut(err.Error(), "\n") // three errors of one cell say the same
	return domain.Refuse(CodeNotASheet, "", "the workbook is damaged (%s): open it in a spreadsheet program and save it anew as .xlsx", why)
}

type workbook struct{ *excelize.File }

// table reads a sheet.
func (w workbook) table(name string) (*Table, error) {
	t := &Table{name: name}
	rows, err := w.Rows(name)
	if err != nil {
		return nil, damaged(err)
	}
	defer func() { _ = rows.Close() }() // only read
	for number := 1; rows.Next(); number++ {
		values, err := rows.Columns()
		if err != nil {
			return nil, damaged(err)
		}
		r := row{number: number}
		for i, v := range values {
			c, err := w.cell(name, i+1, number, strings.TrimSpace(v))
			if err != nil {
				return nil, damaged(err)
			}
			r.cells = append(r.cells, c)
		}
		if err := t.add(r); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// cell says what kind of value a cell has.
func (w workbook) cell(sheet string, column, row int, value string) (cell, error) {
	name, err := excelize.CoordinatesToCellName(column, row)
	if err != nil {
		return cell{}, err
	}
	f, formulaErr := w.GetCellFormula(sheet, name)
	typ, typeErr := w.GetCellType(sheet, name)
	style, styleErr := w.GetCellStyle(sheet, name)
	switch {
	case errors.Join(formulaErr, typeErr, styleErr) != nil:
		return cell{}, errors.Join(formulaErr, typeErr, styleErr)
	case f != "":
		return cell{formula, f}, nil
	case typ == excelize.CellTypeError:
		return cell{fault, value}, nil
	case typ == excelize.CellTypeBool:
		return cell{text, strings.ToUpper(strconv.FormatBool(value == "1"))}, nil
	case typ == excelize.CellTypeDate && len(value) >= len(time.DateOnly): // ISO 8601
		return cell{date, value[:len(time.DateOnly)]}, nil
	case typ != excelize.CellTypeUnset && typ != excelize.CellTypeNumber:
		return cell{text, value}, nil
	}
	serial, err := strconv.ParseFloat(value, 64)
	if err != nil {
		return cell{text, value}, nil
	}
	if !w.isDate(style) {
		return cell{number, value}, nil
	}
	at, err := excelize.ExcelDateToTime(serial, w.counts1904())
	if err != nil {
		return cell{number, value}, nil
	}
	return cell{date, at.Format(time.DateOnly)}, nil
}

// counts1904 reports whether days are counted from 1904, as old Macs did.
func (w workbook) counts1904() bool {
	p := w.WorkBook.WorkbookPr
	return p != nil && p.Date1904
}

// isDate reports whether a style shows a number as a date.
func (w workbook) isDate(style int) bool {
	formats := w.Styles
	if formats == nil || formats.CellXfs == nil || style < 0 || style >= len(formats.CellXfs.Xf) {
		return false
	}
	id := formats.CellXfs.Xf[style].NumFmtID
	if id == nil {
		return false
	}
	if formats.NumFmts != nil {
		for _, f := range formats.NumFmts.NumFmt {
			if f != nil && f.NumFmtID == *id {
				return showsDay(f.FormatCode)
			}
		}
	}
	// Built in, by ECMA-376 part 1, 18.8.30: dates, and those of East Asia.
	return *id >= 14 && *id <= 17 || *id == 22 || *id >= 27 && *id <= 31 || *id == 36 || *id >= 50 && *id <= 54 || *id == 57 || *id == 58
}

// showsDay reports whether a number format has a day or a year in it, outside
// quotes, brackets and escapes.
func showsDay(code string) bool {
	for i := 0; i < len(code); i++ {
		switch code[i] {
		case '\\', '_', '*':
			i++
		case '"':
			i += skipTo(code[i+1:], '"')
		case '[':
			i += skipTo(code[i+1:], ']')
		case 'd', 'D', 'y', 'Y':
			return true
		}
	}
	return false
}

// skipTo is how many bytes to go on to be at the end that is searched.
func skipTo(rest string, end byte) int {
	if i := strings.IndexByte(rest, end); i >= 0 {
		return i + 1
	}
	return len(rest)
}

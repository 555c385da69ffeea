package sheet

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/milepost-ledger/milepost/domain"
)

// ReadCSV reads a table by RFC 4180, in UTF-8 with or without a byte order
// mark, with commas, semicolons (as Excel writes where the comma is the decimal
// sign) or tabs, whichever the first line has most of.
func ReadCSV(r io.Reader) (*Table, error) {
	raw, err := readFile(r)
	if err != nil {
		return nil, err
	}
	raw = bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))
	if !utf8.Valid(raw) || bytes.IndexByte(raw, 0) >= 0 {
		return nil, domain.Refuse(CodeNotASheet, "", `this is no CSV in UTF-8: save it as "CSV UTF-8", or as an Excel workbook (.xlsx)`)
	}
	if bytes.IndexByte(raw, '\n') < 0 { // Excel's "CSV (Macintosh)" ends lines so
		raw = bytes.ReplaceAll(raw, []byte("\r"), []byte("\n"))
	}
	records := csv.NewReader(bytes.NewReader(raw))
	records.Comma = separator(raw)
	records.FieldsPerRecord = -1
	t := &Table{}
	lines := lineCounter{}
	for {
		fields, err := records.Read()
		var broken *csv.ParseError
		switch {
		case err == io.EOF:
			return t, nil
		case errors.As(err, &broken):
			return nil, domain.Refuse(CodeNotASheet, "", "row %d does not read as CSV: %v; a quote within a cell is written twice",
				lines.row(broken.StartLine), broken.Err)
		case err != nil:
			return nil, err
		}
		start, _ := records.FieldPos(0)
		r := row{number: lines.row(start)}
		for _, f := range fields {
			r.cells = append(r.cells, cell{text, strings.TrimSpace(f)})
			lines.within += strings.Count(f, "\n")
		}
		if err := t.add(r); err != nil {
			return nil, err
		}
	}
}

// lineCounter turns lines of a file into rows of the sheet that it makes: a
// line break within a cell begins no row.
type lineCounter struct{ within int }

func (l lineCounter) row(line int) int { return line - l.within }

// separator is the sign that the first line has most of outside quotes.
func separator(raw []byte) rune {
	counts := map[byte]int{}
	quoted := false
	for _, c := range raw {
		if c == '"' {
			quoted = !quoted
		}
		if !quoted {
			if c == '\n' && len(counts) > 0 {
				break
			}
			if c == ',' || c == ';' || c == '\t' {
				counts[c]++
			}
		}
	}
	best := byte(',')
	for _, c := range []byte{';', '\t'} {
		if counts[c] > counts[best] {
			best = c
		}
	}
	return rune(best)
}

// readFile reads all of r, unless that is more than MaxFile.
func readFile(r io.Reader) ([]byte, error) {
	raw, err := io.ReadAll(io.LimitReader(r, MaxFile+1))
	if err != nil {
		return nil, err
	}
	if len(raw) > MaxFile {
		return nil, domain.Refuse(CodeTooLarge, "", "the file is longer than %d MiB; a plan of %d rows has far less: delete what is not of the plan",
			MaxFile>>20, MaxRows)
	}
	return raw, nil
}

package sheet

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"io"
	"strconv"
	"sync"

	"github.com/xuri/excelize/v2"

	"github.com/milepost-ledger/milepost/domain"
)

// What a workbook may hold. excelize keeps every element in memory, in a sheet
// every cell up to the last of each row and every row up to the last, and works
// out anew what a shared formula is in each cell that shares it.
const (
	maxReach    = 50_000  // rows
	maxFilled   = 200_000 // cells from the first to the last of each row, over all rows of a sheet
	maxMerged   = 1000
	maxFormulas = 1000
	maxFormula  = 8192    // bytes of one, as Excel has it
	maxElements = 500_000 // of all parts
)

// container begins what is no zip: a workbook with a password, or of an Excel
// before 2007. excelize looks for it anywhere in the file.
var container = []byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")

// checkWorkbook refuses a file that would cost far more memory or time than its
// bytes, before excelize reads any of it.
func checkWorkbook(raw []byte) error {
	switch {
	case bytes.Contains(raw, container):
		return domain.Refuse(CodeNotASheet, "", "the workbook has a password or an embedded object, or is of an Excel before 2007: save it without, as .xlsx")
	case !bytes.HasPrefix(raw, []byte("PK\x03\x04")):
		return domain.Refuse(CodeNotASheet, "", "this is no Excel workbook: save it as .xlsx, or as CSV UTF-8")
	}
	zipped, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		return damaged(err)
	}
	e := extent{left: MaxUnzipped}
	for _, part := range zipped.File {
		if err := e.open(part); err != nil {
			return err
		}
	}
	return nil
}

// extent adds up what a workbook has.
type extent struct {
	left     int64 // bytes that it may still unpack to
	elements int
}

func (e *extent) open(part *zip.File) error {
	content, err := part.Open()
	if err != nil {
		return damaged(err)
	}
	defer func() { _ = content.Close() }() // only read
	counted := &io.LimitedReader{R: content, N: e.left + 1}
	err = e.check(counted)
	if err == nil {
		_, err = io.Copy(io.Discard, counted) // what follows what is no XML
		if err != nil {
			err = damaged(err)
		}
	}
	if e.left = counted.N - 1; e.left < 0 {
		return domain.Refuse(CodeTooLarge, "", "the workbook unpacks to more than %d MiB: leave only the plan in it", MaxUnzipped>>20)
	}
	return err
}

// check reads one part as XML, as far as it is that: whether it is sound is for
// excelize to say.
func (e *extent) check(part io.Reader) error {
	var row, column, filled, merged, formulas, formula int
	inFormula := false
	tokens := xml.NewDecoder(part)
	tokens.CharsetReader = charsets()
	for {
		token, err := tokens.RawToken()
		if err != nil {
			return nil
		}
		var start xml.StartElement
		switch t := token.(type) {
		case xml.StartElement:
			start = t
			e.elements++
		case xml.EndElement:
			inFormula = false
		case xml.CharData:
			if inFormula {
				formula += len(t)
			}
		}
		switch start.Name.Local {
		case "row":
			row, column = row+1, 0
			if n, err := strconv.Atoi(attribute(start, "r")); err == nil {
				row = n
			}
		case "c":
			column++
			before := column - 1
			if c, r, err := excelize.CellNameToCoordinates(attribute(start, "r")); err == nil {
				column, row = c, r
			}
			filled += max(1, column-before)
		case "mergeCell":
			merged++
		case "f":
			formulas, formula, inFormula = formulas+1, 0, true
		}
		switch {
		case row > maxReach:
			return domain.Refuse(CodeTooLarge, "", "a sheet of the workbook reaches to row %d: delete the rows below the plan", row)
		case filled > maxFilled:
			return domain.Refuse(CodeTooLarge, "", "a sheet of the workbook has more than %d cells: leave only the plan in it", maxFilled)
		case merged > maxMerged:
			return domain.Refuse(CodeTooLarge, "", "a sheet of the workbook has more than %d merged cells: unmerge them", maxMerged)
		case formulas > maxFormulas || formula > maxFormula:
			return domain.Refuse(CodeTooLarge, "", "a sheet of the workbook has more than %d formulas, or one of more than %d bytes: put values there (copy all, then paste values)",
				maxFormulas, maxFormula)
		case e.elements > maxElements:
			return domain.Refuse(CodeTooLarge, "", "the workbook has more than %d elements, most of them not of a plan: copy the plan into a new workbook", maxElements)
		}
	}
}

// charsets are those in which excelize reads a part.
var charsets = sync.OnceValue(func() func(string, io.Reader) (io.Reader, error) { return excelize.NewFile().CharsetReader })

func attribute(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

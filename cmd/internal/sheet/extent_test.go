package sheet

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// sheetOf puts rows of XML into the sheet of a good workbook.
func sheetOf(t *testing.T, rows string) []byte {
	t.Helper()
	return part(t, smallBook(t), sheet1, func(old string) string {
		before, _, _ := strings.Cut(old, "<sheetData>")
		return before + "<sheetData>" + rows + "</sheetData></worksheet>"
	})
}

// Given files on which the library panics, or in which it takes what is said
// for the file's start, then they are refused as damaged all the same.
func TestWorkbooksThatBreakTheLibrary(t *testing.T) {
	for name, raw := range map[string][]byte{
		"a shared string before the first": sheetOf(t, `<row r="1"><c r="A1" t="s"><v>-1</v></c></row>`),
		"a row before the first":           sheetOf(t, `<row r="-3"><c r="A1"><v>1</v></c></row>`),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := planOfBook(t, raw)
			r := refusal(t, err)
			assert.Equal(t, CodeNotASheet, r.Code)
			assert.Contains(t, r.Message, "save it anew")
			assert.NotContains(t, r.Message, "\n")
		})
	}
}

func TestADamagedCellIsToldOnce(t *testing.T) {
	_, err := planOfBook(t, sheetOf(t, `<row r="2"><c r="ZZZZZZ2"><v>1</v></c></row>`))
	r := refusal(t, err)
	assert.Equal(t, CodeNotASheet, r.Code)
	assert.NotContains(t, r.Message, "\n")
}

// Given few bytes that would be hundreds of MiB or minutes in the library, then
// they are refused before it sees them.
func TestWorkbooksThatCostTooMuch(t *testing.T) {
	good := smallBook(t)
	utf16 := func(s string) string {
		var b strings.Builder
		b.WriteString(`<?xml version="1.0" encoding="utf-16le"?>`)
		for _, c := range []byte(s) {
			b.Write([]byte{c, 0})
		}
		return b.String()
	}
	shared := func(n int, formula string) []byte {
		var b strings.Builder
		fmt.Fprintf(&b, `<row r="1"><c r="A1"><f t="shared" ref="A1:A%d" si="0">%s</f><v>1</v></c></row>`, n, formula)
		for i := 2; i <= n; i++ {
			fmt.Fprintf(&b, `<row r="%d"><c r="A%d"><f t="shared" si="0"/><v>1</v></c></row>`, i, i)
		}
		return sheetOf(t, b.String())
	}
	for name, c := range map[string]struct {
		raw  []byte
		code string
		text string
	}{
		"styles": {part(t, good, "xl/styles.xml", func(old string) string {
			return strings.Replace(old, "<cellXfs", "<x>"+strings.Repeat("<xf/>", maxElements)+"</x><cellXfs", 1)
		}), CodeTooLarge, "elements"},
		"elements of a sheet": {part(t, good, sheet1, func(old string) string {
			return strings.Replace(old, "</worksheet>", strings.Repeat("<cfRule/>", maxElements)+"</worksheet>", 1)
		}), CodeTooLarge, "elements"},
		"cells in another encoding": {part(t, good, sheet1, func(string) string {
			return utf16(`<worksheet><sheetData>` + strings.Repeat(`<row><c r="XFD1"/></row>`, 100) + `</sheetData></worksheet>`)
		}), CodeTooLarge, "cells"},
		"shared formulas":   {shared(maxFormulas+1, "B1"), CodeTooLarge, "formulas"},
		"a long formula":    {shared(2, strings.Repeat("B1+", maxFormula/3+1)+"B1"), CodeTooLarge, "formula"},
		"a container in it": {append(bytes.Clone(good), container...), CodeNotASheet, "password"},
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := ReadXLSX(bytes.NewReader(c.raw))
			runtime.ReadMemStats(&after)
			r := refusal(t, err)
			assert.Equal(t, c.code, r.Code)
			assert.Contains(t, r.Message, c.text)
			assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(200<<20))
		})
	}
}

package sheet

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"
)

// part replaces a part of a workbook.
func part(t *testing.T, raw []byte, name string, content func(old string) string) []byte {
	t.Helper()
	from, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	require.NoError(t, err)
	var b bytes.Buffer
	to := zip.NewWriter(&b)
	found := false
	for _, f := range from.File {
		r, err := f.Open()
		require.NoError(t, err)
		old, err := io.ReadAll(r)
		require.NoError(t, err)
		w, err := to.Create(f.Name)
		require.NoError(t, err)
		if f.Name == name {
			found, old = true, []byte(content(string(old)))
		}
		_, err = w.Write(old)
		require.NoError(t, err)
	}
	require.True(t, found, name)
	require.NoError(t, to.Close())
	return b.Bytes()
}

func smallBook(t *testing.T) []byte {
	return book(t, func(f *excelize.File) {
		setRow(t, f, "A1", "milestone", "title_en", "due", "confirming")
		setRow(t, f, "A2", "m1", "One", "2026-01-01", "wuxi")
	})
}

const sheet1 = "xl/worksheets/sheet1.xml"

func TestFilesThatAreNoWorkbook(t *testing.T) {
	good := smallBook(t)
	data := func(rows string) func(string) string {
		return func(old string) string {
			before, _, _ := strings.Cut(old, "<sheetData>")
			return before + "<sheetData>" + rows + "</sheetData></worksheet>"
		}
	}
	for name, c := range map[string]struct {
		raw        []byte
		code, text string
	}{
		"nothing":     {nil, CodeNotASheet, "no Excel workbook"},
		"CSV":         {[]byte("milestone,title\n"), CodeNotASheet, "no Excel workbook"},
		"a password":  {[]byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + strings.Repeat("x", 4096)), CodeNotASheet, "password"},
		"half a file": {good[:len(good)/2], CodeNotASheet, "damaged"},
		"a zip": {func() []byte {
			var b bytes.Buffer
			w := zip.NewWriter(&b)
			_, _ = w.Create("x")
			_ = w.Close()
			return b.Bytes()
		}(), CodeNotASheet, "damaged"},
		"no XML": {part(t, good, sheet1, func(string) string { return "PK" }), CodeEmpty, "empty"},
		"a zip bomb": {part(t, good, "xl/styles.xml", func(old string) string { return old + strings.Repeat(" ", MaxUnzipped) }),
			CodeTooLarge, "unpacks to more than 16 MiB"},
		"a far row":    {part(t, good, sheet1, data(`<row r="1048576"><c r="A1048576" t="inlineStr"><is><t>x</t></is></c></row>`)), CodeTooLarge, "reaches to row 1048576"},
		"a far cell":   {part(t, good, sheet1, data(`<row r="1"><c r="A1048576" t="inlineStr"><is><t>x</t></is></c></row>`)), CodeTooLarge, "reaches to row 1048576"},
		"far columns":  {part(t, good, sheet1, data(strings.Repeat(`<row><c r="XFD1"/></row>`, 100))), CodeTooLarge, "more than 200000 cells"},
		"merged cells": {part(t, good, sheet1, func(old string) string { return old + strings.Repeat(`<mergeCell ref="A1:B2"/>`, maxMerged+1) }), CodeTooLarge, "merged"},
		"too many rows": {book(t, func(f *excelize.File) {
			for i := range MaxRows + 2 {
				setRow(t, f, fmt.Sprint("A", i+1), "x")
			}
		}), CodeTooLarge, "Sheet1: the sheet has more than 1000 rows"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := planOfBook(t, c.raw)
			r := refusal(t, err)
			assert.Equal(t, c.code, r.Code)
			assert.Contains(t, r.Message, c.text)
		})
	}
}

func TestABombTakesLittleMemory(t *testing.T) {
	// given some 100 KiB that would be 16 million cells
	raw := part(t, smallBook(t), sheet1, func(old string) string {
		before, _, _ := strings.Cut(old, "<sheetData>")
		var b strings.Builder
		for i := range 1000 {
			fmt.Fprintf(&b, `<row r="%d"><c r="XFD%d"><v>1</v></c></row>`, i+1, i+1)
		}
		return before + "<sheetData>" + b.String() + "</sheetData></worksheet>"
	})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := ReadXLSX(bytes.NewReader(raw))
	runtime.ReadMemStats(&after)
	assert.Equal(t, CodeTooLarge, refusal(t, err).Code)
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(32<<20))
}

func TestAReaderLeavesNoFiles(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	raw := part(t, smallBook(t), sheet1, func(old string) string { return old + strings.Repeat(" ", MaxUnzipped/2) })
	_, err := planOfBook(t, raw)
	require.NoError(t, err)
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, left)
}

func TestShowsDay(t *testing.T) {
	for format, want := range map[string]bool{
		"yyyy-mm-dd": true, `yyyy"年"m"月"d"日"`: true, "[$-409]d-mmm-yy;@": true, "General": false, "0.00E+00": false,
		`0.0" days"`: false, "[Red]0": false, `\d0`: false, "h:mm": false, `"unclosed d`: false, "": false,
	} {
		assert.Equal(t, want, showsDay(format), format)
	}
}

func TestAStyleThatIsNotThere(t *testing.T) {
	raw := part(t, smallBook(t), sheet1, func(old string) string { return strings.ReplaceAll(old, `<c r="C2"`, `<c r="C2" s="99"`) })
	plan, err := planOfBook(t, raw)
	require.NoError(t, err)
	assert.NoError(t, plan.Items()[0].Err, "text is text in any style")
}

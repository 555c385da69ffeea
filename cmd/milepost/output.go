package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/rivo/uniseg"
	"github.com/spf13/cobra"

	"github.com/milepost-ledger/milepost/cmd/internal/sheet"
)

// outputs are the forms of an answer; the last is for lists alone.
var outputs = []string{"table", "json", "csv", "xlsx"}

// addOut gives a verb that lists something the flag --out, once.
func addOut(cmd *cobra.Command) {
	if cmd.Flags().Lookup("out") != nil {
		return
	}
	addNewFile(cmd, new(string), "out", "write the list to this new `file`; - is standard output")
	cmd.Annotations = map[string]string{"list": "yes"}
}

// checkOutput refuses a form that the verb does not have, before it has done
// anything, and notes where a list goes.
func (a *app) checkOutput(cmd *cobra.Command) error {
	if !slices.Contains(outputs, a.output) {
		return usagef("--output %s: want table, json, csv or xlsx", a.output)
	}
	isList := cmd.Annotations["list"] != ""
	if isList {
		a.file = flagValue(cmd, "out")
	}
	switch {
	case a.output == "xlsx" && !isList:
		return usagef("-o xlsx is for lists; this is none")
	case a.output == "xlsx" && a.file == "":
		return usagef("-o xlsx writes a file: say which with --out plan.xlsx, or --out - for standard output")
	}
	return nil
}

// column of a table for people.
type column struct {
	header string
	text   func(s style, r record) string
}

// field is a column that shows one member of an item.
func field(name string) column {
	return column{strings.ToUpper(strings.ReplaceAll(name, "_", " ")), func(s style, r record) string { return s.get(r, name) }}
}

func fields(names ...string) []column {
	columns := make([]column, len(names))
	for i, name := range names {
		columns[i] = field(name)
	}
	return columns
}

// view says how the items of a list are shown: the columns of the table, and
// those that a CSV or XLSX file of no items has. One of some has a column for
// each of their members, as the server would write it.
type view struct {
	table []column
	csv   []string
}

// printList shows an answer whose items are in its member called items, or
// writes it to the file that --out names.
func (a *app) printList(answer []byte, items string, v view) error {
	if a.file == "" || a.file == "-" {
		return a.writeList(answer, items, v)
	}
	return writeWhole(a.file, func(w io.Writer) error {
		to := *a
		to.out = w
		return to.writeList(answer, items, v)
	})
}

func (a *app) writeList(answer []byte, items string, v view) error {
	if a.output == "json" {
		return a.printRaw(answer)
	}
	var whole record
	var records []record
	err := json.Unmarshal(answer, &whole)
	if err == nil {
		err = json.Unmarshal(whole.values[items], &records)
	}
	if err != nil {
		return fmt.Errorf("the answer is not a list: %w", err)
	}
	if a.output == "csv" || a.output == "xlsx" {
		return a.writeSheet(whole, items, v)
	}
	return writeTable(a.out, records, v.table, a.forPeople())
}

// writeSheet writes a list as the server would; what else the answer says is
// on a sheet of its own where there can be one.
func (a *app) writeSheet(whole record, items string, v view) error {
	var objects []json.RawMessage
	if err := json.Unmarshal(whole.values[items], &objects); err != nil {
		return err
	}
	first := v.csv
	if len(objects) > 0 {
		first = nil // they say it themselves, in the server's order
	}
	grid, err := sheet.FromJSON(first, objects)
	if err != nil {
		return err
	}
	if a.output == "csv" {
		return grid.WriteCSV(a.out)
	}
	whole.names = slices.DeleteFunc(whole.names, func(name string) bool { return name == items })
	rest, err := whole.MarshalJSON()
	if err != nil {
		return err
	}
	about, err := sheet.Facts(rest)
	if err != nil {
		return err
	}
	return grid.WriteXLSX(a.out, items, about...)
}

// printObject shows one object: in a table, each member on its line.
func (a *app) printObject(answer []byte) error {
	if a.output == "json" {
		return a.printRaw(answer)
	}
	var r record
	if err := json.Unmarshal(answer, &r); err != nil {
		return fmt.Errorf("the answer is not an object: %w", err)
	}
	if a.output == "csv" {
		grid, err := sheet.FromJSON(nil, []json.RawMessage{answer})
		if err != nil {
			return err
		}
		return grid.WriteCSV(a.out)
	}
	var rows [][]string
	s := a.forPeople()
	for _, name := range r.names {
		if v := s.get(r, name); v != "" {
			rows = append(rows, []string{strings.ReplaceAll(name, "_", " "), clean(v)})
		}
	}
	return writeRows(a.out, rows, nil)
}

func (a *app) forPeople() style { return style{languages: a.languages(), zone: time.Local} }

// printRaw passes the server's answer on, as one line.
func (a *app) printRaw(answer []byte) error {
	if n := len(answer); n == 0 || answer[n-1] != '\n' {
		answer = append(answer, '\n')
	}
	_, err := a.out.Write(answer)
	return err
}

// printJSON writes v as the program's own answer.
func (a *app) printJSON(v any) error {
	enc := json.NewEncoder(a.out)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

func isNumber(value json.RawMessage) bool {
	return len(value) > 0 && (value[0] == '-' || value[0] >= '0' && value[0] <= '9')
}

func writeTable(w io.Writer, records []record, columns []column, s style) error {
	rows := [][]string{make([]string, len(columns))}
	right := make([]bool, len(columns))
	for i, c := range columns {
		rows[0][i] = c.header
		right[i] = len(records) > 0
	}
	for _, r := range records {
		row := make([]string, len(columns))
		for i, c := range columns {
			row[i] = clean(c.text(s, r))
			right[i] = right[i] && (row[i] == "" || isNumber(json.RawMessage(row[i])) && strings.Trim(row[i], "-.0123456789") == "" && len(row[i]) < 10)
		}
		rows = append(rows, row)
	}
	return writeRows(w, rows, right)
}

// writeRows aligns cells by how wide a terminal shows them: a Chinese character
// takes two columns.
func writeRows(w io.Writer, rows [][]string, right []bool) error {
	var widths []int
	for _, row := range rows {
		widths = append(widths, make([]int, max(0, len(row)-len(widths)))...)
		for i, cell := range row {
			widths[i] = max(widths[i], uniseg.StringWidth(cell))
		}
	}
	var b strings.Builder
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			if i > 0 {
				line.WriteString("  ")
			}
			pad := strings.Repeat(" ", widths[i]-uniseg.StringWidth(cell))
			if right != nil && right[i] {
				line.WriteString(pad + cell)
			} else {
				line.WriteString(cell + pad)
			}
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// clean makes one harmless line of a cell: a control character in a title could
// otherwise move the cursor of whoever reads the table.
func clean(cell string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return ' '
		}
		return r
	}, cell)
}

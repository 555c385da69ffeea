package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
)

// Forms of a file to import, and how each is named to the server.
var importTypes = map[string]string{
	"jsonl": "application/x-ndjson",
	"ocds":  "application/json",
}

// importUnits name what a file of each form is read by.
var importUnits = map[string]string{"jsonl": "line", "ocds": "release"}

func newImport(a *app) *cobra.Command {
	var format, template string
	var plan planFlags
	cmd := &cobra.Command{
		Use: "import FILE", Short: "Import a file of commands (JSON Lines), an OCDS package, or a milestone plan (XLSX, CSV)",
		Long: "Import a file of commands, one JSON object a line ({\"command\": \"register-party\", ...}), or an OCDS release\n" +
			"or record package; - reads standard input. The first refused line stops it: what came before stays, and the\n" +
			"same file can be imported again after any interruption: nothing is added twice.\n\n" +
			"An Excel workbook or a CSV file is a milestone plan, one milestone a row; --template writes an empty one. It is\n" +
			"imported whole or not at all: every cell that is wrong is named, and nothing is written until all are right.",
		Example: "  milepost import --template plan.xlsx --agreement wuxi-cethik --project iot-base\n" +
			"  milepost import plan.xlsx --agreement wuxi-cethik --project iot-base",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			sheet := format == "plan" || format == "auto" && len(args) > 0 && isSheet(args[0])
			switch {
			case template != "" && len(args) > 0:
				return usagef("--template writes an empty plan, and imports nothing: leave %s out", args[0])
			case template != "":
				return a.writeTemplate(cmd, template, plan)
			case len(args) == 0:
				return usagef("say which file, or - for standard input")
			case sheet:
				return a.importPlan(cmd, args[0], plan)
			case plan != planFlags{}:
				return usagef("--agreement and --project are for a plan: say --format plan, or leave them out")
			}
			return a.importFile(cmd, args[0], format)
		},
	}
	cmd.Flags().StringVar(&format, "format", "auto", "form of the file: auto, jsonl, ocds or plan")
	complete(cmd, "format", "auto", "jsonl", "ocds", "plan")
	plan.add(a, cmd)
	addNewFile(cmd, &template, "template", "write an empty plan to this new `file`, .xlsx or .csv, and import nothing")
	return cmd
}

func (a *app) importFile(cmd *cobra.Command, name, format string) error {
	if _, known := importTypes[format]; !known && format != "auto" {
		return usagef("--format %s: want auto, jsonl, ocds or plan", format)
	}
	file, size := io.NopCloser(a.in), int64(-1)
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
			size = info.Size()
		}
		file = f
	}
	defer func() { _ = file.Close() }() // only read
	c, err := a.client()
	if err != nil {
		return err
	}
	progress := a.bar("import", size, true)
	in := &source{r: bufio.NewReaderSize(progress.reader(file), 64<<10)}
	if format == "auto" {
		format = detectFormat(name, in.r)
	}
	answer, err := c.post(cmd.Context(), path("v1", "import"), importTypes[format], in)
	progress.finish()
	if err != nil && cmd.Context().Err() != nil {
		return errImportEnded
	}
	if in.err != nil {
		return fmt.Errorf("read %s: %w; import the same file again: what is in the ledger is skipped", name, in.err)
	}
	var refused *refusal
	if errors.As(err, &refused) && refused.Line > 0 {
		return a.refusedLine(name, importUnits[format], refused)
	}
	if refused != nil && refused.Status < 500 && refused.Summary == nil { // the file as a whole, before any command of it
		return fmt.Errorf("%s: %w; nothing was imported", name, refused)
	}
	if err != nil {
		return fmt.Errorf("%w; the same file can be imported again: what is in the ledger is skipped", err)
	}
	var sum ledger.Summary
	if err := json.Unmarshal(answer, &sum); err != nil {
		return fmt.Errorf("the summary cannot be read: %w", err)
	}
	c.shown(cmd.Context(), sum.LastSeq)
	if a.output != "table" {
		return a.printObject(answer)
	}
	_, err = fmt.Fprintln(a.out, summarySentence(sum, importUnits[format]))
	return err
}

// errImportEnded ends an import that was told to end before the server had answered.
var errImportEnded = errors.New("interrupted: what was sent may be in the ledger; import the same file again, which adds only what is missing")

// refusedLine says what stopped an import, and what stays.
func (a *app) refusedLine(name, unit string, r *refusal) error {
	_, _ = fmt.Fprintf(a.err, "milepost: %s: %s %d: %v\n", name, unit, r.Line, r)
	_, _ = fmt.Fprintf(a.err, "milepost: everything before what was refused is in the ledger; put the %s right and import the same file again\n", unit)
	if r.Summary == nil {
		return errReported
	}
	if a.output == "table" {
		_, _ = fmt.Fprintln(a.err, "milepost: "+summarySentence(*r.Summary, unit))
	} else if err := a.printJSON(r.Summary); err != nil {
		return err
	}
	return errReported
}

func summarySentence(s ledger.Summary, unit string) string {
	done := "nothing added"
	if s.Events > 0 {
		done = fmt.Sprintf("%s added %s (sequences %d to %d)", counted(s.Commands, "command"), counted(s.Events, "event"), s.FirstSeq, s.LastSeq)
	}
	if s.Skipped > 0 {
		done += fmt.Sprintf(", %s in the ledger already", counted(s.Skipped, "command"))
	}
	return counted(s.Lines, unit) + " read: " + done
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// source is what is sent; it remembers an error of reading, which the HTTP
// client would call one of the connection.
type source struct {
	r   *bufio.Reader
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

// detectFormat goes by the name, else by the first line: a whole object that
// names a command is JSON Lines.
func detectFormat(name string, r *bufio.Reader) string {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".jsonl", ".ndjson":
		return "jsonl"
	}
	head, _ := r.Peek(r.Size()) // an error comes again when it is read
	line, _, _ := bytes.Cut(bytes.TrimSpace(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf"))), []byte("\n"))
	var command struct {
		Command string `json:"command"`
	}
	if json.Unmarshal(line, &command) == nil && command.Command != "" {
		return "jsonl"
	}
	return "ocds"
}

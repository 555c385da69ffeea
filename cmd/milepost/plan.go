package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
	"github.com/milepost-ledger/milepost/cmd/internal/sheet"
)

// planFlags say where a milestone plan belongs.
type planFlags struct{ agreement, project string }

func (p *planFlags) add(a *app, cmd *cobra.Command) {
	cmd.Flags().StringVar(&p.agreement, "agreement", "", "the agreement of a plan")
	cmd.Flags().StringVar(&p.project, "project", "", "the project of the rows of a plan that name none")
	a.completeKeys(cmd, "agreement", "agreement")
	a.completeKeys(cmd, "project", "project")
}

func (p planFlags) query(format string) string {
	values := url.Values{"format": {format}}
	for name, value := range map[string]string{"agreement": p.agreement, "project": p.project} {
		if value != "" {
			values.Set(name, value)
		}
	}
	return "?" + values.Encode()
}

// isSheet reports whether a file is one, by its name.
func isSheet(name string) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".csv", ".xlsx", ".xls":
		return true
	}
	return false
}

// importPlan sends a milestone plan, which is imported whole or not at all.
func (a *app) importPlan(cmd *cobra.Command, name string, p planFlags) error {
	if p.agreement == "" {
		return usagef("say of which agreement the plan is with --agreement, and of which project with --project or in a column")
	}
	raw, err := a.readSheet(name)
	if err != nil {
		return err
	}
	media := sheet.MediaCSV
	if strings.EqualFold(filepath.Ext(name), ".xlsx") || bytes.HasPrefix(raw, []byte("PK")) || bytes.HasPrefix(raw, []byte("\xd0\xcf\x11\xe0")) {
		media = sheet.MediaXLSX
	}
	c, err := a.client()
	if err != nil {
		return err
	}
	answer, err := c.post(cmd.Context(), path("v1", "import")+p.query("plan"), media, bytes.NewReader(raw))
	if err != nil && cmd.Context().Err() != nil {
		return errImportEnded
	}
	var refused *refusal
	if errors.As(err, &refused) {
		return a.refusedPlan(name, refused)
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
	_, err = fmt.Fprintln(a.out, summarySentence(sum, "row"))
	return err
}

// readSheet reads the file, unless it is longer than a server takes, which may
// hang up before it is asked why.
func (a *app) readSheet(name string) ([]byte, error) {
	from := io.NopCloser(a.in)
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		from = f
	}
	defer func() { _ = from.Close() }() // only read
	raw, err := io.ReadAll(io.LimitReader(from, sheet.MaxFile+1))
	if err == nil && len(raw) > sheet.MaxFile {
		err = fmt.Errorf("%s is longer than %d MiB, the most that a plan may have (code %s)", name, sheet.MaxFile>>20, sheet.CodeTooLarge)
	}
	return raw, err
}

// refusedPlan says of each cell what is wrong with it.
func (a *app) refusedPlan(name string, r *refusal) error {
	if len(r.Errors) == 0 {
		return fmt.Errorf("%s: %w; nothing was imported", name, r)
	}
	for _, e := range r.Errors {
		cell := sheet.CellError{Sheet: e.Sheet, Cell: e.Cell, Text: e.Detail}
		code := "code " + e.Code
		if e.Field != "" {
			code += ", field " + e.Field
		}
		_, _ = fmt.Fprintln(a.err, clean(fmt.Sprintf("milepost: %s: %v (%s)", name, &cell, code)))
	}
	_, _ = fmt.Fprintln(a.err, "milepost: nothing was imported; put the sheet right and import it again")
	return errReported
}

// writeTemplate gets an empty plan from the server.
func (a *app) writeTemplate(cmd *cobra.Command, name string, p planFlags) error {
	format := strings.TrimPrefix(strings.ToLower(filepath.Ext(name)), ".")
	if format != "csv" && format != "xlsx" {
		return usagef("--template %s: want a name that ends in .xlsx or .csv", name)
	}
	c, err := a.client()
	if err != nil {
		return err
	}
	template, err := c.do(cmd.Context(), "GET", path("v1", "plan-template")+p.query(format), "", nil)
	if err != nil {
		return err
	}
	return writeWhole(name, func(w io.Writer) error {
		_, err := w.Write(template)
		return err
	})
}

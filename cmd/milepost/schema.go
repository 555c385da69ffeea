package main

import (
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/milepost-ledger/milepost/cmd/internal/schema"
	"github.com/milepost-ledger/milepost/eventstore/durable"
)

// asyncAPIFile is what the AsyncAPI document is called among schemas.
const asyncAPIFile = "asyncapi"

// newSchema needs no server: the forms of events are those of the program.
func newSchema(a *app) *cobra.Command {
	var all, async bool
	var out, ledgerName string
	cmd := &cobra.Command{
		Use: "schema [TYPE]", Short: "Show the forms of events: JSON Schema and AsyncAPI",
		Long: "List the event types; or show the JSON Schema (2020-12) of one, of the whole CloudEvent, or of the envelope that\n" +
			"they share. A schema that is published never changes so that an event that held to it no longer does: it may get\n" +
			"optional members and more listed values, and a type of the next version stands beside it for anything else.\n\n" +
			"With --asyncapi, show the AsyncAPI 3.0 document: how programs read events by NATS, server-sent events and webhooks.\n" +
			"It needs no server.",
		Example: "  milepost schema\n" +
			"  milepost schema milepost.project.milestone-reforecast.v1\n" +
			"  milepost schema --all --out schemas\n" +
			"  milepost schema --asyncapi --out asyncapi.json",
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeSchemas,
	}
	cmd.Flags().BoolVar(&all, "all", false, "every schema and the AsyncAPI document, each as a file in the directory --out")
	cmd.Flags().BoolVar(&async, "asyncapi", false, "the AsyncAPI document")
	cmd.Flags().StringVar(&out, "out", "", "write to this new `file` instead of standard output; with --all, the directory")
	cmd.Flags().StringVar(&ledgerName, "ledger", "main", "`name` of the ledger, for the AsyncAPI document")
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		document := schema.AsyncAPI(schema.Source{Ledger: ledgerName, Version: version()})
		isOne := all || async || len(args) > 0
		switch {
		case all && (async || len(args) > 0), async && len(args) > 0:
			return usagef("a TYPE, --asyncapi and --all are each for themselves: give one")
		case isOne && a.output == "csv":
			return usagef("-o csv: a schema is JSON")
		case all && out == "":
			return usagef("--all makes many files: say in which directory with --out")
		case !isOne && out != "":
			return usagef("--out is for a TYPE, --asyncapi or --all")
		case all:
			return a.writeSchemas(out, document)
		case async:
			return a.writeSchema(out, document)
		case len(args) > 0:
			s, err := schema.Named(args[0])
			if err != nil {
				return &usageError{err}
			}
			return a.writeSchema(out, s)
		}
		return a.listSchemas()
	}
	return cmd
}

func (a *app) listSchemas() error {
	list, err := json.Marshal(map[string]any{"items": schema.Index()})
	if err != nil {
		return err
	}
	return a.printList(list, "items", view{table: fields("type", "doc")})
}

// writeSchema writes one document, to standard output where file is "".
func (a *app) writeSchema(file string, doc any) error {
	raw, err := schema.Encode(doc)
	if err != nil {
		return err
	}
	write := func(w io.Writer) error {
		_, err := w.Write(raw)
		return err
	}
	if file == "" {
		return write(a.out)
	}
	return writeWhole(file, write)
}

// writeSchemas writes every document into a directory of schemas, which is made or
// brought up to date.
func (a *app) writeSchemas(dir string, document any) error {
	documents := map[string]any{asyncAPIFile: document}
	names := schemaNames()
	for _, name := range names {
		s, err := schema.Named(name)
		if err != nil {
			return err
		}
		documents[name] = s
	}
	for name, doc := range documents {
		raw, err := schema.Encode(doc)
		if err != nil {
			return err
		}
		file := filepath.Join(dir, name+".json")
		if err := notWritten(file, durable.WriteFile(file, raw, 0o644)); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(a.out, "%s: %d schemas and %s.json\n", dir, len(names), asyncAPIFile)
	return err
}

// schemaNames are the event types, and the envelope.
func schemaNames() []string {
	names := []string{schema.EnvelopeName}
	for _, t := range schema.Index() {
		names = append(names, t.Type)
	}
	return names
}

func completeSchemas(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return schemaNames(), cobra.ShellCompDirectiveNoFileComp
}

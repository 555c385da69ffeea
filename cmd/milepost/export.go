package main

import (
	"io"

	"github.com/spf13/cobra"
)

func newExport(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use: "export", Short: "Write an agreement in a standard that others read",
		Long: "Write an agreement as a record package of the Open Contracting Data Standard 1.1: a release for each day on\n" +
			"which it changed, the compiled release, and the versioned release with the history of each field.",
		Example: "  milepost export --format ocds --agreement wuxi-cethik-2017 --out wuxi-cethik.json\n" +
			"  milepost export --format ocds --agreement wuxi-cethik-2017 --as-of 2025-12-31",
		Args: cobra.NoArgs,
	}
	q := newQuery(cmd, false)
	q.addAsOf()
	q.add("publisher", "name of who publishes the package (default the ledger's)")
	q.add("ocid_prefix", "the publisher's registered prefix of OCIDs, such as ocds-213czf")
	var format, agreement, file string
	cmd.Flags().StringVar(&format, "format", "ocds", "the standard: ocds")
	cmd.Flags().StringVar(&agreement, "agreement", "", "key of the agreement")
	cmd.Flags().StringVar(&file, "out", "", "write to this `file` instead of standard output")
	complete(cmd, "format", "ocds")
	a.completeKeys(cmd, "agreement", "agreement")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if format != "ocds" {
			return usagef("--format %s: want ocds", format)
		}
		if agreement == "" {
			return usagef("say which with --agreement")
		}
		if a.output == "csv" {
			return usagef("-o csv: an export has the form of its --format")
		}
		values := q.values()
		if a.lang != "" {
			values.Set("lang", a.lang)
		}
		c, err := a.client()
		if err != nil {
			return err
		}
		answer, err := c.get(cmd.Context(), path("v1", "agreements", agreement, "ocds"), values)
		if err != nil {
			return err
		}
		if file == "" {
			return a.printRaw(answer)
		}
		return writeWhole(file, func(w io.Writer) error {
			_, err := w.Write(answer)
			return err
		})
	}
	return cmd
}

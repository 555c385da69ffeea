package main

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/spf13/cobra"

	"github.com/milepost-ledger/milepost/domain"
)

func newEvidence(a *app) *cobra.Command {
	evidence := group("evidence", "Read stored evidence")
	var file string
	get := &cobra.Command{
		Use: "get SHA256", Short: "Write the stored file of a SHA-256, checked against it",
		Long: "Write the stored file of a SHA-256 to standard output, or with --out to a file, which appears only when all\n" +
			"of it is there and has that hash. On standard output, a wrong or short file shows in the exit code 1.",
		Example: "  milepost evidence get 4f6a... --out minutes.pdf",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			want := domain.Hash(args[0])
			if !want.Valid() {
				return usagef("%s: want a SHA-256 as 64 lower-case hexadecimal digits", args[0])
			}
			return a.getEvidence(cmd.Context(), want, file)
		},
	}
	addNewFile(get, &file, "out", "write to this new `file` instead of standard output")
	evidence.AddCommand(get)
	return evidence
}

func (a *app) getEvidence(ctx context.Context, want domain.Hash, file string) error {
	c, err := a.client()
	if err != nil {
		return err
	}
	resp, err := c.send(ctx, http.MethodGet, path("v1", "evidence", string(want)), "", nil)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	progress := a.bar("evidence", resp.ContentLength, true)
	defer progress.finish()
	got := hashed(progress.reader(resp.Body))
	fetch := func(w io.Writer) error {
		_, err := io.Copy(w, got)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case got.err != nil:
			return c.short(got.err)
		case err != nil:
			return err
		case got.sum() != want:
			return fmt.Errorf("what %s sent has SHA-256 %s, not %s: do not use it", c.base, got.sum(), want)
		}
		return nil
	}
	if file == "" {
		return fetch(a.out)
	}
	return writeWhole(file, fetch)
}

package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"
)

const (
	formatOCDS   = "ocds"
	formatBundle = "bundle"
)

func newExport(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use: "export", Short: "Write an agreement in a standard that others read, or all that proves it",
		Long: "Write an agreement as a record package of the Open Contracting Data Standard 1.1: a release for each day on\n" +
			"which it changed, the compiled release, and the versioned release with the history of each field.\n\n" +
			"Or write a bundle of an agreement, or without --agreement of the whole ledger: the events as they are stored, the\n" +
			"signed checkpoints with the parties' countersignatures, and the keys. It is as of now, and milepost verify checks\n" +
			"it with no server.",
		Example: "  milepost export --format ocds --agreement wuxi-cethik-2017 --out wuxi-cethik.json\n" +
			"  milepost export --format ocds --agreement wuxi-cethik-2017 --as-of 2025-12-31\n" +
			"  milepost export --format bundle --agreement wuxi-cethik-2017 --evidence --out wuxi-cethik.bundle",
		Args: cobra.NoArgs,
	}
	q := newQuery(cmd, false)
	q.addAsOf()
	q.add("publisher", "name of who publishes the package (default the ledger's)")
	q.add("ocid_prefix", "the publisher's registered prefix of OCIDs, such as ocds-213czf")
	var format, agreement, file string
	var evidence bool
	cmd.Flags().StringVar(&format, "format", formatOCDS, "the standard, or what else: ocds or bundle")
	cmd.Flags().StringVar(&agreement, "agreement", "", "key of the agreement")
	cmd.Flags().BoolVar(&evidence, "evidence", false, "with the files that events name (bundle)")
	addNewFile(cmd, &file, "out", "write to this new `file` instead of standard output")
	complete(cmd, "format", formatOCDS, formatBundle)
	a.completeKeys(cmd, "agreement", "agreement")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		values := q.values()
		switch {
		case format != formatOCDS && format != formatBundle:
			return usagef("--format %s: want ocds or bundle", format)
		case a.output == "csv":
			return usagef("-o csv: an export has the form of its --format")
		case format == formatBundle && (len(values) > 0 || a.lang != ""):
			return usagef("a bundle is as of now and in no language: it takes --agreement, --evidence and --out")
		case format == formatBundle:
			return a.exportBundle(cmd.Context(), agreement, evidence, file)
		case evidence:
			return usagef("--evidence is for --format bundle: a package names the files")
		case agreement == "":
			return usagef("say which with --agreement")
		}
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

// exportBundle passes a bundle on as it comes: it may be long.
func (a *app) exportBundle(ctx context.Context, agreement string, evidence bool, file string) error {
	c, err := a.client()
	if err != nil {
		return err
	}
	address := path("v1", "bundle")
	if agreement != "" {
		address = path("v1", "agreements", agreement, "bundle")
	}
	if evidence {
		address += "?" + url.Values{"evidence": {"true"}}.Encode()
	}
	resp, err := c.send(ctx, http.MethodGet, address, "", nil)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	progress := a.bar("bundle", resp.ContentLength, true)
	defer progress.finish()
	body := &failing{r: progress.reader(resp.Body)}
	fetch := func(w io.Writer) error {
		_, err := io.Copy(w, body)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case body.err != nil:
			return c.short(body.err)
		}
		return err
	}
	if file == "" {
		return fetch(a.out)
	}
	if err := writeWhole(file, fetch); err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.out, "%s: as of sequence %s\n", file, resp.Header.Get("Milepost-Seq"))
	return err
}

// failing remembers why reading failed, which is the answer's fault and not that
// of the file it goes to.
type failing struct {
	r   io.Reader
	err error
}

func (f *failing) Read(b []byte) (int, error) {
	n, err := f.r.Read(b)
	if err != nil && err != io.EOF {
		f.err = err
	}
	return n, err
}

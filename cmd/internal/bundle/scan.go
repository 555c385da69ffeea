package bundle

import (
	"archive/tar"
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/milepost-ledger/milepost/eventstore/proof"
)

// Scan reads what a bundle says and proves nothing of it: its manifest and keys,
// and each event with the sequence that it claims. Those that have a proof file of
// their own come after the others. It is for callers who know by themselves what
// an event must hash to; all others Verify. The error is a *Failure where the
// bundle does not read.
func Scan(ctx context.Context, r io.Reader, event func(seq uint64, data []byte) error) (m Manifest, k Keys, err error) {
	in := &source{r: r}
	tr := tar.NewReader(bufio.NewReaderSize(in, 256<<10))
	for name := ""; ; {
		h, err := tr.Next()
		if err == nil {
			if name == "" && h.Name != nameManifest {
				return m, k, failure(CodeNotABundle, "this is no bundle: it begins with %q, not with %s", h.Name, nameManifest)
			}
			name = h.Name
			if entryOf(name) == entryEnd {
				return m, k, nil
			}
			err = scanEntry(ctx, h, tr, &m, &k, event)
		}
		switch {
		case err == nil:
		case in.err != nil:
			return m, k, fmt.Errorf("read the bundle: %w", in.err)
		case name == "" && !errors.Is(err, io.ErrUnexpectedEOF):
			return m, k, failure(CodeNotABundle, "this is no bundle: it does not begin with the entry %s", nameManifest)
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return m, k, failure(CodeCutShort, "the bundle is cut short after %s; get it again", name)
		default:
			return m, k, err
		}
	}
}

func scanEntry(ctx context.Context, h *tar.Header, body io.Reader, m *Manifest, k *Keys, event func(uint64, []byte) error) error {
	kind := entryOf(h.Name)
	if kind == entryEvents {
		for lines, err := range readLines(ctx, body) {
			if err != nil {
				return err
			}
			for _, l := range lines {
				if err := event(l.seq, l.data); err != nil {
					return err
				}
			}
		}
		return ctx.Err()
	}
	if kind != entryManifest && kind != entryKeys && kind != entryProof {
		return ctx.Err()
	}
	if h.Size > maxObject {
		return failure(CodeMalformed, "%s is too large", h.Name)
	}
	b, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	switch kind {
	case entryManifest:
		*m, err = readObject[Manifest](b)
		if err == nil && m.Format != Format {
			return failure(CodeNotABundle, "this is a bundle of the format %q, and %s is understood", m.Format, Format)
		}
	case entryKeys:
		*k, err = readObject[Keys](b)
	default:
		var f proof.File
		var seq uint64
		digits := strings.TrimSuffix(strings.TrimPrefix(h.Name, dirProofs), suffixProof)
		if f, err = proof.Parse(b); err == nil {
			seq, err = strconv.ParseUint(digits, 10, 63)
		}
		if err == nil {
			return event(seq, f.Event)
		}
	}
	if err != nil {
		return failure(CodeMalformed, "%s does not read: %v", h.Name, err)
	}
	return nil
}

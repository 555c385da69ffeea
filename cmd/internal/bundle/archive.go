package bundle

import (
	"archive/tar"
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/milepost-ledger/milepost/eventstore"
)

// read goes through the entries. A *Failure ends it; what is wrong but does not
// keep the rest from being read goes to the checks.
func (v *verifier) read(ctx context.Context, in *source) error {
	archive := bufio.NewReaderSize(in, 256<<10)
	const begin = nameManifest + "\x00" // the first field of the first header
	head, err := archive.Peek(len(begin))
	if in.err == nil && (len(head) == 0 || !strings.HasPrefix(begin, string(head))) {
		return failure(CodeNotABundle, "this is no bundle: it does not begin with the entry %s", nameManifest)
	}
	if err != nil {
		return v.broken(err, in)
	}
	tr := tar.NewReader(archive)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		h, err := tr.Next()
		if err != nil {
			return v.broken(err, in)
		}
		kind, err := v.begin(h)
		if err != nil {
			return err
		}
		if kind == entryEnd {
			if err := v.end(h, tr); err != nil {
				return v.broken(err, in)
			}
			if _, err := tr.Next(); err == nil {
				return failure(CodeMalformed, "something follows %s", nameEnd)
			} else if err != io.EOF {
				return v.broken(err, in)
			}
			return nil
		}
		_, _ = fmt.Fprintf(v.sum, "%s %d\n", h.Name, h.Size) // a hash takes every write
		body := io.TeeReader(tr, v.sum)
		if err := v.entry(ctx, kind, h, body); err != nil {
			return v.broken(err, in)
		}
		if n, err := io.Copy(io.Discard, body); err != nil || n > 0 {
			if err == nil {
				err = failure(CodeMalformed, "%s goes on after its end", h.Name)
			}
			return v.broken(err, in)
		}
		v.entries++
	}
}

// broken says why the archive does not go on.
func (v *verifier) broken(err error, in *source) error {
	f := (*Failure)(nil)
	switch {
	case errors.As(err, &f), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case in.err != nil:
		return fmt.Errorf("read the bundle: %w", in.err)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		where := "in its first entry"
		if v.name != "" {
			where = "in or after " + v.name
		}
		return failure(CodeCutShort, "the bundle is cut short: it ends %s, before %s; get it again", where, nameEnd)
	default:
		return failure(CodeMalformed, "the archive does not read after %s: %v", v.name, err)
	}
}

// begin checks that an entry may come where it does.
func (v *verifier) begin(h *tar.Header) (int, error) {
	kind := entryOf(h.Name)
	single := kind != entryCheckpoint && kind != entryProof && kind != entryEvidence
	switch {
	case kind == entryUnknown || h.Typeflag != tar.TypeReg:
		return kind, failure(CodeMalformed, "the entry %q does not belong in a bundle", h.Name)
	case sparse(h): // a few bytes would stand for any number
		return kind, failure(CodeMalformed, "the entry %s is a sparse file, and a bundle has none", h.Name)
	case kind == entryEvidence && h.Size > eventstore.MaxEvidence:
		return kind, failure(CodeMalformed, "%s has %d bytes, and no evidence has more than %d", h.Name, h.Size, eventstore.MaxEvidence)
	case v.name != "" && (kind < v.kind || single && kind == v.kind):
		return kind, failure(CodeMalformed, "the entry %s comes after %s, which is not its place", h.Name, v.name)
	case h.Name <= v.last[kind] && kind != entryCheckpoint:
		return kind, failure(CodeMalformed, "the entry %s comes after %s, which is not its place", h.Name, v.last[kind])
	}
	for _, needed := range []struct {
		kind int
		name string
	}{{entryManifest, nameManifest}, {entryKeys, nameKeys}, {entryEvents, nameEvents}} {
		if kind > needed.kind && v.count[needed.kind] == 0 {
			return kind, failure(CodeMalformed, "%s is missing before %s", needed.name, h.Name)
		}
	}
	v.kind, v.name, v.last[kind] = kind, h.Name, h.Name
	v.count[kind]++
	return kind, nil
}

// sparse says whether an entry leaves out its zeros, in the way that has a regular
// file's type.
func sparse(h *tar.Header) bool {
	for name := range h.PAXRecords {
		if strings.HasPrefix(name, "GNU.sparse.") {
			return true
		}
	}
	return false
}

func (v *verifier) entry(ctx context.Context, kind int, h *tar.Header, body io.Reader) error {
	switch kind {
	case entryEvents:
		return v.events(ctx, body)
	case entryEvidence:
		return v.file(ctx, h, body)
	}
	most := int64(map[int]int{entryManifest: maxObject, entryKeys: maxObject, entryCheckpoint: maxNote, entryProof: maxProof}[kind])
	if h.Size > most {
		return failure(CodeMalformed, "%s has %d bytes, and no such entry has more than %d", h.Name, h.Size, most)
	}
	b := make([]byte, h.Size)
	if _, err := io.ReadFull(body, b); err != nil {
		return err
	}
	switch kind {
	case entryManifest:
		return v.readManifest(b)
	case entryKeys:
		return v.readKeys(b)
	case entryCheckpoint:
		return v.checkpoint(h.Name, b)
	default:
		return v.proof(h.Name, b)
	}
}

func (v *verifier) end(h *tar.Header, r io.Reader) error {
	if h.Size > maxObject {
		return failure(CodeMalformed, "%s is too long", nameEnd)
	}
	b := make([]byte, h.Size)
	if _, err := io.ReadFull(r, b); err != nil {
		return err
	}
	e, err := readObject[End](b)
	if err != nil {
		return failure(CodeMalformed, "%s: %v", nameEnd, err)
	}
	if sum := hex.EncodeToString(v.sum.Sum(nil)); e.Entries != v.entries || e.SHA256 != sum {
		v.checks.fail(CheckFile, failure(CodeDamaged, "the bundle was changed after it was written: it has %d entries with SHA-256 %s, and was written with %d and %s", v.entries, sum, e.Entries, e.SHA256))
	}
	return nil
}

// source tells the end of the file from what fails in reading it.
type source struct {
	r   io.Reader
	err error
}

func (s *source) Read(b []byte) (int, error) {
	n, err := s.r.Read(b)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		s.err = err
	}
	return n, err
}

type cancelled struct {
	ctx context.Context
	r   io.Reader
}

func (c *cancelled) Read(b []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(b)
}

package backup

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"github.com/milepost-ledger/milepost/cmd/internal/signing"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/eventstore"
	"github.com/milepost-ledger/milepost/eventstore/proof"
)

// Options are what a reader knows by itself.
type Options struct {
	Ledger    string             // the ledger that is meant; "" for whichever it is
	LedgerKey domain.VerifierKey // the ledger's first key, or a later one; "" takes the file's word
}

// Summary says what a backup has.
type Summary struct {
	Head        Head
	Manifest    Manifest
	Keys        []string // of the ledger, from the first to the present one
	Checkpoints int
	Agreements  int
	Lost        []Lost // files that are not in it
}

// Verify reads a backup and checks all that it says. The error is a *Failure where
// something of it does not hold.
func Verify(ctx context.Context, r io.Reader, o Options) (Summary, error) {
	return read(ctx, r, o, nil)
}

// sink takes what is read, as it comes: before it is known whether all holds.
type sink interface {
	begin(context.Context, Head) error
	records(context.Context, []eventstore.Record) error
	evidence(ctx context.Context, hash string, body io.Reader) error
	checkpoints([]proof.Signed) error // verified, when all else has come and holds
}

// reader is a backup that is being read.
type reader struct {
	Options
	tape tapeReader
	into sink // nil for none
	out  Summary

	kind      int
	next      uint64 // sequence
	trees     trees
	named     named
	files     map[string]bool // by hash
	rotations []signing.Rotation
	notes     []kept
	sum       string // of manifest.json
	parts     []Part // before it
	complete  bool
}

// kept is a checkpoint whose keys are not known yet.
type kept struct {
	name string
	note []byte
}

func read(ctx context.Context, in io.Reader, o Options, into sink) (Summary, error) {
	r := &reader{Options: o, tape: tapeReader{r: in}, into: into, kind: -1, next: 1, trees: trees{}, named: named{}, files: map[string]bool{}}
	last := ""
	for {
		if err := ctx.Err(); err != nil {
			return r.out, err
		}
		name, _, err := r.tape.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return r.out, err
		}
		kind := kindOf(name)
		single := kind == kindHead || kind == kindManifest || kind == kindSum
		switch {
		case r.kind < 0 && kind != kindHead:
			return r.out, notABackup()
		case kind == kindUnknown, kind < r.kind, kind == r.kind && (single || name <= last), kind == kindSum && r.kind != kindManifest:
			return r.out, failure(CodeMalformed, "the entry %s is not in its place, after %s", name, last)
		}
		r.kind, last = kind, name
		if err := r.entry(ctx, kind, name); err != nil {
			return r.out, err
		}
	}
	if !r.complete {
		return r.out, failure(CodeMalformed, "%s is missing", nameSum)
	}
	if err := r.conclude(); err != nil {
		return r.out, err
	}
	return r.out, nil
}

func (r *reader) entry(ctx context.Context, kind int, name string) error {
	if kind == kindEvidence {
		return r.evidence(ctx, strings.TrimPrefix(name, dirEvidence))
	}
	if kind == kindManifest {
		r.parts = r.tape.parts
	}
	b, err := r.tape.all([]int64{maxObject, maxPart, maxNote, 0, maxManifest, maxObject}[kind])
	if err != nil {
		return err
	}
	switch kind {
	case kindHead:
		return r.head(ctx, b)
	case kindLog:
		return r.log(ctx, name, b)
	case kindNote:
		r.notes = append(r.notes, kept{name, b})
		return nil
	case kindManifest:
		r.sum = sumOf(b)
		r.out.Manifest, err = decode[Manifest](name, b)
		return err
	}
	if string(b) != r.sum+"\n" {
		return failure(CodeDamaged, "%s was changed: it has not the SHA-256 that %s says; take another copy of the backup", nameManifest, nameSum)
	}
	r.complete = true
	return r.compare()
}

func (r *reader) head(ctx context.Context, b []byte) (err error) {
	if r.out.Head, err = decode[Head](nameHead, b); err != nil {
		return err
	}
	h := r.out.Head
	switch version, ok := strings.CutPrefix(h.Format, formatName); {
	case !ok:
		return failure(CodeNotABackup, "this is no backup: its format is %q", h.Format)
	case version != "1":
		return failure(CodeVersion, "this backup has format %s, and this program reads up to %s: use a newer one", h.Format, Format)
	case r.Ledger != "" && h.Ledger != r.Ledger:
		return failure(CodeForeign, "this is a backup of ledger %s, not of %s", h.Ledger, r.Ledger)
	}
	if r.into != nil {
		return r.into.begin(ctx, h)
	}
	return nil
}

func (r *reader) log(ctx context.Context, name string, b []byte) error {
	if name != logName(r.next) {
		f := failure(CodeEventMissing, "sequence %d is missing: %s follows", r.next, name)
		f.Seq = r.next
		return f
	}
	var records []eventstore.Record
	for len(b) > 0 {
		rec, rest, err := parseRecord(b)
		if err != nil {
			return failure(CodeMalformed, "%s does not read after sequence %d: %v", name, r.next-1, err)
		}
		if rec.Seq != r.next {
			f := failure(CodeEventMissing, "sequence %d is missing: %d follows", r.next, rec.Seq)
			f.Seq = r.next
			return f
		}
		r.next++
		r.trees.add(rec)
		r.named.add(rec)
		if rec.Subject == signing.Subject(r.out.Head.Ledger) {
			if r.rotations, err = signing.AppendRotation(r.rotations, rec); err != nil {
				return failure(CodeRotationBroken, "%v", err)
			}
		}
		records, b = append(records, rec), rest
	}
	if r.into != nil {
		return r.into.records(ctx, records)
	}
	return nil
}

func (r *reader) evidence(ctx context.Context, hash string) error {
	if r.tape.size > eventstore.MaxEvidence {
		return failure(CodeMalformed, "%s has %d bytes, and no evidence has more than %d", r.tape.name, r.tape.size, eventstore.MaxEvidence)
	}
	var err error
	if r.into == nil {
		_, err = io.Copy(io.Discard, &r.tape)
	} else {
		err = r.into.evidence(ctx, hash, &r.tape)
	}
	changed := (*eventstore.EvidenceMismatchError)(nil)
	if errors.As(err, &changed) || err == nil && hex.EncodeToString(r.tape.sum.Sum(nil)) != hash {
		return failure(CodeEvidenceChanged, "the bytes of %s have not the SHA-256 that names them; take another copy of the backup", r.tape.name)
	}
	if err != nil {
		return err
	}
	r.files[hash] = true
	return r.tape.finish()
}

// compare holds what was read against the manifest.
func (r *reader) compare() error {
	m := r.out.Manifest
	for i, p := range m.Parts {
		if i >= len(r.parts) || r.parts[i] != p {
			return failure(CodeDamaged, "%s was changed or left out after the backup was written; take another copy of it", p.Name)
		}
	}
	files := 0
	for _, p := range r.parts {
		if kindOf(p.Name) == kindEvidence {
			files++
		}
	}
	if len(r.parts) != len(m.Parts) || m.Format != r.out.Head.Format || m.Ledger != r.out.Head.Ledger || m.Seq != r.next-1 || m.Evidence != files {
		return failure(CodeDamaged, "the backup has not what its manifest says: %d entries up to sequence %d, not %d up to %d", len(r.parts), r.next-1, len(m.Parts), m.Seq)
	}
	return nil
}

// conclude checks who signed what.
func (r *reader) conclude() (err error) {
	if r.out.Keys, err = signing.Follow(r.out.Head.Key, r.rotations); err != nil {
		return failure(CodeRotationBroken, "%v", err)
	}
	given := string(r.LedgerKey)
	if given != "" && !slices.Contains(r.out.Keys, given) {
		if len(r.out.Keys) > 0 {
			return failure(CodeWrongKey, "the ledger of this backup signs with %s, to which the key that you gave does not lead", r.out.Keys[len(r.out.Keys)-1])
		}
		r.out.Keys = []string{given} // of a log that was made without
	}
	if len(r.out.Keys) == 0 {
		return failure(CodeNotSigned, "the log does not say with which key the ledger signs: give it with --ledger-key")
	}
	verifiers, err := proof.Verifiers(r.out.Keys...)
	if err != nil {
		return failure(CodeMalformed, "%v", err)
	}
	signed, err := proof.Open([]byte(r.out.Manifest.Checkpoint), verifiers)
	tree := r.trees.of("")
	switch {
	case err != nil:
		return failure(CodeNotSigned, "the checkpoint of the backup: %v", err)
	case signed.Origin != proof.Origin(r.out.Head.Ledger, ""):
		return failure(CodeForeign, "the checkpoint of the backup is of the tree %s", signed.Origin)
	case signed.Size != tree.Size() || signed.Root != tree.Root():
		return failure(CodeEventChanged, "the %d events are not the %d that the ledger signed: one of them was changed, put in or moved", tree.Size(), signed.Size)
	}
	notes, err := r.open(verifiers)
	if err != nil {
		return err
	}
	r.out.Checkpoints, r.out.Agreements, r.out.Lost = len(notes), len(r.trees)-1, r.named.lost(r.files, r.out.Manifest.Damaged)
	if r.into != nil {
		return r.into.checkpoints(notes)
	}
	return nil
}

// open verifies the kept checkpoints. What the trees were at their sizes is
// compared when the ledger is opened; of those at the end it is here.
func (r *reader) open(verifiers []note.Verifier) (notes []proof.Signed, err error) {
	for _, k := range r.notes {
		s, err := proof.Open(k.note, verifiers)
		if err != nil {
			return nil, failure(CodeNotSigned, "%s: %v", k.name, err)
		}
		ledger, agreement, err := proof.ParseOrigin(s.Origin)
		if err != nil || ledger != r.out.Head.Ledger || noteName(agreement, s.Size) != k.name {
			return nil, failure(CodeForeign, "%s is of the tree %s with %s leaves", k.name, s.Origin, strconv.FormatUint(s.Size, 10))
		}
		if tree := r.trees.of(agreement); s.Size > tree.Size() || s.Size == tree.Size() && s.Root != tree.Root() {
			return nil, failure(CodeEventChanged, "the events of %s are not those that were signed", s.Origin)
		}
		notes = append(notes, s)
	}
	return notes, nil
}

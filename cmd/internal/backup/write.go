package backup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/milepost-ledger/milepost/eventstore"
	"github.com/milepost-ledger/milepost/eventstore/proof"
)

// Log is a ledger's log with its evidence; *eventstore.Store is one.
type Log interface {
	Ledger() string
	Key() string
	Metadata() map[string]string
	Last(ctx context.Context) (uint64, error)
	Reached(ctx context.Context) (uint64, error)
	ReadStored(ctx context.Context, from, to uint64) iter.Seq2[[]eventstore.Record, error]
	EvidenceHashes(ctx context.Context) ([]string, error)
	CheckEvidence(ctx context.Context, hash string) error
	Evidence(ctx context.Context, hash string) (*eventstore.EvidenceReader, error)
}

// Notary signs and keeps the checkpoints; *notary.Notary is one.
type Notary interface {
	Checkpoint(ctx context.Context, agreement string) (proof.Signed, error)
	Kept(agreement string) []proof.Signed
}

// Source is a ledger that backups are made of.
type Source struct {
	Log     Log
	Notary  Notary
	Program string // its version
}

// Write writes a backup, and lists the files that are not in it, because they are damaged
// or not stored any more. After an error what was written is
// no backup, and Verify says so. The error is a *Failure where the log is not what the
// ledger signs.
func (s Source) Write(ctx context.Context, w io.Writer) (lost []Lost, err error) {
	out := &writer{Source: s, tape: tapeWriter{w: w}, trees: trees{}, named: named{}, files: map[string]bool{}}
	m := Manifest{Format: Format, Ledger: s.Log.Ledger()}
	if err := out.object(nameHead, Head{
		Format: Format, Ledger: m.Ledger, Key: s.Log.Key(), Metadata: s.Log.Metadata(), Program: s.Program, Begun: time.Now().UTC(),
	}); err != nil {
		return nil, err
	}
	signed, err := out.log(ctx)
	if err != nil {
		return nil, err
	}
	m.Seq, m.Checkpoint = signed.Size, string(signed.Note)
	out.notes(signed)
	if m.Damaged, err = out.evidence(ctx); err != nil {
		return nil, err
	}
	m.Evidence = len(out.files)
	m.Parts, m.Ended = out.tape.parts, time.Now().UTC()
	if err := out.object(nameManifest, m); err != nil {
		return nil, err
	}
	out.tape.bytes(nameSum, []byte(out.tape.parts[len(out.tape.parts)-1].SHA256+"\n"))
	return out.named.lost(out.files, m.Damaged), out.tape.close()
}

// writer is a backup under way.
type writer struct {
	Source
	tape  tapeWriter
	trees trees
	named named
	files map[string]bool // that are written, by hash
	part  []byte          // of the log, not written yet
	first uint64          // sequence in it
	next  uint64
}

func (w *writer) object(name string, v any) error {
	b, err := encode(v)
	if err != nil {
		return err
	}
	w.tape.bytes(name, b)
	return w.tape.err
}

// log writes the log up to its end, has that signed, and writes what came up to
// there meanwhile.
func (w *writer) log(ctx context.Context) (signed proof.Signed, err error) {
	acknowledged, err := w.Log.Reached(ctx)
	if err != nil {
		return signed, err
	}
	last, err := w.Log.Last(ctx)
	if err != nil {
		return signed, err
	}
	w.next = 1
	if err := w.records(ctx, last); err != nil {
		return signed, err
	}
	if signed, err = w.Notary.Checkpoint(ctx, ""); err != nil {
		return signed, err
	}
	if signed.Size < acknowledged { // a server that was cut off has told where the log ends
		return signed, fmt.Errorf("%w: a checkpoint was signed at sequence %d, and the log had come to %d", eventstore.ErrUnavailable, signed.Size, acknowledged)
	}
	if err := w.records(ctx, signed.Size); err != nil {
		return signed, err
	}
	w.flush()
	if t := w.trees.of(""); t.Size() != signed.Size || t.Root() != signed.Root {
		return signed, failure(CodeEventChanged, "the log is not what the ledger signed: its first %d events are others than the checkpoint's %d", t.Size(), signed.Size)
	}
	return signed, w.tape.err
}

// records writes the records up to a sequence.
func (w *writer) records(ctx context.Context, to uint64) (err error) {
	if to < w.next {
		return nil
	}
	for chunk, err := range w.Log.ReadStored(ctx, w.next, to) {
		if err != nil {
			return err
		}
		for _, rec := range chunk {
			if rec.Seq != w.next {
				return &eventstore.GapError{Want: w.next, Got: rec.Seq}
			}
			if len(w.part) == 0 {
				w.first = rec.Seq
			}
			if w.part, err = appendRecord(w.part, rec); err != nil {
				return err
			}
			w.next++
			w.trees.add(rec)
			w.named.add(rec)
			if len(w.part) >= partSize {
				w.flush()
			}
		}
		if w.tape.err != nil {
			return w.tape.err
		}
	}
	return nil
}

func (w *writer) flush() {
	if len(w.part) > 0 {
		w.tape.bytes(logName(w.first), w.part)
		w.part = w.part[:0]
	}
}

// notes writes the kept checkpoints that cover nothing beyond the backup.
func (w *writer) notes(signed proof.Signed) {
	notes := map[string][]byte{noteName("", signed.Size): signed.Note}
	for agreement, tree := range w.trees {
		for _, n := range w.Notary.Kept(agreement) {
			name := noteName(agreement, n.Size)
			if _, there := notes[name]; n.Size <= tree.Size() && !there {
				notes[name] = n.Note
			}
		}
	}
	names := make([]string, 0, len(notes))
	for name := range notes {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		w.tape.bytes(name, notes[name])
	}
}

// evidence writes all that is stored whole. What is damaged is left out, and listed: it
// keeps nothing else from being saved.
func (w *writer) evidence(ctx context.Context) (left []string, err error) {
	hashes, err := w.Log.EvidenceHashes(ctx)
	if err != nil {
		return nil, err
	}
	for _, name := range hashes {
		damaged := (*eventstore.EvidenceDamagedError)(nil)
		err := w.Log.CheckEvidence(ctx, name) // once its length is written, it is too late
		if errors.Is(err, eventstore.ErrEvidenceNotFound) || errors.As(err, &damaged) {
			left = append(left, name)
			continue
		}
		if err != nil {
			return nil, err
		}
		file, err := w.Log.Evidence(ctx, name)
		if err != nil {
			return nil, err
		}
		w.tape.copy(dirEvidence+name, file.Size, file)
		_ = file.Close() // only read
		if w.tape.err != nil {
			return nil, w.tape.err
		}
		w.files[name] = true
	}
	return left, nil
}

// trees are those of a log that is read from its beginning: the ledger's under "",
// and one for each agreement.
type trees map[string]*proof.Frontier

func (t trees) of(agreement string) *proof.Frontier {
	one := t[agreement]
	if one == nil {
		one = &proof.Frontier{}
		t[strings.Clone(agreement)] = one
	}
	return one
}

// add appends a record to the trees that it is a leaf of.
func (t trees) add(rec eventstore.Record) {
	leaf := tlog.RecordHash(rec.Data)
	t.of("").Append(leaf)
	if _, agreement, _, _, err := eventstore.ParseSubject(rec.Subject); err == nil && agreement != none {
		t.of(agreement).Append(leaf)
	}
}

func sumOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// FileName is what a backup of a ledger that begins now is called.
func FileName(ledger string, at time.Time) string {
	return fmt.Sprintf("%s-%s.backup", ledger, at.UTC().Format("20060102T150405Z"))
}

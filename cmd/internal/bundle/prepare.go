package bundle

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/keyring"
	"github.com/milepost-ledger/milepost/domain/party"
	"github.com/milepost-ledger/milepost/eventstore"
	"github.com/milepost-ledger/milepost/eventstore/proof"
)

// Log is read in the order of its sequences; *eventstore.Store is one.
type Log interface {
	ReadChunks(ctx context.Context, from, to uint64, filter string) iter.Seq2[[]eventstore.Record, error]
}

// Files are those of evidence; *eventstore.Store has them.
type Files interface {
	Evidence(ctx context.Context, hash string) (*eventstore.EvidenceReader, error)
}

// Notary signs and keeps the checkpoints; *notary.Notary is one.
type Notary interface {
	Checkpoint(ctx context.Context, agreement string) (proof.Signed, error)
	Kept(agreement string) []proof.Signed
	Keys() []string // of the ledger, from the first to the present one
}

// Trees prove events; *projections.Models does.
type Trees interface {
	ProveInclusion(ctx context.Context, agreement domain.Key, tree tlog.Tree, index uint64) (tlog.RecordProof, error)
}

// Source is a ledger that bundles are made of.
type Source struct {
	Ledger   string
	Timezone string
	Log      Log
	Files    Files
	Notary   Notary
	Trees    Trees
}

// Bundle is what is ready to be written: everything but the events and files
// themselves, which are read again as they are written.
type Bundle struct {
	Manifest Manifest

	source Source
	keys   Keys
	notes  []proof.Signed // in the order of their entries
	proofs []proof.File
	files  []domain.Hash
	length int64 // of events.jsonl
}

// Prepare signs the trees as they are now, reads the events up to there, and finds
// out what belongs into the bundle: that of an agreement, or of the whole ledger
// when that is "". With evidence, the files that events name and that are stored
// go in too.
//
// The error is a *domain.Rejected where there is no such agreement, and a *Failure
// where the log is not what was signed: such a bundle would not verify.
func (s Source) Prepare(ctx context.Context, agreement domain.Key, evidence bool) (*Bundle, error) {
	b := &Bundle{source: s, Manifest: Manifest{Format: Format, Ledger: s.Ledger, Timezone: s.Timezone, Agreement: agreement}}
	own, err := s.Notary.Checkpoint(ctx, string(agreement))
	if err != nil {
		return nil, err
	}
	whole := own
	if agreement != "" { // after it, so that it covers what the agreement's does
		if whole, err = s.Notary.Checkpoint(ctx, ""); err != nil {
			return nil, err
		}
	}
	b.Manifest.Seq = whole.Size
	var wrong *Failure
	r := newReplay(s.Ledger, agreement, func(f *Failure) {
		if wrong == nil {
			wrong = f
		}
	})
	r.trees.of(agreement).put(&signed{Signed: own})
	r.begin()
	if err := b.replay(ctx, r, own.Size); err != nil {
		return nil, err
	}
	if agreement != "" {
		if err := b.prove(ctx, r, whole); err != nil {
			return nil, err
		}
	}
	main := r.trees.of(agreement)
	if wrong == nil {
		wrong = main.differs
	}
	if wrong == nil {
		wrong = main.short()
	}
	if wrong != nil {
		return nil, wrong
	}
	first, err := s.firstKey()
	if err != nil {
		return nil, err
	}
	b.keys = r.keysOf(first)
	if err := b.keep(r, own, whole); err != nil {
		return nil, err
	}
	if evidence {
		if err := b.find(ctx, slices.Sorted(maps.Keys(r.named))); err != nil {
			return nil, err
		}
	}
	m := &b.Manifest
	m.Events, m.Checkpoints, m.Proofs, m.Evidence, m.Digest = r.events, len(b.notes), len(b.proofs), len(b.files), r.digest()
	return b, nil
}

func (s Source) firstKey() (domain.VerifierKey, error) {
	keys := s.Notary.Keys()
	if len(keys) == 0 {
		return "", errors.New("bundle: the ledger has no key")
	}
	return domain.VerifierKey(keys[0]), nil
}

// filter is the subject of what events.jsonl holds.
func (b *Bundle) filter() string {
	if b.Manifest.Agreement == "" {
		return ""
	}
	return eventstore.Subject(b.source.Ledger, string(b.Manifest.Agreement), "*", "*")
}

// replay reads the events of the main tree. Those of the agreement that came after
// its tree was signed are left for the next bundle, which is then as of the
// sequence before them.
func (b *Bundle) replay(ctx context.Context, r *replay, size uint64) error {
	m := &b.Manifest
	read := func(ctx context.Context) iter.Seq2[[]line, error] {
		return b.source.lines(ctx, 1, m.Seq, b.filter())
	}
	for batch, err := range decodeAhead(ctx, read) {
		if err != nil {
			return err
		}
		for i := range batch {
			if r.events == size {
				m.Seq = batch[i].seq - 1
				return nil
			}
			r.add(&batch[i])
			b.length += lineLength(batch[i].seq, batch[i].data)
		}
	}
	return nil
}

// lines reads records as the replay takes them.
func (s Source) lines(ctx context.Context, from, to uint64, filter string) iter.Seq2[[]line, error] {
	return func(yield func([]line, error) bool) {
		if to == 0 { // which the log takes for its end
			return
		}
		for chunk, err := range s.Log.ReadChunks(ctx, from, to, filter) {
			lines := make([]line, len(chunk))
			for i, rec := range chunk {
				lines[i] = line{rec.Seq, rec.Data}
			}
			if !yield(lines, err) {
				return
			}
		}
	}
}

// prove takes in the events of no agreement that a bundle of one needs: they say
// which keys are whose.
func (b *Bundle) prove(ctx context.Context, r *replay, whole proof.Signed) error {
	s := b.source
	refs := []domain.Ref{keyring.Ref()}
	for _, p := range r.parties(b.Manifest.Agreement) {
		refs = append(refs, party.Ref(p))
	}
	var lines []line
	for _, ref := range refs {
		for chunk, err := range s.lines(ctx, 1, b.Manifest.Seq, eventstore.Subject(s.Ledger, eventstore.LedgerWide, ref.Kind, string(ref.Key))) {
			if err != nil {
				return err
			}
			lines = append(lines, chunk...)
		}
	}
	slices.SortFunc(lines, func(a, b line) int {
		if a.seq < b.seq {
			return -1
		}
		return 1
	})
	for _, l := range lines {
		hashes, err := s.Trees.ProveInclusion(ctx, "", whole.Tree(), l.seq-1)
		if err != nil {
			return fmt.Errorf("prove event %d: %w", l.seq, err)
		}
		d := decode(l)
		if err := proof.CheckInclusion(whole.Checkpoint, l.seq-1, d.leaf, hashes); err != nil {
			return &Failure{Code: CodeProofWrong, Seq: l.seq, Detail: fmt.Sprintf("event %d is not what the ledger signed: %v", l.seq, err)}
		}
		r.fold(&d)
		b.proofs = append(b.proofs, proof.File{Event: l.data, Index: l.seq - 1, Hashes: hashes})
	}
	return nil
}

// keep chooses the checkpoints: all kept ones of the trees whose events are in the
// bundle, as far as they go, and the one of the ledger that the proofs are against.
func (b *Bundle) keep(r *replay, own, whole proof.Signed) error {
	w, err := newWitnesses(b.keys.Witnesses, nil)
	if err != nil {
		return err
	}
	add := func(agreement domain.Key, size uint64, newest proof.Signed) {
		notes := slices.Clone(b.source.Notary.Kept(string(agreement)))
		notes = slices.DeleteFunc(notes, func(n proof.Signed) bool { return n.Size > size })
		if newest.Note != nil && !slices.ContainsFunc(notes, func(n proof.Signed) bool { return n.Size == newest.Size }) {
			notes = append(notes, newest)
		}
		b.notes = append(b.notes, notes...)
	}
	if agreement := b.Manifest.Agreement; agreement != "" {
		b.notes = append(b.notes, whole)
		add(agreement, own.Size, own)
	} else {
		add("", own.Size, own)
		for _, key := range r.trees.sorted() {
			add(key, r.trees.of(key).frontier.Size(), proof.Signed{})
		}
	}
	for i := range b.notes {
		b.notes[i].Note = w.only(b.notes[i])
	}
	for i := range b.proofs {
		b.proofs[i].Checkpoint = b.notes[0].Note
	}
	return nil
}

// only leaves out the countersignatures by keys that the bundle does not know: of
// others than its parties, or of one registered a moment ago.
func (w *witnesses) only(s proof.Signed) []byte {
	var lines []string
	for _, c := range slices.Concat(s.Cosignatures, s.Unverified) {
		if w.ids[proof.KeyName(c.Name, c.KeyHash)] {
			lines = append(lines, c.Line)
		}
	}
	return proof.WithLines(s.Bare(), lines...)
}

// find looks which of the files are stored.
func (b *Bundle) find(ctx context.Context, named []domain.Hash) error {
	for _, name := range named {
		file, err := b.source.Files.Evidence(ctx, string(name))
		if errors.Is(err, eventstore.ErrEvidenceNotFound) {
			continue // a text that was signed and never attached
		}
		if err != nil {
			return err
		}
		_ = file.Close() // only looked at
		b.files = append(b.files, name)
	}
	return nil
}

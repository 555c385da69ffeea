package bundle

import (
	"archive/tar"
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"iter"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/keyring"
	"github.com/milepost-ledger/milepost/domain/party"
	"github.com/milepost-ledger/milepost/eventstore"
	"github.com/milepost-ledger/milepost/eventstore/proof"
)

// Options are what a verifier knows by itself.
type Options struct {
	LedgerKey domain.VerifierKey // the ledger's first key, or a later one; "" takes the file's word
	Witnesses []Witness          // keys of parties, which count instead of those in the log
	Since     []byte             // a checkpoint that was seen before, a signed note
}

// Verify reads a bundle and checks all that it says. Report.OK is whether all of
// it holds. The error is one of reading r, of ctx, or of the options; whatever is
// wrong with the bundle is in the report.
//
// It keeps in memory the states of the aggregates and eight bytes for each event,
// whatever the size of the evidence.
func Verify(ctx context.Context, r io.Reader, o Options) (Report, error) {
	own, err := o.check()
	if err != nil {
		return Report{}, err
	}
	v := &verifier{opts: o, checks: newChecks(), sum: sha256.New(), count: map[int]int{}, last: map[int]string{}, report: Report{Kind: "bundle", Settlements: []Settlement{}}, since: own}
	v.checks.pass(CheckFile, "")
	err = v.read(ctx, &source{r: r})
	if f := (*Failure)(nil); errors.As(err, &f) {
		v.checks.fail(CheckFile, f)
		err = nil
	} else if err == nil {
		v.conclude()
	}
	v.checks.into(&v.report)
	return v.report, err
}

// check refuses options that make no sense. It returns the size and root of the
// checkpoint that was seen before, not verified.
func (o *Options) check() (*proof.Checkpoint, error) {
	if o.LedgerKey != "" && !o.LedgerKey.Valid() {
		return nil, o.LedgerKey.Check("ledger-key")
	}
	for _, w := range o.Witnesses {
		if err := w.Key.Check("witness"); err != nil {
			return nil, err
		}
	}
	if o.Since == nil {
		return nil, nil
	}
	c, err := proof.Unverified(o.Since)
	return &c, err
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

// verifier is one pass over a bundle.
type verifier struct {
	opts   Options
	report Report
	checks *checks
	since  *proof.Checkpoint

	manifest    Manifest
	keys        Keys
	chain       chain
	witnesses   *witnesses
	replay      *replay
	ledgerNote  []byte // that the proofs are against, and its checkpoint
	ledgerAt    proof.Checkpoint
	proved      uint64 // sequence of the last event with a proof
	there       int    // files
	kind        int    // of the last entry
	name        string // of the last entry
	count       map[int]int
	last        map[int]string
	entries     int
	sum         hash.Hash
	checkpoints int
}

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

func (v *verifier) readManifest(b []byte) error {
	var of struct {
		Format string `json:"format"`
	}
	if err := json.Unmarshal(b, &of); err != nil || of.Format != Format {
		return failure(CodeNotABundle, "this is no bundle that this version reads: its format is %q, not %s", of.Format, Format)
	}
	m, err := readObject[Manifest](b)
	if err != nil {
		return failure(CodeMalformed, "%s: %v", nameManifest, err)
	}
	v.manifest = m
	if !domain.Key(m.Ledger).Valid() || m.Agreement != "" && !m.Agreement.Valid() {
		return failure(CodeMalformed, "%s: %q and %q are no keys of a ledger and an agreement", nameManifest, m.Ledger, m.Agreement)
	}
	v.report.Ledger, v.report.Agreement, v.report.Seq, v.report.Events = m.Ledger, m.Agreement, m.Seq, m.Events
	v.replay = newReplay(m.Ledger, m.Agreement, func(f *Failure) { v.checks.fail(CheckEvents, f) })
	return nil
}

func (v *verifier) readKeys(b []byte) (err error) {
	if v.keys, err = readObject[Keys](b); err != nil {
		return failure(CodeMalformed, "%s: %v", nameKeys, err)
	}
	c, f := v.keys.follow(v.manifest.Ledger, v.opts.LedgerKey)
	if f != nil {
		v.checks.fail(CheckKeys, f)
	}
	v.chain = c
	w, err := newWitnesses(v.keys.Witnesses, v.opts.Witnesses)
	if err != nil {
		return failure(CodeMalformed, "%s: %v", nameKeys, err)
	}
	v.witnesses = w
	for _, id := range []string{CheckKeys, CheckSignatures, CheckEvents, CheckHistory, CheckState} { // in this order
		v.checks.pass(id, "")
	}
	v.takeSince()
	return nil
}

// takeSince has the checkpoint that was seen before compared with its tree.
func (v *verifier) takeSince() {
	if v.since == nil {
		return
	}
	s, err := proof.Open(v.opts.Since, v.chain.verifiers, v.witnesses.keys...)
	ledger, agreement, originErr := proof.ParseOrigin(v.since.Origin)
	switch {
	case originErr != nil || ledger != v.manifest.Ledger || domain.Key(agreement) != v.manifest.Agreement:
		v.checks.fail(CheckConsistency, failure(CodeProofOfOtherTree, "the checkpoint that you kept is of %s, and the bundle is of %s: give one of that tree",
			v.since.Origin, originOf(v.manifest.Ledger, v.manifest.Agreement)))
	case err != nil:
		v.checks.fail(CheckConsistency, unsigned(err, "the checkpoint that you kept", v.since.Origin, v.chain))
	default:
		v.replay.trees.of(v.manifest.Agreement).put(&signed{Signed: s, seen: true})
		v.checks.pass(CheckConsistency, "")
	}
}

// checkpoint opens one of the bundle's notes.
func (v *verifier) checkpoint(name string, b []byte) error {
	v.checkpoints++
	s, err := proof.Open(b, v.chain.verifiers, v.witnesses.keys...)
	if err != nil {
		c, peekErr := proof.Unverified(b)
		if peekErr != nil {
			return failure(CodeMalformed, "%s is no checkpoint: %v", name, peekErr)
		}
		f := unsigned(err, name, c.Origin, v.chain)
		check := CheckSignatures
		if f.Code == CodeCosignatureWrong {
			check = CheckWitnesses
		}
		v.checks.fail(check, f)
		s.Checkpoint, s.Note = c, b // what it says of the tree is compared all the same
	}
	ledger, agreement, _ := proof.ParseOrigin(s.Origin) // Open and peek saw to it
	if ledger != v.manifest.Ledger || v.manifest.Agreement != "" && agreement != "" && domain.Key(agreement) != v.manifest.Agreement {
		v.checks.fail(CheckSignatures, failure(CodeProofOfOtherTree, "%s is a checkpoint of %s, and the bundle is of %s", name, s.Origin, originOf(v.manifest.Ledger, v.manifest.Agreement)))
		return nil
	}
	if name != checkpointName(domain.Key(agreement), s.Size) {
		return failure(CodeMalformed, "%s is the checkpoint of %s with %d leaves, which has another name", name, s.Origin, s.Size)
	}
	if f := v.witnesses.stranger(&s); f != nil {
		v.checks.fail(CheckWitnesses, f)
	}
	if agreement == "" && v.manifest.Agreement != "" {
		if v.ledgerNote != nil {
			return failure(CodeMalformed, "a bundle of an agreement has one checkpoint of the ledger's tree, and this has more: %s", name)
		}
		v.ledgerNote, v.ledgerAt = b, s.Checkpoint
		return nil
	}
	t := v.replay.trees.of(domain.Key(agreement))
	if n := t.newest(); n != nil && n.Size >= s.Size {
		return failure(CodeMalformed, "%s comes after the checkpoint with %d leaves, which is not its place", name, n.Size)
	}
	t.put(&signed{Signed: s})
	return nil
}

// events replays the events.
func (v *verifier) events(ctx context.Context, body io.Reader) error {
	v.replay.begin()
	read := func(ctx context.Context) iter.Seq2[[]line, error] { return readLines(ctx, body) }
	for batch, err := range decodeAhead(ctx, read) {
		if err != nil {
			return err
		}
		for i := range batch {
			v.replay.add(&batch[i])
		}
	}
	return nil
}

// proof takes an event of no agreement.
func (v *verifier) proof(name string, b []byte) error {
	v.checks.pass(CheckProofs, "")
	f, err := proof.Parse(b)
	if err != nil {
		return failure(CodeMalformed, "%s: %v", name, err)
	}
	seq := f.Index + 1
	if name != proofName(seq) || v.manifest.Agreement == "" {
		return failure(CodeMalformed, "%s is the proof of event %d, and does not belong here", name, seq)
	}
	if string(f.Checkpoint) != string(v.ledgerNote) {
		v.checks.fail(CheckProofs, &Failure{Code: CodeProofOfOtherTree, Seq: seq, Detail: fmt.Sprintf("the proof of event %d is against another checkpoint than the bundle's", seq)})
		return nil
	}
	if err := proof.CheckInclusion(v.ledgerAt, f.Index, tlog.RecordHash(f.Event), f.Hashes); err != nil {
		v.checks.fail(CheckProofs, &Failure{Code: CodeProofWrong, Seq: seq, Detail: fmt.Sprintf("event %d is not what the ledger's checkpoint is of: %v", seq, err)})
		return nil
	}
	d := decode(line{seq, f.Event})
	if d.err == nil && (d.env.Ref.Agreement != "" || d.env.Ref.Kind != keyring.Kind && d.env.Ref.Kind != party.Kind) {
		v.checks.fail(CheckProofs, &Failure{Code: CodeForeignEvent, Seq: seq, Entity: d.env.Ref.String(), Detail: fmt.Sprintf("event %d is neither of a party nor of the keyring", seq)})
		return nil
	}
	v.replay.fold(&d)
	v.proved = seq
	return nil
}

// file checks a file of evidence as it comes by.
func (v *verifier) file(ctx context.Context, h *tar.Header, body io.Reader) error {
	name := domain.Hash(strings.TrimPrefix(h.Name, dirEvidence))
	sum := sha256.New()
	if _, err := io.Copy(sum, &cancelled{ctx, body}); err != nil {
		return err
	}
	v.there++
	switch got := hex.EncodeToString(sum.Sum(nil)); {
	case !v.replay.named[name]:
		v.checks.fail(CheckEvidence, &Failure{Code: CodeEvidenceForeign, Entity: h.Name, Detail: fmt.Sprintf("no event names the file %s", name)})
	case got != string(name):
		v.checks.fail(CheckEvidence, &Failure{Code: CodeEvidenceChanged, Entity: h.Name, Detail: fmt.Sprintf("the file %s has SHA-256 %s: it was changed", name, got)})
	default:
		v.replay.named[name] = false // seen
	}
	return nil
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

package bundle

import (
	"archive/tar"
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

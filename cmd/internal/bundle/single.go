package bundle

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/eventstore/proof"
)

// Event is an event that a proof file is of.
type Event struct {
	Origin string          `json:"origin"` // of the tree that it is in
	Index  uint64          `json:"index"`  // of its leaf
	Event  json.RawMessage `json:"event"`  // as it is stored
}

// ErrNoKey: a proof file or a checkpoint holds no key to verify it with.
var ErrNoKey = errors.New("bundle: give the ledger's key: the file does not hold it")

// VerifyProof checks the proof file of one event. The countersignatures are those
// of the witnesses in the options; there are no others to be known here. The error
// is ErrNoKey, or one of the options.
func VerifyProof(file []byte, o Options) (Report, error) {
	f, malformed := proof.Parse(file)
	r, c, err := single("proof", f.Checkpoint, o)
	if err != nil {
		return r, err
	}
	if malformed != nil {
		c = newChecks()
		c.fail(CheckFile, failure(CodeMalformed, "%v", malformed))
		c.into(&r)
		return r, nil
	}
	at, err := proof.Unverified(f.Checkpoint)
	if err != nil {
		c.fail(CheckSignatures, failure(CodeMalformed, "the checkpoint in the file does not read: %v", err))
		c.into(&r)
		return r, nil
	}
	d := decode(line{f.Index + 1, f.Event})
	r.Event = &Event{Origin: at.Origin, Index: f.Index}
	if json.Valid(f.Event) {
		r.Event.Event = f.Event
	}
	if err := proof.CheckInclusion(at, f.Index, d.leaf, f.Hashes); err != nil {
		c.fail(CheckProofs, failure(CodeProofWrong, "the event is not what the checkpoint is of, or not in that place: %v", err))
	}
	c.pass(CheckProofs, "the event is leaf %d of the tree %s with %d leaves", f.Index, at.Origin, at.Size)
	replay := newReplay(r.Ledger, r.Agreement, nil)
	fault := replay.fault(&d)
	if fault == nil && r.Agreement != "" && d.env.Ref.Agreement != r.Agreement {
		fault = failure(CodeForeignEvent, "the event belongs to %q, not to the agreement %q", d.env.Ref, r.Agreement)
	}
	if fault != nil {
		c.fail(CheckEvents, fault)
	}
	c.pass(CheckEvents, "it is version %d of %s, of the type %s", d.env.Version, d.env.Ref, d.env.Type)
	c.into(&r)
	return r, nil
}

// VerifyCheckpoint checks a checkpoint by itself: who signed it. The error is
// ErrNoKey, or one of the options.
func VerifyCheckpoint(note []byte, o Options) (Report, error) {
	r, c, err := single("checkpoint", note, o)
	c.into(&r)
	return r, err
}

// single checks the signatures of a checkpoint that stands by itself.
func single(kind string, note []byte, o Options) (Report, *checks, error) {
	r, c := Report{Kind: kind, Settlements: []Settlement{}}, newChecks()
	if _, err := o.check(); err != nil {
		return r, c, err
	}
	if o.LedgerKey == "" {
		return r, c, ErrNoKey
	}
	ledger, err := proof.Verifiers(string(o.LedgerKey))
	if err != nil {
		return r, c, err
	}
	w, err := newWitnesses(nil, o.Witnesses)
	if err != nil {
		return r, c, err
	}
	at, err := proof.Unverified(note)
	if err != nil {
		c.fail(CheckSignatures, failure(CodeMalformed, "the checkpoint does not read: %v", err))
		return r, c, nil
	}
	name, agreement, _ := proof.ParseOrigin(at.Origin) // Unverified saw to it
	r.Ledger, r.Agreement, r.Events = name, domain.Key(agreement), at.Size
	if of := originOf(name, ""); o.LedgerKey.Name() != of {
		c.fail(CheckSignatures, failure(CodeProofOfOtherTree, "this is of %s, and the key that you gave is of %s", at.Origin, o.LedgerKey.Name()))
		return r, c, nil
	}
	s, err := proof.Open(note, ledger, w.keys...)
	if err != nil {
		f := unsigned(err, "the checkpoint", at.Origin, chain{keys: []domain.VerifierKey{o.LedgerKey}})
		check := CheckSignatures
		if f.Code == CodeCosignatureWrong {
			check = CheckWitnesses
		}
		c.fail(check, f)
		return r, c, nil
	}
	c.pass(CheckSignatures, "the tree %s with %d leaves is signed by the ledger's key %s, as you gave it", s.Origin, s.Size, s.Key)
	if f := w.stranger(&s); f != nil {
		c.fail(CheckWitnesses, f)
	}
	r.Settlements = append(r.Settlements, Settlement{Agreement: r.Agreement, Events: s.Size, Parties: []Witnessed{}})
	settled := &r.Settlements[0]
	for _, party := range slices.Sorted(maps.Keys(w.present)) {
		k := w.present[party]
		of := Witnessed{Party: party, Key: proof.KeyName(k.Name(), k.KeyHash()), Given: true, Pending: s.Size}
		for _, sig := range s.Cosignatures {
			if slices.Contains(w.of[sig.Key], party) {
				of.Key, of.Events, of.Origin, of.Size, of.At, of.Pending = proof.KeyName(sig.Name, sig.KeyHash), s.Size, s.Origin, s.Size, sig.At, 0
			}
		}
		settled.Parties = append(settled.Parties, of)
	}
	if len(s.Cosignatures) > 0 {
		c.pass(CheckWitnesses, "%s valid", count(len(s.Cosignatures), "countersignature"))
	}
	return r, c, nil
}

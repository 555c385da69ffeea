package bundle

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/milepost-ledger/milepost/cmd/internal/signing"
	"github.com/milepost-ledger/milepost/domain"
)

// conclude says what the whole comes to.
func (v *verifier) conclude() {
	m, r := &v.manifest, v.replay
	main := r.trees.of(m.Agreement)
	of := fmt.Sprintf("the whole ledger %s", m.Ledger)
	if m.Agreement != "" {
		of = fmt.Sprintf("the agreement %s of the ledger %s", m.Agreement, m.Ledger)
	}
	for _, n := range []struct {
		what      string
		want, got int
	}{{"checkpoints", m.Checkpoints, v.checkpoints}, {"proofs", m.Proofs, v.count[entryProof]}, {"files", m.Evidence, v.there}} {
		if n.want != n.got {
			v.checks.fail(CheckFile, failure(CodeMalformed, "%s says that there are %d %s, and there are %d", nameManifest, n.want, n.what, n.got))
		}
	}
	v.checks.pass(CheckFile, "%s as of sequence %d: whole, %d entries", of, m.Seq, v.entries)

	if got := r.keysOf(v.keys.First); !reflect.DeepEqual(got.Rotations, append([]signing.Rotation{}, v.keys.Rotations...)) {
		v.checks.fail(CheckKeys, failure(CodeKeysDiffer, "%s has other rotations of the ledger's key than the events", nameKeys))
	} else if !reflect.DeepEqual(got.Witnesses, append([]WitnessKey{}, v.keys.Witnesses...)) {
		v.checks.fail(CheckKeys, failure(CodeKeysDiffer, "%s has other keys of the parties than the events", nameKeys))
	}
	if !v.checks.failed(CheckKeys) {
		v.checks.pass(CheckKeys, "%s", v.chain.says(v.opts.LedgerKey != ""))
	}
	v.concludeHistory(main)
	if r.events != m.Events {
		v.checks.fail(CheckEvents, failure(CodeEventMissing, "%s says that there are %d events, and there are %d", nameManifest, m.Events, r.events))
	}
	if last := max(r.seq, v.proved); last > m.Seq {
		v.checks.fail(CheckEvents, failure(CodeMalformed, "%s is as of sequence %d, and there is an event %d", nameManifest, m.Seq, last))
	}
	v.checks.pass(CheckEvents, "%d events of %d aggregates: each reads and belongs here, and no aggregate lacks a version", r.events+uint64(v.count[entryProof]), len(r.aggregates))
	if got := r.digest(); got != m.Digest {
		v.checks.fail(CheckState, failure(CodeStateDiffers, "the events come to the state %s, and %s says %s", got, nameManifest, m.Digest))
	}
	v.checks.pass(CheckState, "the events come to the state %s", m.Digest)
	if v.count[entryProof] > 0 {
		v.checks.pass(CheckProofs, "%s of parties and the keyring, and each is in the ledger's tree of %d", plural(v.count[entryProof], "event"), v.ledgerAt.Size)
	}
	v.settle()
	v.concludeEvidence()
}

// concludeHistory says whether the trees are those that were signed.
func (v *verifier) concludeHistory(main *tree) {
	r, m := v.replay, &v.manifest
	all := []*tree{r.trees.ledger}
	for _, key := range r.trees.sorted() {
		all = append(all, r.trees.of(key))
	}
	compared := 0
	for _, t := range all {
		if t.differs != nil {
			v.checks.fail(CheckHistory, t.differs)
		}
		if f := t.short(); f != nil {
			v.checks.fail(CheckHistory, f)
		}
		compared += len(t.notes)
	}
	newest := main.newest()
	switch {
	case newest == nil:
		v.checks.fail(CheckSignatures, failure(CodeNotSigned, "there is no checkpoint of %s", main.origin))
	case newest.Size < main.frontier.Size():
		f := failure(CodeNotSigned, "the newest checkpoint of %s has %d leaves, and there are %d events: nobody signed those after sequence %d", main.origin, newest.Size, main.frontier.Size(), main.seqAt(newest.Size))
		f.Seq = main.seqAt(newest.Size + 1)
		v.checks.fail(CheckSignatures, f)
	case m.Agreement != "" && v.ledgerNote == nil:
		v.checks.fail(CheckSignatures, failure(CodeNotSigned, "there is no checkpoint of the ledger's tree %s", r.trees.ledger.origin))
	case m.Agreement == "" && newest.Size != m.Seq, m.Agreement != "" && v.ledgerAt.Size < m.Seq:
		v.checks.fail(CheckSignatures, failure(CodeMalformed, "%s is as of sequence %d, which the ledger's checkpoint is not of", nameManifest, m.Seq))
	case !v.checks.failed(CheckSignatures) && v.chain.place(newest.Key) < v.chain.given:
		v.checks.fail(CheckSignatures, failure(CodeWrongKey, "the newest checkpoint of %s is signed by %s, which had been given up for the key that you gave", main.origin, newest.Key))
	default:
		v.checks.pass(CheckSignatures, "%s signed by the ledger, the newest of %s with %d leaves by %s", count(v.checkpoints, "checkpoint"), main.origin, newest.Size, newest.Key)
	}
	v.checks.pass(CheckHistory, "the events are the signed ones, in their order: %s has the root of each of its checkpoints, at the sequences %s", main.origin, sequences(main))
	for _, n := range main.notes {
		if !n.seen {
			continue
		}
		switch {
		case n.Size > main.frontier.Size():
			v.checks.fail(CheckConsistency, failure(CodeRollback, "ROLLBACK: the tree of %s has %d leaves here, and had %d when you saw it: the log lost its end, or an old bundle was given to you", main.origin, main.frontier.Size(), n.Size))
		case !n.matches:
			f := failure(CodeFork, "FORK: the first %d events of %s are others than those that you saw: both checkpoints together prove it", n.Size, main.origin)
			v.checks.fail(CheckConsistency, f)
		default:
			v.checks.pass(CheckConsistency, "the first %d events of %s are those of the checkpoint that you kept", n.Size, main.origin)
		}
	}
}

// sequences are those of the checkpoints, the last few.
func sequences(t *tree) string {
	var text []string
	for _, n := range t.notes {
		if !n.seen {
			text = append(text, fmt.Sprint(t.seqAt(n.Size)))
		}
	}
	if len(text) > 6 {
		text = append([]string{"..."}, text[len(text)-5:]...)
	}
	return strings.Join(text, ", ")
}

func (v *verifier) concludeEvidence() {
	files := &Evidence{Named: len(v.replay.named), There: v.there, Missing: []domain.Hash{}}
	for name, missing := range v.replay.named {
		if missing {
			files.Missing = append(files.Missing, name)
		}
	}
	slices.Sort(files.Missing)
	v.report.Evidence = files
	if v.there > 0 {
		v.checks.pass(CheckEvidence, "%d of the %d files that events name are there, and unchanged", v.there, files.Named)
	}
}

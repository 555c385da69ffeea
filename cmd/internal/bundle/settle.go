package bundle

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/party"
	"github.com/milepost-ledger/milepost/eventstore/proof"
)

// settle finds out how far each party has countersigned each agreement. Its
// countersignature of the ledger's tree covers the agreement's events as one of
// the agreement's own does.
func (v *verifier) settle() {
	r := v.replay
	v.report.Settlements = []Settlement{}
	signatures := r.trees.ledger.countersignatures()
	for _, key := range r.trees.sorted() {
		t := r.trees.of(key)
		s := Settlement{Agreement: key, Events: t.frontier.Size(), Settled: t.frontier.Size(), Parties: []Witnessed{}}
		signatures += t.countersignatures()
		parties := slices.Clone(r.parties(key))
		slices.Sort(parties)
		for _, p := range parties {
			w := v.witnessed(p, t)
			s.Settled = min(s.Settled, w.Events)
			s.Parties = append(s.Parties, w)
		}
		if len(parties) == 0 {
			s.Settled = 0
		}
		s.Seq = t.seqAt(s.Settled)
		v.report.Settlements = append(v.report.Settlements, s)
	}
	for _, p := range slices.Sorted(maps.Keys(v.witnesses.given)) {
		if f := v.disputed(p); f != nil {
			f.Entity = party.Ref(p).String()
			v.checks.fail(CheckWitnesses, f)
		}
	}
	if signatures > 0 {
		v.checks.pass(CheckWitnesses, "%s valid", count(signatures, "countersignature"))
	}
}

// disputed says that the log has another key of a party than the verifier, or
// nothing of that party.
func (v *verifier) disputed(p domain.Key) *Failure {
	involved := slices.ContainsFunc(v.report.Settlements, func(s Settlement) bool {
		return slices.ContainsFunc(s.Parties, func(w Witnessed) bool { return w.Party == p })
	})
	state := v.replay.party(p)
	switch {
	case !involved && state == nil:
		return failure(CodeWrongKey, "you gave a key of %q, which is no party to anything here", p)
	case state == nil || state.Witness == "" || slices.Contains(v.opts.Witnesses, Witness{p, state.Witness}):
		return nil
	case slices.ContainsFunc(v.opts.Witnesses, func(w Witness) bool { return w.Party == p && slices.Contains(state.FormerWitnesses, w.Key) }):
		return failure(CodeWrongKey, "the key of %q that you gave was given up since, by what the log says; ask the party, and give %s too if that is its key now", p, state.Witness)
	}
	return failure(CodeWrongKey, "the log has %s as the key of %q, and you gave another: what that key signed does not count", keyName(state.Witness), p)
}

// witnessed is how far a party countersigned the events of an agreement's tree, by
// what the bundle has: it says the same to each who verifies it.
func (v *verifier) witnessed(p domain.Key, t *tree) Witnessed {
	w := Witnessed{Party: p, Given: v.witnesses.given[p]}
	if k := v.witnesses.present[p]; k != nil {
		w.Key = proof.KeyName(k.Name(), k.KeyHash())
	}
	for _, of := range []*tree{t, v.replay.trees.ledger} {
		for _, n := range of.notes {
			if !n.matches || n.seen {
				continue
			}
			for _, c := range n.Cosignatures {
				if !slices.Contains(v.witnesses.of[c.Key], p) {
					continue
				}
				events := n.Size
				if of.whole {
					events = t.upTo(n.Size)
				}
				if events > w.Events || w.Size == 0 {
					w.Events, w.Seq, w.Origin, w.Size, w.At = events, t.seqAt(events), of.origin, n.Size, c.At
				}
			}
		}
	}
	w.Pending = t.frontier.Size() - w.Events
	return w
}

// unsigned says why a note did not open.
func unsigned(err error, what, origin string, c chain) *Failure {
	var invalid *note.InvalidSignatureError
	var others *note.UnverifiedNoteError
	switch {
	case errors.As(err, &invalid):
		id := proof.KeyName(invalid.Name, invalid.Hash)
		if c.place(id) < 0 {
			return failure(CodeCosignatureWrong, "%s: the countersignature by %s is false", what, id)
		}
		return failure(CodeNotSigned, "%s: the signature by the ledger's key %s is false: what it says was changed", what, id)
	case errors.As(err, &others):
		var by []string
		for _, s := range others.Note.UnverifiedSigs {
			if len(c.keys) > 0 && s.Name == c.keys[0].Name() {
				by = append(by, proof.KeyName(s.Name, s.Hash))
			}
		}
		if len(by) > 0 {
			return failure(CodeWrongKey, "%s is signed by %s, which is none of the ledger's keys %s", what, strings.Join(by, " and "), keyNames(c.keys))
		}
		return failure(CodeNotSigned, "%s of %s is not signed by the ledger", what, origin)
	}
	return failure(CodeNotSigned, "%s is not signed by the ledger: %v", what, err)
}

func keyNames(keys []domain.VerifierKey) string {
	text := make([]string, len(keys))
	for i, k := range keys {
		text[i] = keyName(k)
	}
	return strings.Join(text, ", ")
}

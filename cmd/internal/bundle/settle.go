package bundle

import (
	"errors"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"github.com/milepost-ledger/milepost/domain"
)

// settle finds out how far each party has countersigned each agreement. Its
// countersignature of the ledger's tree covers the agreement's events as one of
// the agreement's own does.
func (v *verifier) settle() {
	r := v.replay
	v.report.Settlements = []Settlement{}
	signatures := 0
	for _, n := range r.trees.ledger.notes {
		signatures += len(n.Cosignatures)
	}
	for _, key := range r.trees.sorted() {
		t := r.trees.of(key)
		s := Settlement{Agreement: key, Events: t.frontier.Size(), Settled: t.frontier.Size(), Parties: []Witnessed{}}
		for _, n := range t.notes {
			signatures += len(n.Cosignatures)
		}
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
	for party := range v.witnesses.given {
		if !v.involved(party) {
			v.checks.fail(CheckWitnesses, failure(CodeCosignatureWrong, "you gave a key of %q, which is no party to anything here", party))
		}
	}
	if signatures > 0 {
		v.checks.pass(CheckWitnesses, "%d countersignatures are valid", signatures)
	}
}

func (v *verifier) involved(party domain.Key) bool {
	for _, s := range v.report.Settlements {
		for _, w := range s.Parties {
			if w.Party == party {
				return true
			}
		}
	}
	return v.replay.party(party) != nil
}

// witnessed is how far a party countersigned the events of an agreement's tree.
func (v *verifier) witnessed(p domain.Key, t *tree) Witnessed {
	w := Witnessed{Party: p, Given: v.witnesses.given[p]}
	if k := v.witnesses.present[p]; k != nil {
		w.Key = witnessID(k.Name(), k.KeyHash())
	}
	for _, of := range []*tree{t, v.replay.trees.ledger} {
		for _, n := range of.notes {
			if !n.matches || n.seen {
				continue
			}
			for _, c := range n.Cosignatures {
				if !slices.Contains(v.witnesses.of[witnessID(c.Name, c.KeyHash)], p) {
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
		id := witnessID(invalid.Name, invalid.Hash)
		if c.place(id) < 0 {
			return failure(CodeCosignatureWrong, "%s: the countersignature by %s is false", what, id)
		}
		return failure(CodeNotSigned, "%s: the signature by the ledger's key %s is false: what it says was changed", what, id)
	case errors.As(err, &others):
		var by []string
		for _, s := range others.Note.UnverifiedSigs {
			if len(c.keys) > 0 && s.Name == c.keys[0].Name() {
				by = append(by, witnessID(s.Name, s.Hash))
			}
		}
		if len(by) > 0 {
			return failure(CodeWrongKey, "%s is signed by %s, which is none of the ledger's keys %s", what, strings.Join(by, " and "), shorts(c.keys))
		}
		return failure(CodeNotSigned, "%s of %s is not signed by the ledger", what, origin)
	}
	return failure(CodeNotSigned, "%s is not signed by the ledger: %v", what, err)
}

func shorts(keys []domain.VerifierKey) string {
	text := make([]string, len(keys))
	for i, k := range keys {
		text[i] = short(k)
	}
	return strings.Join(text, ", ")
}

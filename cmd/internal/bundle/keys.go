package bundle

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"golang.org/x/mod/sumdb/note"

	"github.com/milepost-ledger/milepost/cmd/internal/signing"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/party"
	"github.com/milepost-ledger/milepost/eventstore/proof"
)

// Keys is keys.json. It says before the events what must follow from them at
// their end, so that a bundle is verified in one pass. The first key alone comes
// from no event: compare it with the one that you were given.
type Keys struct {
	First     domain.VerifierKey `json:"first"`     // of the ledger
	Rotations []signing.Rotation `json:"rotations"` // in their order
	Witnesses []WitnessKey       `json:"witnesses"` // by party
}

// WitnessKey is the key of a party, and those that it gave up.
type WitnessKey struct {
	Party  domain.Key           `json:"party"`
	Key    domain.VerifierKey   `json:"key"` // "" where it gave up the last
	Former []domain.VerifierKey `json:"former"`
}

func originOf(ledger string, agreement domain.Key) string {
	return proof.Origin(ledger, string(agreement))
}

// chain are the keys of a ledger from the first to the present one.
type chain struct {
	keys      []domain.VerifierKey
	verifiers []note.Verifier
	given     int // place of the key that the verifier was given; 0 when there is none
}

// follow checks that each key leads to the next, and finds the given one among
// them.
func (k *Keys) follow(ledger string, given domain.VerifierKey) (c chain, f *Failure) {
	name := originOf(ledger, "")
	if k.First.Name() != name || !k.First.Valid() {
		return c, failure(CodeWrongKey, "the key %q is not one of the ledger %q: those are called %s", k.First, ledger, name)
	}
	keys, err := signing.Follow(string(k.First), k.Rotations)
	if err != nil {
		keys = []string{string(k.First)}
	}
	for i, key := range keys {
		if e := domain.VerifierKey(key).NotAmong(c.keys); e != nil {
			keys, err = keys[:i], &signing.ChainError{Seq: k.Rotations[i-1].Seq, Err: e}
			break
		}
		c.keys = append(c.keys, domain.VerifierKey(key))
	}
	var e error
	if c.verifiers, e = proof.Verifiers(keys...); e != nil {
		return c, failure(CodeWrongKey, "%v", e)
	}
	if broken := (*signing.ChainError)(nil); errors.As(err, &broken) {
		f := failure(CodeRotationBroken, "the rotation of the ledger's key at sequence %d does not follow: %v", broken.Seq, broken.Err)
		f.Seq = broken.Seq
		return c, f
	}
	if given == "" {
		return c, nil
	}
	if c.given = slices.Index(c.keys, given); c.given >= 0 {
		return c, nil
	}
	c.given = 0
	if given.Name() != name {
		return c, failure(CodeProofOfOtherTree, "this is of the ledger %q, and the key that you gave is of %s", ledger, given.Name())
	}
	return c, failure(CodeWrongKey, "the key that you gave, %s, is none of this ledger's: it signs with %s", keyName(given), keyName(c.present()))
}

func (c chain) present() domain.VerifierKey { return c.keys[len(c.keys)-1] }

// place is that of the key by its name and hash, -1 for none.
func (c chain) place(key string) int {
	return slices.IndexFunc(c.keys, func(k domain.VerifierKey) bool { return keyName(k) == key })
}

// says tells people where the trust comes from.
func (c chain) says(given bool) string {
	rotated := ""
	if n := len(c.keys) - 1; n > 0 {
		rotated = fmt.Sprintf(", by %d signed rotations the present one %s", n, keyName(c.present()))
	}
	if given {
		return fmt.Sprintf("the ledger's key is %s, as you gave it%s", keyName(c.keys[c.given]), rotated)
	}
	return fmt.Sprintf("the ledger's first key is %s%s; IT WAS TAKEN FROM THE FILE ITSELF: compare it with the key that you were given, or give that with --ledger-key", c.keys[0], rotated)
}

// keyName is a key as signatures name it.
func keyName(k domain.VerifierKey) string {
	hash, _ := strconv.ParseUint(k.ID(), 16, 32) // its form was checked when it was read
	return proof.KeyName(k.Name(), uint32(hash))
}

// Witness is a key that the verifier was given for a party.
type Witness struct {
	Party domain.Key
	Key   domain.VerifierKey
}

// witnesses know whose countersignature is whose.
type witnesses struct {
	keys    []*proof.Witness
	of      map[string][]domain.Key // parties whose key it is, by the whole of it
	ids     map[string]bool         // the keys, as signatures name them
	present map[domain.Key]*proof.Witness
	given   map[domain.Key]bool
	names   map[string]domain.Key // a party whose key has that name
}

// newWitnesses takes the keys of the parties; one that was given counts instead of
// that of the log.
func newWitnesses(registered []WitnessKey, given []Witness) (*witnesses, error) {
	w := &witnesses{of: map[string][]domain.Key{}, ids: map[string]bool{}, present: map[domain.Key]*proof.Witness{}, given: map[domain.Key]bool{}, names: map[string]domain.Key{}}
	for _, g := range given {
		w.given[g.Party] = true
	}
	add := func(party domain.Key, key domain.VerifierKey, counts bool) error {
		k, err := proof.NewWitness(string(key))
		if err != nil {
			return fmt.Errorf("the key of %s: %w", party, err)
		}
		if _, known := w.of[k.Key()]; !known {
			w.keys = append(w.keys, k)
			w.of[k.Key()] = nil
		}
		w.ids[proof.KeyName(k.Name(), k.KeyHash())] = true
		if counts {
			w.of[k.Key()] = append(w.of[k.Key()], party)
			w.present[party] = k
		}
		w.names[k.Name()] = party
		return nil
	}
	for _, g := range given {
		if err := add(g.Party, g.Key, true); err != nil {
			return nil, err
		}
	}
	for _, r := range registered {
		// What a party signed with a key that it gave up is read, and does not count.
		for _, k := range r.Former {
			if err := add(r.Party, k, false); err != nil {
				return nil, err
			}
		}
		if r.Key == "" {
			continue
		}
		if err := add(r.Party, r.Key, !w.given[r.Party]); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// stranger finds a countersignature that bears the name of a party's key and is
// not by it.
func (w *witnesses) stranger(s *proof.Signed) *Failure {
	for _, c := range s.Unverified {
		if party, ok := w.names[c.Name]; ok {
			return failure(CodeCosignatureWrong, "the checkpoint of %s with %d leaves is countersigned in the name of %s, by another key than that of %q: %s",
				s.Origin, s.Size, c.Name, party, proof.KeyName(c.Name, c.KeyHash))
		}
	}
	return nil
}

// witnessKey is the entry of a party in keys.json; false when it never had a key.
func witnessKey(key domain.Key, s *party.State) (WitnessKey, bool) {
	if s == nil || s.Witness == "" && len(s.FormerWitnesses) == 0 {
		return WitnessKey{}, false
	}
	return WitnessKey{Party: key, Key: s.Witness, Former: append([]domain.VerifierKey{}, s.FormerWitnesses...)}, true
}

// keysOf are the keys as the events have them.
func (r *replay) keysOf(first domain.VerifierKey) Keys {
	k := Keys{First: first, Rotations: append([]signing.Rotation{}, r.rotations...), Witnesses: []WitnessKey{}}
	for ref := range r.aggregates {
		if ref.Kind == party.Kind {
			if w, ok := witnessKey(ref.Key, r.party(ref.Key)); ok {
				k.Witnesses = append(k.Witnesses, w)
			}
		}
	}
	slices.SortFunc(k.Witnesses, func(a, b WitnessKey) int {
		if a.Party < b.Party {
			return -1
		}
		return 1
	})
	return k
}

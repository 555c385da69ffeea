package bundle

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/milepost-ledger/milepost/cmd/internal/signing"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/catalogue"
	"github.com/milepost-ledger/milepost/domain/keyring"
	"github.com/milepost-ledger/milepost/domain/party"
	"github.com/milepost-ledger/milepost/eventstore"
)

// replay folds events as they come, hashes them into their trees, and holds them
// against each other. Writer and verifier share it: what does not replay is not
// written either.
type replay struct {
	source     string     // of every event
	agreement  domain.Key // "" for the whole ledger
	trees      trees
	aggregates map[domain.Ref]*aggregate
	named      map[domain.Hash]bool // files
	rotations  []signing.Rotation
	seq        uint64 // of the last event
	events     uint64
	wrong      func(*Failure)
}

type aggregate struct {
	kind          *domain.Aggregate
	state         any
	version       uint64
	command, hash string // of the last event
}

func newReplay(ledger string, agreement domain.Key, wrong func(*Failure)) *replay {
	r := &replay{
		source: "/ledgers/" + ledger, agreement: agreement, wrong: wrong,
		trees:      trees{ledgerName: ledger, agreements: map[domain.Key]*tree{}},
		aggregates: map[domain.Ref]*aggregate{}, named: map[domain.Hash]bool{},
	}
	r.trees.ledger = &tree{origin: originOf(ledger, ""), whole: true}
	if agreement != "" {
		r.trees.of(agreement)
	}
	return r
}

// begin compares the empty trees with their checkpoints: there can be one of no
// leaves.
func (r *replay) begin() {
	r.trees.ledger.reach()
	for _, t := range r.trees.agreements {
		t.reach()
	}
}

// add takes the next event of the log.
func (r *replay) add(d *decoded) {
	if d.seq <= r.seq || r.agreement == "" && d.seq != r.seq+1 {
		r.wrong(&Failure{Code: CodeEventMissing, Seq: r.seq + 1, Detail: fmt.Sprintf("sequence %d follows on %d: an event is missing, or is not in its place", d.seq, r.seq)})
	}
	r.seq = d.seq
	r.events++
	if r.agreement == "" {
		r.trees.ledger.append(d.leaf, d.seq)
	} else { // wherever it belongs: the root tells
		r.trees.of(r.agreement).append(d.leaf, d.seq)
	}
	if d.err == nil && d.env.Ref.Agreement != r.agreement {
		if r.agreement != "" {
			r.wrong(&Failure{Code: CodeForeignEvent, Seq: d.seq, Entity: d.env.Ref.String(),
				Detail: fmt.Sprintf("event %d belongs to %q, not to the agreement %q", d.seq, d.env.Ref, r.agreement)})
			return
		}
		r.trees.of(d.env.Ref.Agreement).append(d.leaf, d.seq)
	}
	r.fold(d)
}

// fold brings the event's aggregate on.
func (r *replay) fold(d *decoded) {
	if f := r.fault(d); f != nil {
		f.Seq = d.seq
		r.wrong(f)
		return
	}
	a := r.aggregate(d.env.Ref)
	if d.env.Version != a.version+1 {
		r.wrong(&Failure{Code: CodeVersionGap, Seq: d.seq, Entity: d.env.Ref.String(), Detail: fmt.Sprintf(
			"event %d is version %d of %s, and the one before it version %d: what is between them is missing, or out of order", d.seq, d.env.Version, d.env.Ref, a.version)})
	}
	if a.command == d.env.CommandID && a.hash != d.env.CommandHash {
		r.wrong(&Failure{Code: CodeEventInvalid, Seq: d.seq, Entity: d.env.Ref.String(), Detail: fmt.Sprintf(
			"event %d has the command of the event before it, %q, with another hash", d.seq, d.env.CommandID)})
	}
	a.state, a.version = a.kind.Evolve(a.state, d.event), d.env.Version
	a.command, a.hash = strings.Clone(d.env.CommandID), strings.Clone(d.env.CommandHash)
	for _, h := range d.named {
		if !r.named[h] {
			r.named[clone(h)] = true
		}
	}
	if e, ok := d.event.(keyring.KeyRotated); ok {
		r.rotations = append(r.rotations, signing.Rotation{Seq: d.seq, Old: e.Old, Key: e.Key, Statement: e.Statement})
	}
}

// fault says what is wrong with an event by itself.
func (r *replay) fault(d *decoded) *Failure {
	if unknown := (*catalogue.UnknownEventError)(nil); errors.As(d.err, &unknown) {
		return failure(CodeUnknownEvent, "event %d is of the type %q, which only a later version knows: verify with that", d.seq, unknown.Type)
	}
	if d.err != nil {
		return failure(CodeEventInvalid, "event %d does not read: %v", d.seq, d.err)
	}
	if d.env.Source != r.source {
		return failure(CodeForeignEvent, "event %d is of %q, not of %q", d.seq, d.env.Source, r.source)
	}
	if _, ok := catalogue.Aggregate(d.env.Ref.Kind); !ok {
		return failure(CodeEventInvalid, "event %d is of an aggregate of kind %q, and there is no such kind", d.seq, d.env.Ref.Kind)
	}
	if d.env.CommandID == "" {
		return failure(CodeEventInvalid, "event %d names no command", d.seq)
	}
	return nil
}

func (r *replay) aggregate(ref domain.Ref) *aggregate {
	a := r.aggregates[ref]
	if a == nil {
		kind, _ := catalogue.Aggregate(ref.Kind) // fault saw to it
		a = &aggregate{kind: kind}
		// The parts of a decoded event share its bytes, which need not stay for it.
		r.aggregates[domain.Ref{Agreement: clone(ref.Agreement), Kind: kind.Kind, Key: clone(ref.Key)}] = a
	}
	return a
}

func clone[S ~string](s S) S { return S(strings.Clone(string(s))) }

// parties are those of an agreement, as it is at the end.
func (r *replay) parties(key domain.Key) []domain.Key {
	if a := r.aggregates[agreement.Ref(key)]; a != nil {
		return a.state.(*agreement.State).Parties
	}
	return nil
}

// party is what is known of one at the end; nil when nothing is.
func (r *replay) party(key domain.Key) *party.State {
	if a := r.aggregates[party.Ref(key)]; a != nil {
		return a.state.(*party.State)
	}
	return nil
}

// digest is that of the state, as the package describes it.
func (r *replay) digest() string {
	refs := slices.SortedFunc(maps.Keys(r.aggregates), func(a, b domain.Ref) int {
		return cmp.Or(cmp.Compare(scope(a), scope(b)), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Key, b.Key))
	})
	h := sha256.New()
	var b []byte
	for _, ref := range refs {
		a := r.aggregates[ref]
		b = fmt.Appendf(b[:0], "%s.%s.%s %d\n", scope(ref), ref.Kind, ref.Key, a.version)
		a.kind.Diff(nil, a.state, func(c domain.Change) {
			if c.Part != "" {
				b = append(append(b, c.Part...), '.')
			}
			b = append(append(b, c.Field...), ' ')
			b = append(append(b, domain.EncodeValue(c.After)...), '\n')
		})
		_, _ = h.Write(b) // a hash takes every write
	}
	return hex.EncodeToString(h.Sum(nil))
}

// scope is where the agreement stands in subjects.
func scope(ref domain.Ref) string {
	if ref.Agreement == "" {
		return eventstore.LedgerWide
	}
	return string(ref.Agreement)
}

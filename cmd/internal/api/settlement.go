package api

import (
	"context"
	"fmt"
	"strings"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/eventstore/proof"
	"github.com/milepost-ledger/milepost/projections"
)

// Settlement says whether every party has countersigned a checkpoint that
// covers an event. From then on nobody can change or drop it unnoticed, not even
// the operator.
type Settlement struct {
	Settlement string       `json:"settlement" enum:"pending,settled" doc:"settled when a countersignature of every party covers the event: of the agreement's parties, or for what belongs to no agreement of all that have registered a key."`
	Awaits     []domain.Key `json:"awaits" doc:"The parties whose countersignature is lacking, also because they have not registered a key."`
}

const (
	pending = "pending"
	settled = "settled"
)

// witness is a party that countersigns.
type witness struct {
	party domain.Key
	vkey  string
	key   *proof.Witness
}

// witnesses are the parties that have registered a key, as far as the read
// models have come.
func (s *server) witnesses(ctx context.Context) (list []witness, err error) {
	at, err := s.cfg.Models.Resolve(ctx, "")
	if err != nil {
		return nil, err
	}
	page := projections.Page{Limit: projections.MaxLimit}
	for {
		parties, next, err := s.cfg.Models.Parties(ctx, at, page)
		if err != nil {
			return nil, err
		}
		for _, p := range parties {
			if p.Witness == "" {
				continue
			}
			key, err := proof.NewWitness(string(p.Witness))
			if err != nil {
				return nil, fmt.Errorf("witness of %s: %w", p.Party, err)
			}
			list = append(list, witness{p.Party, string(p.Witness), key})
		}
		if next == "" {
			return list, nil
		}
		page.Cursor = next
	}
}

// settler finds out how far events are settled, for one answer: it asks for each
// agreement and verifies each countersignature once.
type settler struct {
	s         *server
	at        projections.Point
	witnesses []witness
	parties   map[domain.Key][]domain.Key          // by agreement
	covered   map[domain.Key]map[domain.Key]uint64 // leaves that a party countersigned, by agreement and party
	keys      []string
}

func (s *server) settler(ctx context.Context) (*settler, error) {
	witnesses, err := s.witnesses(ctx)
	if err != nil {
		return nil, err
	}
	at, err := s.cfg.Models.Resolve(ctx, "")
	return &settler{s: s, at: at, witnesses: witnesses, parties: map[domain.Key][]domain.Key{}, covered: map[domain.Key]map[domain.Key]uint64{}, keys: s.cfg.Notary.Keys()}, err
}

// of finds out for one event. A countersignature of the ledger's tree covers it
// as one of its agreement's does.
func (t *settler) of(ctx context.Context, leaf projections.LeafOf) (Settlement, error) {
	parties, err := t.partiesOf(ctx, leaf.Agreement)
	if err != nil {
		return Settlement{}, err
	}
	whole, err := t.coveredOf("")
	if err != nil {
		return Settlement{}, err
	}
	own := map[domain.Key]uint64{}
	if leaf.Agreement != "" {
		if own, err = t.coveredOf(leaf.Agreement); err != nil {
			return Settlement{}, err
		}
	}
	answer := Settlement{Settlement: settled, Awaits: []domain.Key{}}
	for _, p := range parties {
		if whole[p] < leaf.Seq && (leaf.Agreement == "" || own[p] <= leaf.Index) {
			answer.Awaits = append(answer.Awaits, p)
		}
	}
	if len(answer.Awaits) > 0 || len(parties) == 0 {
		answer.Settlement = pending
	}
	return answer, nil
}

func (t *settler) partiesOf(ctx context.Context, agreement domain.Key) ([]domain.Key, error) {
	if list, ok := t.parties[agreement]; ok {
		return list, nil
	}
	var list []domain.Key
	if agreement == "" {
		for _, w := range t.witnesses {
			list = append(list, w.party)
		}
	} else {
		a, err := t.s.cfg.Models.Agreement(ctx, agreement, t.at)
		if err != nil {
			return nil, err
		}
		list = a.Parties
	}
	t.parties[agreement] = list
	return list, nil
}

// coveredOf reads the kept checkpoints of a tree.
func (t *settler) coveredOf(agreement domain.Key) (map[domain.Key]uint64, error) {
	if m, ok := t.covered[agreement]; ok {
		return m, nil
	}
	m := map[domain.Key]uint64{}
	verifiers, err := proof.Verifiers(t.keys...)
	if err != nil {
		return nil, err
	}
	byKey := map[string][]domain.Key{} // nothing keeps two parties from registering one key
	var keys []*proof.Witness
	for _, w := range t.witnesses {
		keys = append(keys, w.key)
		byKey[w.key.Key()] = append(byKey[w.key.Key()], w.party)
	}
	for _, kept := range t.s.cfg.Notary.Kept(string(agreement)) {
		signed, err := proof.Open(kept.Note, verifiers, keys...)
		if err != nil {
			return nil, err
		}
		for _, c := range signed.Cosignatures {
			for _, p := range byKey[c.Key] {
				m[p] = max(m[p], signed.Size)
			}
		}
	}
	t.covered[agreement] = m
	return m, nil
}

// settledUpTo is the sequence up to which every witness countersigned the
// ledger's tree.
func (t *settler) settledUpTo() (uint64, error) {
	covered, err := t.coveredOf("")
	if err != nil || len(t.witnesses) == 0 {
		return 0, err
	}
	least := covered[t.witnesses[0].party]
	for _, w := range t.witnesses {
		least = min(least, covered[w.party])
	}
	return least, nil
}

// header is the settlement in one line: "settled", or "pending; awaits=a b".
func (v Settlement) header() string {
	if len(v.Awaits) == 0 {
		return v.Settlement
	}
	names := make([]string, len(v.Awaits))
	for i, p := range v.Awaits {
		names[i] = string(p)
	}
	return v.Settlement + "; awaits=\"" + strings.Join(names, " ") + `"`
}

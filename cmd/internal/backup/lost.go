package backup

import (
	"cmp"
	"slices"
	"strings"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/eventstore"
)

// Lost is a file that a backup has not: one that an event names as evidence, so it was
// stored, or any other that was stored and is damaged.
type Lost struct {
	SHA256 string `json:"sha256"`
	Seq    uint64 `json:"seq,omitempty"` // of the first event that names it; 0 where none does
}

// named are the files that events name.
type named map[string]naming

type naming struct {
	seq      uint64 // of the first event that names it
	evidence bool   // so it was stored; else it may be the hash of what is on paper
}

// add notes what a record names. What is no event names nothing: whether the log is one
// of events is not what a backup says.
func (n named) add(rec eventstore.Record) {
	env, err := domain.DecodeEnvelope(rec.Data)
	if err != nil {
		return
	}
	for hash, evidence := range env.Files() {
		of, known := n[string(hash)]
		switch {
		case !known:
			n[strings.Clone(string(hash))] = naming{rec.Seq, evidence}
		case evidence && !of.evidence:
			of.evidence = true
			n[string(hash)] = of
		}
	}
}

// lost lists, in the order of the events, the files that are named as evidence and not
// there, and those that are known to be damaged.
func (n named) lost(there map[string]bool, damaged []string) (lost []Lost) {
	for _, hash := range damaged {
		lost = append(lost, Lost{hash, n[hash].seq})
	}
	for hash, of := range n {
		if of.evidence && !there[hash] && !slices.Contains(damaged, hash) {
			lost = append(lost, Lost{hash, of.seq})
		}
	}
	slices.SortFunc(lost, func(a, b Lost) int { return cmp.Or(cmp.Compare(a.Seq, b.Seq), cmp.Compare(a.SHA256, b.SHA256)) })
	return lost
}

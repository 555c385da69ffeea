package backup

import (
	"cmp"
	"slices"
	"strings"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/eventstore"
)

// Lost is a file that an event names as evidence and that a backup has not.
type Lost struct {
	SHA256 string `json:"sha256"`
	Seq    uint64 `json:"seq"` // of the first event that names it
}

// named are the files that events name as evidence, and that were not met yet, with
// the sequence of the first event.
type named map[string]uint64

// add notes what a record names. What is no event names nothing: whether the log is one
// of events is not what a backup says.
func (n named) add(rec eventstore.Record) {
	env, err := domain.DecodeEnvelope(rec.Data)
	if err != nil {
		return
	}
	for _, hash := range env.Evidence {
		if _, known := n[string(hash)]; !known {
			n[strings.Clone(string(hash))] = rec.Seq
		}
	}
}

// found notes that a file is there.
func (n named) found(hash string) { delete(n, hash) }

// left lists what was not found, in the order of the events.
func (n named) left() (lost []Lost) {
	for hash, seq := range n {
		lost = append(lost, Lost{hash, seq})
	}
	slices.SortFunc(lost, func(a, b Lost) int { return cmp.Or(cmp.Compare(a.Seq, b.Seq), cmp.Compare(a.SHA256, b.SHA256)) })
	return lost
}

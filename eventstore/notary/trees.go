package notary

import (
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/milepost-ledger/milepost/eventstore"
	"github.com/milepost-ledger/milepost/eventstore/proof"
)

// trees are the frontiers of all trees of a log, as of one sequence.
type trees struct {
	ledger     proof.Frontier
	last       tlog.Hash // of the last record
	agreements map[string]*proof.Frontier
}

func newTrees() *trees { return &trees{agreements: map[string]*proof.Frontier{}} }

// append takes the trees on by the next record of the log, and returns the
// agreement that it belongs to, "" for one of the whole ledger.
func (t *trees) append(rec eventstore.Record) (agreement string, err error) {
	if rec.Seq != t.ledger.Size()+1 {
		return "", &eventstore.GapError{Want: t.ledger.Size() + 1, Got: rec.Seq}
	}
	_, agreement, _, _, err = eventstore.ParseSubject(rec.Subject)
	if err != nil {
		return "", fmt.Errorf("notary: sequence %d: %w", rec.Seq, err)
	}
	leaf := tlog.RecordHash(rec.Data)
	t.ledger.Append(leaf)
	t.last = leaf
	if agreement == eventstore.LedgerWide {
		return "", nil
	}
	f := t.agreements[agreement]
	if f == nil {
		f = &proof.Frontier{}
		t.agreements[agreement] = f
	}
	f.Append(leaf)
	return agreement, nil
}

// of is the frontier of a tree, an empty one where no event made it yet.
func (t *trees) of(agreement string) *proof.Frontier {
	if agreement == "" {
		return &t.ledger
	}
	if f := t.agreements[agreement]; f != nil {
		return f
	}
	return &proof.Frontier{}
}

package bundle

import (
	"slices"
	"sort"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/eventstore/proof"
)

// tree grows with its events, and is held against each of its checkpoints when it
// has that size.
type tree struct {
	origin   string
	frontier proof.Frontier
	seqs     []uint64  // of its leaves; nil for the ledger's, where leaf n is event n+1
	whole    bool      // it is the ledger's
	notes    []*signed // ascending in size
	next     int       // of notes, not reached yet
	matched  uint64    // size of the last checkpoint that the events came to
	differs  *Failure  // the first that they did not come to
}

// signed is a checkpoint of a tree.
type signed struct {
	proof.Signed
	seen    bool // the verifier's own, not the bundle's
	matches bool // the events came to its root
}

// put adds a checkpoint before the first event.
func (t *tree) put(s *signed) {
	at, _ := slices.BinarySearchFunc(t.notes, s.Size, func(n *signed, size uint64) int {
		if n.Size < size {
			return -1
		}
		return 1
	})
	t.notes = slices.Insert(t.notes, at, s)
}

// reach compares the tree with its checkpoints of this size.
func (t *tree) reach() {
	if t.next == len(t.notes) || t.notes[t.next].Size != t.frontier.Size() {
		return
	}
	root := t.frontier.Root()
	for ; t.next < len(t.notes) && t.notes[t.next].Size == t.frontier.Size(); t.next++ {
		n := t.notes[t.next]
		n.matches = n.Root == root
		switch {
		case n.matches:
			t.matched = n.Size
		case n.seen:
		case t.differs == nil:
			from, to := t.seqAt(t.matched+1), t.seqAt(n.Size)
			t.differs = failure(CodeEventChanged, "the first %d events of %s are not those that were signed, the first %d are: one of the sequences %d to %d was changed, left out, put in or moved",
				n.Size, t.origin, t.matched, from, to)
			t.differs.Seq = from
		}
	}
}

func (t *tree) append(leaf tlog.Hash, seq uint64) {
	t.frontier.Append(leaf)
	if !t.whole {
		t.seqs = append(t.seqs, seq)
	}
	t.reach()
}

// seqAt is the sequence of the last of so many leaves, 0 where there are not so
// many.
func (t *tree) seqAt(size uint64) uint64 {
	switch {
	case size == 0 || size > t.frontier.Size():
		return 0
	case t.whole:
		return size
	}
	return t.seqs[size-1]
}

// upTo is how many leaves have a sequence of at most seq.
func (t *tree) upTo(seq uint64) uint64 {
	if t.whole {
		return min(seq, t.frontier.Size())
	}
	return uint64(sort.Search(len(t.seqs), func(i int) bool { return t.seqs[i] > seq }))
}

// short says that a checkpoint is of more events than there are.
func (t *tree) short() *Failure {
	for _, n := range t.notes[t.next:] {
		if n.seen {
			continue
		}
		f := failure(CodeEventMissing, "the checkpoint of %s has %d leaves, and there are %d events: the last ones are missing", t.origin, n.Size, t.frontier.Size())
		f.Seq = t.seqAt(t.frontier.Size()) + 1
		return f
	}
	return nil
}

// countersignatures is how many the bundle has of the tree.
func (t *tree) countersignatures() (n int) {
	for _, s := range t.notes {
		if !s.seen {
			n += len(s.Cosignatures)
		}
	}
	return n
}

// newest is the largest checkpoint of the bundle.
func (t *tree) newest() *signed {
	for i := len(t.notes) - 1; i >= 0; i-- {
		if !t.notes[i].seen {
			return t.notes[i]
		}
	}
	return nil
}

// trees are those of a bundle: one for each agreement, and the ledger's.
type trees struct {
	ledgerName string
	ledger     *tree
	agreements map[domain.Key]*tree
}

// of returns the tree of an agreement, made when it is asked for first.
func (t *trees) of(agreement domain.Key) *tree {
	if agreement == "" {
		return t.ledger
	}
	one := t.agreements[agreement]
	if one == nil {
		one = &tree{origin: proof.Origin(t.ledgerName, string(agreement))}
		t.agreements[domain.Key(clone(agreement))] = one
	}
	return one
}

// sorted are the agreements that have a tree.
func (t *trees) sorted() []domain.Key {
	keys := make([]domain.Key, 0, len(t.agreements))
	for k := range t.agreements {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

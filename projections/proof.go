package projections

import (
	"context"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
	"zombiezen.com/go/sqlite"

	"github.com/milepost-ledger/milepost/domain"
)

// LeafOf is an event's place in the Merkle trees: leaf Seq-1 of the ledger's,
// leaf Index of its agreement's.
type LeafOf struct {
	Seq       uint64
	Agreement domain.Key // "" where it belongs to the whole ledger; it is then in no agreement's tree
	Index     uint64     // 0 where it has no agreement
	Hash      tlog.Hash  // of the stored bytes
	EventID   string
}

// Leaf finds an event in the trees, or refuses with not-found.
func (m *Models) Leaf(ctx context.Context, seq uint64) (leaf LeafOf, err error) {
	err = m.read(ctx, Point{}, func(q *query) error {
		found := false
		err := each(q.conn, "SELECT agreement, leaf_index, leaf, event_id FROM event WHERE seq = ?", []any{seq}, func(stmt *sqlite.Stmt) (bool, error) {
			found = true
			leaf = LeafOf{Seq: seq, EventID: stmt.ColumnText(3)}
			stmt.ColumnBytes(2, leaf.Hash[:])
			if stmt.ColumnInt64(1) == noLeaf {
				return false, nil
			}
			leaf.Index = uint64(stmt.ColumnInt64(1))
			agreement, err := q.words.text(stmt.ColumnInt64(0))
			leaf.Agreement = domain.Key(agreement)
			return false, err
		})
		if err == nil && !found {
			err = domain.Refuse(domain.CodeNotFound, "seq", "there is no event %d", seq)
		}
		return err
	})
	return leaf, err
}

// Leaves returns the hashes of the events from one sequence to another, both
// included, in order.
func (m *Models) Leaves(ctx context.Context, from, to uint64) (hashes []tlog.Hash, err error) {
	if from == 0 || from > to {
		return nil, nil
	}
	err = m.read(ctx, Point{Seq: to}, func(q *query) error {
		err := each(q.conn, selectLeaves, []any{from - 1}, func(stmt *sqlite.Stmt) (bool, error) {
			var h tlog.Hash
			stmt.ColumnBytes(0, h[:])
			hashes = append(hashes, h)
			return uint64(len(hashes)) <= to-from, nil
		})
		if err == nil && uint64(len(hashes)) <= to-from {
			err = &TreeError{Tree: ledgerTree, What: fmt.Sprintf("the register has not every event from %d to %d", from, to)}
		}
		return err
	})
	return hashes, err
}

// TreeSize is the size of an agreement's tree with the events up to seq, or of
// the ledger's where agreement is "": that is seq itself. It refuses with
// not-found where the agreement has no event by then.
func (m *Models) TreeSize(ctx context.Context, agreement domain.Key, seq uint64) (size uint64, err error) {
	err = m.inTree(ctx, Point{Seq: seq}, agreement, func(r *tileReader, _ uint64) (err error) {
		if size, err = r.size(seq); err == nil && size == 0 && agreement != "" {
			err = domain.NotFound("agreement", "agreement", agreement)
		}
		return err
	})
	return size, err
}

// TreeRoot is the hash that an agreement's tree had with that size, or the
// ledger's where agreement is "". It comes from the stored hashes, and is worth
// what they are: see VerifyTables and Replay.
func (m *Models) TreeRoot(ctx context.Context, agreement domain.Key, size uint64) (root tlog.Hash, err error) {
	err = m.inTree(ctx, Point{}, agreement, func(r *tileReader, now uint64) (err error) {
		if err = checkSize("size", size, now); err == nil {
			root, err = treeHash(size, r.read)
		}
		return err
	})
	return root, err
}

// ProveInclusion proves that leaf index is in a tree of an agreement, or where
// agreement is "" of the ledger. Every hash that it reads is checked against the
// tree that is named; where they do not lead to it the error is a *TreeError.
func (m *Models) ProveInclusion(ctx context.Context, agreement domain.Key, tree tlog.Tree, index uint64) (proof tlog.RecordProof, err error) {
	err = m.prove(ctx, agreement, tree, func(hashes tlog.HashReader) (err error) {
		if index >= uint64(tree.N) {
			return domain.Refuse(CodeInvalidLeafIndex, "index", "a tree of %d leaves has no leaf %d; the first is 0", tree.N, index)
		}
		// The leaf itself is read first: a tree of one has a proof of nothing.
		if _, err = hashes.ReadHashes([]int64{tlog.StoredHashIndex(0, int64(index))}); err == nil {
			proof, err = tlog.ProveRecord(tree.N, int64(index), hashes)
		}
		return err
	})
	return proof, err
}

// ProveConsistency proves that the tree of size from is the beginning of
// another, with the same care as ProveInclusion. Every tree begins with the empty
// one, and with itself: of both there is a proof without hashes.
func (m *Models) ProveConsistency(ctx context.Context, agreement domain.Key, from uint64, tree tlog.Tree) (proof tlog.TreeProof, err error) {
	err = m.prove(ctx, agreement, tree, func(hashes tlog.HashReader) (err error) {
		if err = checkSize("from", from, uint64(tree.N)); err != nil {
			return err
		}
		if tree.N > 0 {
			if _, err = hashes.ReadHashes([]int64{tlog.StoredHashIndex(0, tree.N-1)}); err != nil {
				return err
			}
		}
		if from > 0 {
			proof, err = tlog.ProveTree(tree.N, int64(from), hashes)
		}
		return err
	})
	return proof, err
}

// prove lets f read the hashes of a tree that has been named.
func (m *Models) prove(ctx context.Context, agreement domain.Key, tree tlog.Tree, f func(tlog.HashReader) error) error {
	return m.inTree(ctx, Point{}, agreement, func(r *tileReader, now uint64) error {
		if err := checkSize("size", uint64(tree.N), now); err != nil {
			return err
		}
		if empty, _ := treeHash(0, nil); tree.N == 0 && tree.Hash != empty {
			return &TreeError{Tree: r.tree, What: "the empty tree has another hash than " + tree.Hash.String()}
		}
		r.tiles = map[tlog.Tile][]byte{}
		checked := tlog.TileHashReader(tree, r)
		return f(tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
			hashes, err := checked.ReadHashes(indexes)
			if err != nil && r.failed == nil {
				err = &TreeError{Tree: r.tree, What: fmt.Sprintf("the stored hashes do not give the tree of %d leaves with hash %s", tree.N, tree.Hash)}
			}
			return hashes, err
		}))
	})
}

// inTree answers a question about a tree, which now has that size.
func (m *Models) inTree(ctx context.Context, at Point, agreement domain.Key, f func(r *tileReader, now uint64) error) error {
	return m.read(ctx, at, func(q *query) error {
		last, err := readPosition(q.conn)
		if err != nil {
			return err
		}
		r := &tileReader{conn: q.conn, tree: ledgerTree}
		if agreement != "" {
			r.tree = string(agreement)
		}
		now, err := r.size(last.seq)
		if err != nil {
			return err
		}
		if now == 0 && agreement != "" {
			return domain.NotFound("agreement", "agreement", agreement)
		}
		return f(r, now)
	})
}

func checkSize(field string, size, now uint64) error {
	if size > now {
		return domain.Refuse(CodeInvalidTreeSize, field, "the tree has %d leaves, not yet %d", now, size)
	}
	return nil
}

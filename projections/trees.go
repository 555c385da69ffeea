package projections

import (
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/milepost-ledger/milepost/domain"
)

// trees are those that last grew. The projector owns it.
type trees struct {
	of    map[string]*tree // by name
	max   int
	whole bool // of holds every tree: the load of a new file
}

// treeParts is what a tree weighs beside the states of aggregates, in parts.
const treeParts = 64

func newTrees(whole bool, most int) *trees {
	return &trees{of: map[string]*tree{}, max: most, whole: whole}
}

// bound forgets the trees when they are too many. It is called between batches
// only, when the register has every leaf.
func (ts *trees) bound() {
	if len(ts.of) > ts.max && !ts.whole {
		clear(ts.of)
	}
}

// noLeaf is the index, in the tree of its agreement, of an event that has none.
const noLeaf = -1

// writeLeaf adds the event at hand to the trees that it belongs to, and writes
// the tiles that it fills. It returns its index in its agreement's tree.
func (p *projector) writeLeaf(agreement domain.Key, leaf tlog.Hash) (index int64, err error) {
	if p.view != nil { // which has no trees: a proof is of the whole log
		return noLeaf, nil
	}
	tiles := int64(0)
	grow := func(name string) error {
		t, err := p.tree(name)
		if err != nil {
			return fmt.Errorf("read tree %s: %w", name, err)
		}
		index = int64(t.size)
		if p.conn == nil { // whose hashes nobody asks for
			t.size++
			return nil
		}
		return t.add(leaf, func(row *tileRow) error {
			row.Tree = name
			p.room = tileTable.cells(p.room[:0], row, &p.memo)
			err := p.insert(tileTable.order, tileTable.insert, p.room, int64(p.next()<<tileBits)|tiles)
			tiles++
			return err
		})
	}
	if err = grow(ledgerTree); err != nil || agreement == "" {
		return noLeaf, err
	}
	err = grow(string(agreement))
	return index, err
}

// tree returns a tree as of the last event.
func (p *projector) tree(name string) (*tree, error) {
	t, ok := p.trees.of[name]
	if ok {
		return t, nil
	}
	t = &tree{}
	if !p.trees.whole {
		tiles := tileReader{conn: p.conn, tree: name}
		var err error
		if t.size, err = tiles.size(p.at.seq); err != nil {
			return nil, err
		}
		for level := 0; t.size>>(tileHeight*level) > 0; level++ {
			hashes, err := tiles.read(edgeTile(t.size, level))
			if err != nil {
				return nil, err
			}
			t.edge = append(t.edge, hashes)
		}
	}
	p.trees.of[name] = t
	return t, nil
}

// root is the hash of the ledger's tree as of the last event.
func (p *projector) root() (tlog.Hash, error) {
	t, err := p.tree(ledgerTree)
	if err != nil {
		return tlog.Hash{}, err
	}
	return t.root()
}

package projections

import (
	"bytes"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// Places of columns in the event register.
var (
	aggregateColumn = eventTable.column("aggregate")
	agreementColumn = eventTable.column("agreement")
	leafColumn      = eventTable.column("leaf")
	leafIndexColumn = eventTable.column("leaf_index")
)

// leaf lets the trees grow by the event whose row is at hand.
func (v *verifier) leaf(row []cell) error {
	agreement, index := row[agreementColumn], int64(noLeaf)
	if !agreement.null {
		index = int64(v.tree(agreement.s).size)
	}
	if got := row[leafIndexColumn].i; got != index {
		return fmt.Errorf("leaf_index is %d, not %d", got, index)
	}
	stored := row[leafColumn].s
	if len(stored) != tlog.HashSize {
		return errors.New("leaf is no hash")
	}
	leaf := tlog.Hash([]byte(stored))
	if err := v.grow(ledgerTree, leaf); err != nil || agreement.null {
		return err
	}
	return v.grow(agreement.s, leaf)
}

func (v *verifier) grow(name string, leaf tlog.Hash) error {
	return v.tree(name).add(leaf, func(row *tileRow) error {
		full := *row
		full.Tree, full.Hashes = name, bytes.Clone(row.Hashes)
		v.tiles = append(v.tiles, full)
		return nil
	})
}

func (v *verifier) tree(name string) *tree {
	if v.trees[name] == nil {
		v.trees[name] = &tree{}
	}
	return v.trees[name]
}

// tile holds a row against the next tile that the event has filled.
func (v *verifier) tile(row []cell) error {
	if len(v.tiles) == 0 {
		return errors.New("a tile that is not full yet")
	}
	want := &v.tiles[0]
	for i, x := range tileTable.cells(nil, want, &memo{}) {
		if got := row[i]; got.s != x.s || got.kind == columnInt && got.i != x.i {
			return fmt.Errorf("%s of tile %d of level %d is not what its leaves give", tileTable.cols[i].name, want.N, want.Level)
		}
	}
	v.tiles = v.tiles[1:]
	return nil
}

// missing says that a tile which the event has filled is not there.
func (v *verifier) missing(seq uint64) error {
	tile := &v.tiles[0]
	e := &TablesError{Seq: seq, Table: tileTable.name, What: fmt.Sprintf("table tile: tile %d of level %d is missing", tile.N, tile.Level)}
	e.Agreement, e.Entity = placeOf(rowEntity(orderTile, "", tileTable.cells(nil, tile, &memo{})))
	return e
}

package projections

import (
	"golang.org/x/mod/sumdb/tlog"
)

// Two kinds of Merkle trees of RFC 6962 are kept of the log: the ledger's, whose
// leaf i is event i+1, and one of each agreement, of its events in their order.
// A leaf's hash is that of the event's stored bytes. With the first, anyone
// checks that the log is the one he saw before; with the second, a party that
// nothing of its agreement was left out, without seeing those of others.
//
// The hashes are kept in tiles of height 8 as in tlog. The leaves stand in the
// event register. A tile is written when it is full, by the event that fills
// it; one that is not yet is read from the register, or on higher levels from the
// roots of the tiles below. So trees grow by insertion alone, as all tables
// do, and have every size that they ever had.

const (
	tileHeight = 8
	tileWidth  = 1 << tileHeight
	tileBits   = 4 // how many tiles one event can fill, as a power of two: 8 levels of 2 trees
)

// ledgerTree names the ledger's tree, where others bear the key of their
// agreement. No key is like it.
const ledgerTree = "-"

// tileRow is a full tile. Its id is the sequence of the event that filled it,
// and a number within the event.
type tileRow struct {
	Tree   string    `json:"tree" sql:"undigested"`
	Level  int       `json:"level" sql:"undigested"`
	N      uint64    `json:"n" sql:"undigested"`      // within the level
	Root   tlog.Hash `json:"root" sql:"undigested"`   // the hash of the next level; it stands before the hashes, which overflow the page
	Hashes []byte    `json:"hashes" sql:"undigested"` // tileWidth of them
}

var tileTable = newTable[tileRow](orderTile, "tile", "id")

// tree is a growing tree.
type tree struct {
	size uint64
	edge [][]byte // by level, the hashes of the tile that is not full
}

// add adds a leaf, and calls full for each tile that it fills, from the lowest
// up. The tile's hashes are valid during the call.
func (t *tree) add(leaf tlog.Hash, full func(*tileRow) error) error {
	t.size++
	hash := leaf
	for level := 0; ; level++ {
		if level == len(t.edge) {
			t.edge = append(t.edge, nil)
		}
		t.edge[level] = append(t.edge[level], hash[:]...)
		if len(t.edge[level]) < tileWidth*tlog.HashSize {
			return nil
		}
		row := tileRow{Level: level, N: t.size>>(tileHeight*(level+1)) - 1, Hashes: t.edge[level]}
		var err error
		if row.Root, err = row.root(); err == nil {
			err = full(&row)
		}
		if err != nil {
			return err
		}
		hash, t.edge[level] = row.Root, t.edge[level][:0]
	}
}

// root computes the hash of the tile as a tree.
func (r *tileRow) root() (tlog.Hash, error) {
	var halves [2]tlog.Hash
	for i := range halves {
		var err error
		t := tlog.Tile{H: tileHeight, L: r.Level, N: int64(r.N), W: tileWidth}
		index := tlog.StoredHashIndex(tileHeight*(r.Level+1)-1, int64(2*r.N)+int64(i))
		if halves[i], err = tlog.HashFromTile(t, r.Hashes, index); err != nil {
			return tlog.Hash{}, err
		}
	}
	return tlog.NodeHash(halves[0], halves[1]), nil
}

// root is the hash of the tree.
func (t *tree) root() (tlog.Hash, error) {
	return treeHash(t.size, func(tile tlog.Tile) ([]byte, error) { return t.edge[tile.L], nil })
}

// treeHash computes the hash of a tree of which read gives the tiles at the
// right edge, as wide as they are in it.
func treeHash(size uint64, read func(tlog.Tile) ([]byte, error)) (tlog.Hash, error) {
	return tlog.TreeHash(int64(size), tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		hashes := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			tile := edgeTile(size, tlog.TileForIndex(tileHeight, index).L)
			data, err := read(tile)
			if err == nil {
				hashes[i], err = tlog.HashFromTile(tile, data, index)
			}
			if err != nil {
				return nil, err
			}
		}
		return hashes, nil
	}))
}

// edgeTile is the tile of a level that is not full in a tree of that size; its
// width is 0 where every tile is.
func edgeTile(size uint64, level int) tlog.Tile {
	hashes := size >> (tileHeight * level)
	return tlog.Tile{H: tileHeight, L: level, N: int64(hashes >> tileHeight), W: int(hashes % tileWidth)}
}

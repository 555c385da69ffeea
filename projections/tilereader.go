package projections

import (
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
	"zombiezen.com/go/sqlite"
)

// tileReader reads the tiles of one tree.
type tileReader struct {
	conn   *sqlite.Conn
	tree   string
	tiles  map[tlog.Tile][]byte // that were read, where they may be asked for again
	failed error                // why ReadTiles could not
}

// The tree's rows are found by the id of its name. Those of the register come
// by sequence, those of higher levels by number.
const (
	selectTreeSize = `SELECT leaf_index + 1 FROM event WHERE agreement = (SELECT id FROM word WHERE text = ?) AND seq <= ? ORDER BY seq DESC LIMIT 1`
	selectTile     = `SELECT hashes FROM tile WHERE tree = (SELECT id FROM word WHERE text = ?) AND level = ? AND n = ?`
	selectRoots    = `SELECT root FROM tile WHERE tree = (SELECT id FROM word WHERE text = ?) AND level = ? AND n >= ? ORDER BY n`
	selectLeaves   = `SELECT leaf FROM event WHERE seq > ? ORDER BY seq`
	selectLeavesOf = `SELECT leaf FROM event WHERE agreement = (SELECT id FROM word WHERE text = ?1) AND seq >
	coalesce((SELECT id >> 4 FROM tile WHERE tree = (SELECT id FROM word WHERE text = ?1) AND level = 0 AND n = ?2), 0) ORDER BY seq`
)

// size is the size of the tree with the events up to seq.
func (r *tileReader) size(seq uint64) (uint64, error) {
	if r.tree == ledgerTree {
		return seq, nil
	}
	n, _, err := selectInt(r.conn, selectTreeSize, r.tree, seq)
	return uint64(n), err
}

// read reads a tile of the width asked for. It returns a *TreeError when there
// is less of it than that.
func (r *tileReader) read(t tlog.Tile) ([]byte, error) {
	if b, ok := r.tiles[t]; ok {
		return b, nil
	}
	query, args, rows := "", []any(nil), t.W
	switch {
	case t.W == 0:
		return nil, nil
	case t.W == tileWidth:
		query, args, rows = selectTile, []any{r.tree, t.L, t.N}, 1
	case t.L > 0:
		query, args = selectRoots, []any{r.tree, t.L - 1, t.N << tileHeight}
	case r.tree == ledgerTree:
		query, args = selectLeaves, []any{t.N << tileHeight}
	default:
		query, args = selectLeavesOf, []any{r.tree, t.N - 1}
	}
	b := make([]byte, t.W*tlog.HashSize)
	n, at := 0, 0
	err := each(r.conn, query, args, func(stmt *sqlite.Stmt) (bool, error) {
		at += stmt.ColumnBytes(0, b[at:])
		n++
		return n < rows, nil
	})
	if err == nil && at < len(b) {
		err = &TreeError{Tree: r.tree, What: fmt.Sprintf("tile %s is not whole", t.Path())}
	}
	if err == nil && r.tiles != nil {
		r.tiles[t] = b
	}
	return b, err
}

// Height, ReadTiles and SaveTiles make it a tlog.TileReader.
func (r *tileReader) Height() int { return tileHeight }

func (r *tileReader) ReadTiles(tiles []tlog.Tile) (data [][]byte, err error) {
	data = make([][]byte, len(tiles))
	for i, t := range tiles {
		if data[i], err = r.read(t); err != nil {
			r.failed = err
			return nil, err
		}
	}
	return data, nil
}

func (r *tileReader) SaveTiles([]tlog.Tile, [][]byte) {}

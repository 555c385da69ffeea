package proof

import (
	"math/bits"

	"golang.org/x/mod/sumdb/tlog"
)

// Frontier is what must be remembered of a tree to append to it and to know its
// root: the roots of the perfect subtrees that it consists of, at most one for
// each bit of its size. The zero value is the empty tree.
type Frontier struct {
	size  uint64
	roots []tlog.Hash // from the largest subtree to the smallest
}

// Size is the number of leaves.
func (f *Frontier) Size() uint64 { return f.size }

// Append appends the leaf of an event: tlog.RecordHash of its stored bytes.
func (f *Frontier) Append(leaf tlog.Hash) {
	// As many subtrees are complete now as the size ends in ones.
	for range bits.TrailingZeros64(^f.size) {
		last := len(f.roots) - 1
		leaf = tlog.NodeHash(f.roots[last], leaf)
		f.roots = f.roots[:last]
	}
	f.roots = append(f.roots, leaf)
	f.size++
}

// Root is the root of the tree; that of the empty one is the hash of nothing,
// as RFC 6962 says.
func (f *Frontier) Root() tlog.Hash {
	if f.size == 0 {
		return EmptyRoot
	}
	last := len(f.roots) - 1
	root := f.roots[last]
	for i := last - 1; i >= 0; i-- {
		root = tlog.NodeHash(f.roots[i], root)
	}
	return root
}

// Clone is a copy to go on from independently.
func (f *Frontier) Clone() *Frontier {
	return &Frontier{f.size, append([]tlog.Hash(nil), f.roots...)}
}

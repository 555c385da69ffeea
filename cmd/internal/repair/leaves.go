package repair

import (
	"context"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/milepost-ledger/milepost/eventstore/proof"
)

// authentic finds the hashes that the checkpoint was signed for. Whoever remembers
// them is believed if they give the signed root: the log itself, the read models,
// the source; or the source and the log together, where one has what the other
// lacks.
func (in Input) authentic(ctx context.Context, log, source surveyed) ([]tlog.Hash, error) {
	for _, of := range []func() []tlog.Hash{
		func() []tlog.Hash { return first(in.Signed.Size, log, surveyed{}) },
		func() []tlog.Hash { return in.remembered(ctx) },
		func() []tlog.Hash { return first(in.Signed.Size, source, log) },
		func() []tlog.Hash { return first(in.Signed.Size, log, source) },
	} {
		leaves := of()
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if gives(leaves, in.Signed) {
			return leaves, nil
		}
	}
	return nil, &UnprovenError{Size: in.Signed.Size}
}

// remembered are the leaves of the read models, nil where they have not all.
func (in Input) remembered(ctx context.Context) []tlog.Hash {
	if in.Leaves == nil || in.Signed.Size == 0 {
		return nil
	}
	leaves, err := in.Leaves(ctx, 1, in.Signed.Size)
	if err != nil {
		return nil // they are behind, or damaged: others may know
	}
	return leaves
}

// first are the leaves up to a sequence as one has them, and where that has none
// as the other does; nil where neither has one.
func first(size uint64, one, other surveyed) []tlog.Hash {
	leaves := make([]tlog.Hash, 0, min(size, uint64(len(one.leaves)+len(other.leaves))))
	for seq := uint64(1); seq <= size; seq++ {
		leaf, ok := one.leaves[seq]
		if !ok {
			leaf, ok = other.leaves[seq]
		}
		if !ok {
			return nil
		}
		leaves = append(leaves, leaf)
	}
	return leaves
}

// gives says whether leaves are those of a checkpoint.
func gives(leaves []tlog.Hash, signed proof.Checkpoint) bool {
	if uint64(len(leaves)) != signed.Size {
		return false
	}
	var tree proof.Frontier
	for _, leaf := range leaves {
		tree.Append(leaf)
	}
	return tree.Root() == signed.Root
}

// Ranges writes ascending sequences as "3, 7-9".
func Ranges(seqs []uint64) string {
	const most = 10
	var b strings.Builder
	n := 0
	for i := 0; i < len(seqs); n++ {
		if n == most {
			fmt.Fprintf(&b, " and %d more", len(seqs)-i)
			break
		}
		end := i
		for end+1 < len(seqs) && seqs[end+1] == seqs[end]+1 {
			end++
		}
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%d", seqs[i])
		if end > i {
			fmt.Fprintf(&b, "-%d", seqs[end])
		}
		i = end + 1
	}
	return b.String()
}

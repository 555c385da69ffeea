package proof

import (
	"crypto/sha256"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// EmptyRoot is the root of a tree without leaves.
var EmptyRoot = tlog.Hash(sha256.Sum256(nil))

// ForkError says that two checkpoints of one tree cannot both be true, as far as
// was shown: what the newer has is not what the older had, and more. With equal
// sizes both together, signed, prove it to anybody. Else a proof would refute it,
// and it is for the ledger to give one.
type ForkError struct {
	Old, New Checkpoint
	Err      error // of the consistency proof; nil where the sizes tell
}

func (e *ForkError) Error() string {
	if e.Old.Origin != e.New.Origin {
		return fmt.Sprintf("proof: the checkpoint is of %s, not of %s", e.New.Origin, e.Old.Origin)
	}
	if e.New.Size == e.Old.Size {
		return fmt.Sprintf("proof: FORK: two trees of %s with %d leaves, with the roots %s and %s", e.New.Origin, e.New.Size, e.Old.Root, e.New.Root)
	}
	return fmt.Sprintf("proof: FORK: the tree of %s with %d leaves does not begin with the one of %d that was seen before: %v", e.New.Origin, e.New.Size, e.Old.Size, e.Err)
}

func (e *ForkError) Unwrap() error { return e.Err }

// RollbackError says that a checkpoint has fewer leaves than one that was seen
// before: the log lost its end, or an old checkpoint was put back. By themselves
// two signed checkpoints do not prove it: the smaller one was true once.
type RollbackError struct{ Old, New Checkpoint }

func (e *RollbackError) Error() string {
	return fmt.Sprintf("proof: ROLLBACK: the tree of %s has %d leaves now, and had %d before", e.New.Origin, e.New.Size, e.Old.Size)
}

// CheckConsistency checks that the tree of the newer checkpoint begins with that
// of the older. Where the sizes are equal, or the older is empty, the proof is
// empty. The error is a *ForkError or a *RollbackError.
func CheckConsistency(older, newer Checkpoint, hashes tlog.TreeProof) error {
	switch {
	case older.Origin != newer.Origin:
		return &ForkError{Old: older, New: newer}
	case newer.Size < older.Size:
		return &RollbackError{older, newer}
	case newer.Size == older.Size && newer.Root != older.Root:
		return &ForkError{Old: older, New: newer}
	case newer.Size == older.Size, older.Size == 0:
		return nil
	}
	if err := tlog.CheckTree(hashes, int64(newer.Size), newer.Root, int64(older.Size), older.Root); err != nil {
		return &ForkError{Old: older, New: newer, Err: err}
	}
	return nil
}

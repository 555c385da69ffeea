package notary

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/milepost-ledger/milepost/eventstore/proof"
)

// ErrNoCosignature: a note that was handed in has no countersignature by a
// witness that the ledger knows.
var ErrNoCosignature = errors.New("notary: the note has no valid countersignature by a key that is registered")

// ErrTooManyCosignatures: the note of the checkpoint has as many signatures as a
// note can have. Countersign the next checkpoint.
var ErrTooManyCosignatures = errors.New("notary: the checkpoint has as many countersignatures as one can have")

// maxCosignatures is how many a note has at most, beside the ledger's signature:
// readers take no more.
const maxCosignatures = 99

// FutureCosignatureError: a countersignature says that it was made later than
// now. The clock of the witness is wrong, or it is to outlast all others.
type FutureCosignatureError struct{ At time.Time }

func (e *FutureCosignatureError) Error() string {
	return fmt.Sprintf("notary: the countersignature is of %s, which has not come: set the clock of the witness", e.At.Format(time.RFC3339))
}

// clockSkew is how far the clock of a witness may be ahead.
const clockSkew = 5 * time.Minute

// ForeignCheckpointError: a checkpoint that was handed in is not of this ledger,
// or of a history that it does not have. Where it carries the ledger's valid
// signature, it proves that two histories were signed.
type ForeignCheckpointError struct {
	Signed proof.Signed
	What   string
}

func (e *ForeignCheckpointError) Error() string { return "notary: " + e.What }

// Cosign takes in a checkpoint with a countersignature by one of the witnesses,
// and returns it with all that it has. The tree that it is of must be a
// beginning of the present one. witnesses are all that are registered: lines of
// other keys, which were given up, are dropped from the note.
func (n *Notary) Cosign(ctx context.Context, msg []byte, witnesses ...*proof.Witness) (proof.Signed, error) {
	if n.opts.ReadOnly != nil {
		return proof.Signed{}, n.opts.ReadOnly
	}
	if err := n.lock(ctx); err != nil {
		return proof.Signed{}, err
	}
	defer n.mu.Unlock()
	s, err := proof.Open(msg, n.notes.keys, witnesses...)
	if err != nil {
		return s, err
	}
	ledger, agreement, err := proof.ParseOrigin(s.Origin)
	if err != nil {
		return s, err
	}
	if ledger != n.opts.Ledger {
		return s, &ForeignCheckpointError{s, "the checkpoint is of ledger " + ledger + ", this is " + n.opts.Ledger}
	}
	if len(s.Cosignatures) == 0 {
		return s, ErrNoCosignature
	}
	if err := n.own(ctx, agreement, s); err != nil {
		return s, err
	}
	for _, c := range s.Cosignatures {
		if c.At.After(time.Now().Add(clockSkew)) {
			return s, &FutureCosignatureError{c.At}
		}
	}
	whole, lines := s.Bare(), s.Cosignatures // of what was handed in, only what was verified is kept
	if kept, ok := n.keptAt(agreement, s.Size); ok {
		whole, lines = kept.Bare(), append(registered(kept.Unverified, witnesses), lines...)
	}
	newest := newestOfEach(lines)
	if len(newest) > maxCosignatures {
		return s, ErrTooManyCosignatures
	}
	for _, line := range newest {
		whole = proof.WithLines(whole, line)
	}
	if _, err := n.notes.put(agreement, whole); err != nil {
		return s, err
	}
	return proof.Open(whole, n.notes.keys, witnesses...)
}

// registered are the lines by keys of the witnesses.
func registered(list []proof.Cosignature, witnesses []*proof.Witness) (kept []proof.Cosignature) {
	for _, c := range list {
		if slices.ContainsFunc(witnesses, func(w *proof.Witness) bool { return witnessOf(c) == witness{w.Name(), w.KeyHash()} }) {
			kept = append(kept, c)
		}
	}
	return kept
}

// newestOfEach returns the newest line of each witness: however often one
// countersigns, a note stays as short as it is.
func newestOfEach(list []proof.Cosignature) (lines []string) {
	newest := map[witness]proof.Cosignature{}
	var order []witness
	for _, c := range list {
		was, seen := newest[witnessOf(c)]
		if !seen {
			order = append(order, witnessOf(c))
		}
		if !seen || c.At.After(was.At) {
			newest[witnessOf(c)] = c
		}
	}
	for _, w := range order {
		lines = append(lines, newest[w].Line)
	}
	return lines
}

// own checks that a signed checkpoint is of the present history. n.mu is held.
func (n *Notary) own(ctx context.Context, agreement string, s proof.Signed) error {
	if err := n.advance(ctx); err != nil {
		return err
	}
	f := n.trees.of(agreement)
	root := f.Root()
	switch kept, ok := n.keptAt(agreement, s.Size); {
	case s.Size > f.Size():
		return &ForeignCheckpointError{s, fmt.Sprintf("the checkpoint has %d leaves, and the tree %s only %d: the log lost its end, or another one was signed with this key", s.Size, s.Origin, f.Size())}
	case ok:
		root = kept.Root
	case s.Size < f.Size() && n.opts.Index == nil:
		return errors.New("notary: which root an older tree had is not known without an index")
	case s.Size < f.Size():
		var err error
		if root, err = n.opts.Index.TreeRoot(ctx, agreement, s.Size); err != nil {
			return fmt.Errorf("notary: the tree %s with %d leaves: %w", s.Origin, s.Size, err)
		}
	}
	if root != s.Root {
		return &ForeignCheckpointError{s, fmt.Sprintf("the tree %s had another root at %d leaves: two histories were signed with this key", s.Origin, s.Size)}
	}
	return nil
}

func (n *Notary) keptAt(agreement string, size uint64) (proof.Signed, bool) {
	for _, s := range n.notes.of(agreement) {
		if s.Size == size {
			return s, true
		}
	}
	return proof.Signed{}, false
}

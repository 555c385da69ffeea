package notary

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/milepost-ledger/milepost/eventstore"
	"github.com/milepost-ledger/milepost/eventstore/proof"
)

// DisagreeError says that the log is not the one that a checkpoint was signed
// for.
type DisagreeError struct {
	Origin string // of the tree of the checkpoint
	Size   uint64 // of the checkpoint, in leaves
	Seq    uint64 // the first sequence that differs, or after which one must
	Until  uint64 // the first one that differs lies in [Seq, Until]; 0 when it is Seq
	What   string
}

func (e *DisagreeError) Error() string {
	where := fmt.Sprintf("sequence %d", e.Seq)
	if e.Until > e.Seq {
		where = fmt.Sprintf("a sequence between %d and %d", e.Seq, e.Until)
	}
	return fmt.Sprintf("notary: the log disagrees with the checkpoint of %s at %d from %s on: %s", e.Origin, e.Size, where, e.What)
}

// comparison is a walk through the log past the checkpoints that were signed.
type comparison struct {
	log     Log
	opts    *Options
	trees   *trees                    // of what was read
	pending map[string][]proof.Signed // not reached yet, by agreement
	size    uint64                    // of the newest checkpoint of the ledger
	agreed  map[string]uint64         // sequence of the last checkpoint that agrees, by agreement
}

// comparison with all checkpoints that are kept. n.mu is held.
func (n *Notary) comparison(trees *trees) *comparison {
	last, _ := n.notes.latest("")
	return &comparison{log: n.log, opts: &n.opts, trees: trees, pending: maps.Clone(n.notes.kept), agreed: map[string]uint64{}, size: last.Size}
}

// walk reads the log from its first record up to a sequence, compares the trees
// with each checkpoint on the way, and calls each with what was read.
func (c *comparison) walk(ctx context.Context, until uint64, each func([]eventstore.Record) error) error {
	if err := c.meet(ctx, ""); err != nil {
		return err
	}
	for chunk, err := range c.log.ReadChunks(ctx, 1, until, "") {
		if err != nil {
			return c.broken(ctx, err)
		}
		for _, rec := range chunk {
			agreement, err := c.trees.append(rec)
			if err != nil {
				return c.broken(ctx, err)
			}
			for _, of := range []string{"", agreement} {
				if err := c.meet(ctx, of); err != nil {
					return err
				}
			}
		}
		if err := each(chunk); err != nil {
			return err
		}
	}
	return c.ended(ctx)
}

// meet compares the tree with the checkpoint of its size, if there is one.
func (c *comparison) meet(ctx context.Context, agreement string) error {
	list := c.pending[agreement]
	f := c.trees.of(agreement)
	if len(list) == 0 || list[0].Size != f.Size() {
		return nil
	}
	s := list[0]
	if s.Root != f.Root() {
		return c.locate(ctx, s.Checkpoint, c.trees.ledger.Size(), "the records up to there do not give the root that was signed")
	}
	c.pending[agreement] = list[1:]
	c.agreed[agreement] = c.trees.ledger.Size()
	return nil
}

// broken explains a log that cannot be read to its end.
func (c *comparison) broken(ctx context.Context, err error) error {
	gap, torn, subject, damaged := (*eventstore.GapError)(nil), (*eventstore.TornBatchError)(nil), (*eventstore.SubjectError)(nil), (*eventstore.DamagedError)(nil)
	d := &DisagreeError{Origin: proof.Origin(c.opts.Ledger, ""), Size: c.size, Seq: c.trees.ledger.Size() + 1}
	switch {
	case errors.As(err, &gap):
		d.Seq, d.What = gap.Want, fmt.Sprintf("it is missing; the log goes on with %d", gap.Got)
	case errors.As(err, &damaged):
		d.Seq, d.What = damaged.Seq, "it cannot be read"
	case errors.As(err, &torn):
		d.What = "an atomic batch is torn"
		if last, err := c.log.Last(ctx); err == nil && last == torn.Seq {
			d.Seq, d.What = last+1, "it is missing: the log ends within an atomic batch"
		}
	case errors.As(err, &subject):
		d.What = err.Error()
	default:
		return fmt.Errorf("notary: read the log: %w", err)
	}
	return d
}

// ended checks that no checkpoint goes beyond the end of the log. That of a copy
// may only not be there yet.
func (c *comparison) ended(ctx context.Context) error {
	if c.opts.ReadOnly != nil {
		return nil
	}
	last := c.trees.ledger.Size()
	for _, agreement := range slices.Sorted(maps.Keys(c.pending)) { // that of the ledger first
		list := c.pending[agreement]
		if len(list) == 0 {
			continue
		}
		s := list[len(list)-1]
		if agreement == "" {
			return c.locate(ctx, s.Checkpoint, last+1, fmt.Sprintf("the log ends at %d, and %d records were signed for", last, s.Size))
		}
		return c.locate(ctx, s.Checkpoint, last, fmt.Sprintf("the log has %d events of the agreement, and %d were signed for", c.trees.of(agreement).Size(), s.Size))
	}
	return nil
}

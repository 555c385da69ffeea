package notary

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

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

// check reads the log from its first record, and compares the trees with each
// kept checkpoint on the way.
func (n *Notary) check(ctx context.Context) error {
	last, err := n.log.Last(ctx)
	if err != nil {
		return fmt.Errorf("notary: %w", err)
	}
	c := &comparison{notary: n, pending: map[string][]proof.Signed{}}
	for agreement, list := range n.notes.kept {
		c.pending[agreement] = list
	}
	if err := c.meet(ctx, ""); err != nil {
		return err
	}
	if last > 0 {
		for chunk, err := range n.log.ReadChunks(ctx, 1, last, "") {
			if err != nil {
				return c.broken(err)
			}
			for _, rec := range chunk {
				agreement, err := n.trees.append(rec)
				if err != nil {
					return c.broken(err)
				}
				for _, of := range []string{"", agreement} {
					if err := c.meet(ctx, of); err != nil {
						return err
					}
				}
			}
			if n.opts.Progress != nil {
				n.opts.Progress(n.trees.ledger.Size(), last)
			}
		}
	}
	return c.ended(ctx)
}

// comparison is a walk through the log past the checkpoints that were signed.
type comparison struct {
	notary  *Notary
	pending map[string][]proof.Signed // not reached yet, by agreement
	agreed  uint64                    // the last sequence up to which a checkpoint of the ledger agrees
}

// meet compares the tree with the checkpoint of its size, if there is one.
func (c *comparison) meet(ctx context.Context, agreement string) error {
	list := c.pending[agreement]
	f := c.notary.trees.of(agreement)
	if len(list) == 0 || list[0].Size != f.Size() {
		return nil
	}
	s := list[0]
	if s.Root != f.Root() {
		return c.locate(ctx, s.Checkpoint, c.notary.trees.ledger.Size())
	}
	c.pending[agreement] = list[1:]
	if agreement == "" {
		c.agreed = s.Size
	}
	return nil
}

// broken explains a log that cannot be read to its end.
func (c *comparison) broken(err error) error {
	gap, torn, subject := (*eventstore.GapError)(nil), (*eventstore.TornBatchError)(nil), (*eventstore.SubjectError)(nil)
	d := &DisagreeError{Origin: proof.Origin(c.notary.opts.Ledger, ""), Size: c.size()}
	switch {
	case errors.As(err, &gap):
		d.Seq, d.What = gap.Want, fmt.Sprintf("it is missing; the log goes on with %d", gap.Got)
	case errors.As(err, &torn):
		d.Seq, d.What = torn.Seq, "an atomic batch is torn"
	case errors.As(err, &subject):
		d.Seq, d.What = c.notary.trees.ledger.Size()+1, err.Error()
	default:
		return fmt.Errorf("notary: read the log: %w", err)
	}
	return d
}

func (c *comparison) size() uint64 {
	last, _ := c.notary.notes.latest("")
	return last.Size
}

// ended checks that no checkpoint goes beyond the end of the log.
func (c *comparison) ended(ctx context.Context) error {
	last := c.notary.trees.ledger.Size()
	if list := c.pending[""]; len(list) > 0 {
		s := list[len(list)-1]
		return &DisagreeError{Origin: s.Origin, Size: s.Size, Seq: last + 1, What: fmt.Sprintf("it is missing: the log ends at %d, and %d records were signed for", last, s.Size)}
	}
	for agreement, list := range c.pending {
		if len(list) == 0 {
			continue
		}
		s, has := list[len(list)-1], c.notary.trees.of(agreement).Size()
		return c.locate(ctx, s.Checkpoint, last, fmt.Sprintf("the log has %d events of the agreement, and %d were signed for", has, s.Size))
	}
	return nil
}

// locate finds the first sequence up to until that is not what was signed. The
// index knows the hash of each record; it is believed as far as it gives the
// root that was signed.
func (c *comparison) locate(ctx context.Context, signed proof.Checkpoint, until uint64, what ...string) error {
	d := &DisagreeError{Origin: signed.Origin, Size: signed.Size, Seq: c.agreed + 1, Until: until, What: "the records up to there do not give the root that was signed"}
	if len(what) > 0 {
		d.What = what[0]
	}
	index := c.notary.opts.Index
	if index == nil {
		return d
	}
	_, agreement, err := proof.ParseOrigin(signed.Origin)
	if err != nil {
		return err
	}
	if root, err := index.TreeRoot(ctx, agreement, signed.Size); err != nil || root != signed.Root {
		return d // it was made from this log, or is damaged itself
	}
	seq, found, err := firstDifference(ctx, c.notary.log, index, d.Seq, until)
	if err != nil {
		return errors.Join(d, err)
	}
	if found {
		d.Seq, d.Until, d.What = seq, 0, "its bytes are not those that were signed"
	}
	return d
}

// firstDifference compares records with the hashes that the index has of them,
// as far as it goes.
func firstDifference(ctx context.Context, log Log, index Index, from, to uint64) (seq uint64, found bool, err error) {
	for chunk, err := range log.ReadChunks(ctx, from, to, "") {
		if err != nil {
			return 0, false, err
		}
		leaves, err := index.Leaves(ctx, chunk[0].Seq, chunk[len(chunk)-1].Seq)
		if err != nil {
			return 0, false, nil
		}
		for i, rec := range chunk {
			if i >= len(leaves) || leaves[i] != tlog.RecordHash(rec.Data) {
				return rec.Seq, true, nil
			}
		}
	}
	return 0, false, nil
}

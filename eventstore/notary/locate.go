package notary

import (
	"context"
	"errors"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/milepost-ledger/milepost/eventstore"
	"github.com/milepost-ledger/milepost/eventstore/proof"
)

// locate names the first sequence that is not what was signed. It is one up to
// until, which lies behind the end of the log when records are missing. The index
// knows the hash of each record; it is believed where it gives the root that was
// signed.
func (c *comparison) locate(ctx context.Context, signed proof.Checkpoint, until uint64, what string) error {
	_, agreement, err := proof.ParseOrigin(signed.Origin)
	if err != nil {
		return err
	}
	d := &DisagreeError{Origin: signed.Origin, Size: signed.Size, Seq: c.agreed[agreement] + 1, What: what}
	if until > d.Seq {
		d.Until = until
	}
	index := c.opts.Index
	if index == nil {
		return d
	}
	if root, err := index.TreeRoot(ctx, agreement, signed.Size); err != nil || root != signed.Root {
		return d // it was made from this log, or is damaged itself
	}
	seq, what, err := c.firstChanged(ctx, d.Seq, until)
	if err == nil && seq == 0 && agreement != "" {
		seq, what, err = c.firstMoved(ctx, agreement, until)
	}
	if err != nil {
		return errors.Join(d, err)
	}
	if seq != 0 {
		d.Seq, d.Until, d.What = seq, 0, what
	}
	return d
}

// firstChanged finds the first record whose bytes have not the hash that the
// index has for its place, or the end of the log where until lies behind it.
func (c *comparison) firstChanged(ctx context.Context, from, until uint64) (seq uint64, what string, err error) {
	next := from
	for chunk, err := range c.log.ReadChunks(ctx, from, until, "") {
		if err != nil {
			return 0, "", err
		}
		leaves, err := c.opts.Index.Leaves(ctx, chunk[0].Seq, chunk[len(chunk)-1].Seq)
		if err != nil {
			return 0, "", err
		}
		for i, rec := range chunk {
			if i >= len(leaves) || leaves[i] != tlog.RecordHash(rec.Data) {
				return rec.Seq, "its bytes are not those that were signed", nil
			}
		}
		next = chunk[len(chunk)-1].Seq + 1
	}
	if next <= until {
		return next, "it is missing", nil
	}
	return 0, "", nil
}

// firstMoved finds the first record that is of another agreement than it was, in
// a log in which no bytes are changed.
func (c *comparison) firstMoved(ctx context.Context, agreement string, until uint64) (seq uint64, what string, err error) {
	type place struct {
		seq  uint64
		leaf tlog.Hash
	}
	var tree proof.Frontier
	var others []place // what is of others, since the last record of the agreement
	missing := func(want tlog.Hash) (uint64, string) {
		for _, p := range others {
			if rootWith(&tree, p.leaf) == want {
				return p.seq, "it was of agreement " + agreement + " when that was signed"
			}
		}
		return 0, ""
	}
	for chunk, err := range c.log.ReadChunks(ctx, 1, until, "") {
		if err != nil {
			return 0, "", err
		}
		for _, rec := range chunk {
			_, of, _, _, err := eventstore.ParseSubject(rec.Subject)
			if err != nil {
				return 0, "", err
			}
			leaf := tlog.RecordHash(rec.Data)
			if of != agreement {
				others = append(others, place{rec.Seq, leaf})
				continue
			}
			want, err := c.opts.Index.TreeRoot(ctx, agreement, tree.Size()+1)
			if err != nil {
				return 0, "", err
			}
			if rootWith(&tree, leaf) != want {
				if seq, what := missing(want); seq != 0 {
					return seq, what, nil
				}
				return rec.Seq, "it was not of agreement " + agreement + " when that was signed", nil
			}
			tree.Append(leaf)
			others = others[:0]
		}
	}
	want, err := c.opts.Index.TreeRoot(ctx, agreement, tree.Size()+1)
	if err == nil {
		seq, what = missing(want)
	}
	return seq, what, err
}

// rootWith is the root that a tree would have with one leaf more.
func rootWith(tree *proof.Frontier, leaf tlog.Hash) tlog.Hash {
	larger := tree.Clone()
	larger.Append(leaf)
	return larger.Root()
}

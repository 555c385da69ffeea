package notary

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/milepost-ledger/milepost/eventstore"
)

// beginning is the comparison of the whole log with which a notary begins. The trees
// are its own until it has ended.
type beginning struct {
	cancel context.CancelFunc
	beside atomic.Bool   // Open has returned before it ended
	ended  chan struct{} // closed at its end
	err    error         // how it ended
}

// begin compares the log with every checkpoint. What takes longer than
// Options.Patience goes on when it has returned, unless the log is shorter than what
// was signed: nothing may be appended to that.
func (n *Notary) begin(ctx context.Context) error {
	last, err := n.log.Last(ctx)
	damaged := errors.As(err, new(*eventstore.DamagedError)) // reading comes to it
	if err != nil && !damaged {
		return fmt.Errorf("notary: %w", err)
	}
	newest, signed := n.notes.latest("")
	if last > 0 && !signed {
		n.opts.Logger.Warn("no checkpoint is kept, so nothing shows whether the log is whole; is this the right directory?", "checkpoints", n.opts.Dir, "events", last)
	}
	own, cancel := context.WithCancel(context.WithoutCancel(ctx))
	n.first = &beginning{cancel: cancel, ended: make(chan struct{})}
	go func() {
		defer close(n.first.ended)
		defer cancel()
		n.first.err = n.compareAll(own, last)
	}()
	var patience <-chan time.Time
	if n.opts.Patience > 0 && !damaged && newest.Size <= last {
		timer := time.NewTimer(n.opts.Patience)
		defer timer.Stop()
		patience = timer.C
	}
	select {
	case <-n.first.ended:
		return n.first.err
	case <-patience:
		n.first.beside.Store(true)
		return nil
	case <-ctx.Done():
		cancel()
		<-n.first.ended
		return ctx.Err()
	}
}

// compareAll reads the log up to last into the trees, and compares. When nobody waits
// for it, it tries again where the log cannot be read.
func (n *Notary) compareAll(ctx context.Context, last uint64) error {
	for {
		n.trees = newTrees()
		err := n.comparison(n.trees).walk(ctx, last, func([]eventstore.Record) error {
			read := n.trees.ledger.Size()
			n.scrub.set(func(s *Scrub) { s.State, s.Seq, s.Until = ScrubBeginning, read, last })
			if n.opts.Progress != nil && !n.first.beside.Load() {
				n.opts.Progress(read, last)
			}
			return ctx.Err()
		})
		n.scrub.set(func(s *Scrub) { s.State, s.Seq, s.Until = ScrubOff, 0, 0 })
		disagree := (*DisagreeError)(nil)
		switch {
		case errors.As(err, &disagree):
			n.disagree.Store(disagree)
			if n.first.beside.Load() {
				n.opts.Logger.Error(disagreement, "error", err)
			}
			return err
		case err == nil || ctx.Err() != nil || !n.first.beside.Load():
			return err
		}
		n.opts.Logger.Warn("the log could not be compared with its checkpoints, it will be tried again", "error", err)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(n.opts.Every):
		}
	}
}

// lock takes n.mu when the log has been compared. The error is how that ended, or
// that it has not.
func (n *Notary) lock(ctx context.Context) error {
	select {
	case <-n.first.ended:
	case <-ctx.Done():
		return fmt.Errorf("notary: the log is still being compared with its checkpoints: %w", ctx.Err())
	}
	if n.first.err != nil {
		return n.first.err
	}
	n.mu.Lock()
	return nil
}

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
// was signed, or its end is torn: nothing may be appended to that.
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
	hasEnd := !damaged && newest.Size <= last && n.readable(ctx, last)
	own, cancel := context.WithCancel(context.WithoutCancel(ctx))
	n.first = &beginning{cancel: cancel, ended: make(chan struct{})}
	go func() {
		defer close(n.first.ended)
		defer cancel()
		n.first.err = n.compareAll(own, last)
	}()
	var patience <-chan time.Time
	if n.opts.Patience > 0 && hasEnd {
		timer := time.NewTimer(n.opts.Patience)
		defer timer.Stop()
		patience = timer.C
	}
	select {
	case <-n.first.ended:
		return n.first.err
	case <-patience:
		n.first.beside.Store(true)
		select {
		case <-n.first.ended: // in the same moment
			return n.first.err
		default:
			return nil
		}
	case <-ctx.Done():
		cancel()
		<-n.first.ended
		return ctx.Err()
	}
}

// readable says whether the last record can be read, and no batch lacks its end there.
func (n *Notary) readable(ctx context.Context, last uint64) bool {
	if last == 0 {
		return true
	}
	for _, err := range n.log.ReadChunks(ctx, last, last, "") {
		if err != nil {
			return false
		}
	}
	return true
}

// Begun waits until the log has been compared, and returns how that ended.
func (n *Notary) Begun(ctx context.Context) error {
	select {
	case <-n.first.ended:
		return n.first.err
	case <-ctx.Done():
		return fmt.Errorf("notary: the log is still being compared with its checkpoints: %w", ctx.Err())
	}
}

// Close breaks off a comparison that goes on. Who waits for it hears that, and nothing
// is signed any more.
func (n *Notary) Close() {
	n.first.cancel()
	<-n.first.ended
}

// compareAll reads the log up to last into the trees, and compares. When nobody waits
// for it, it tries again where the log cannot be read.
func (n *Notary) compareAll(ctx context.Context, last uint64) error {
	n.scrub.set(func(s *Scrub) { s.State, s.Until = ScrubBeginning, last })
	defer n.scrub.set(func(s *Scrub) { s.State, s.Seq, s.Until = ScrubOff, 0, 0 })
	for begun := time.Now(); ; {
		n.trees = newTrees()
		err := n.comparison(n.trees).walk(ctx, last, func([]eventstore.Record) error {
			read := n.trees.ledger.Size()
			n.scrub.set(func(s *Scrub) { s.Seq = read })
			if n.opts.Progress != nil && !n.first.beside.Load() {
				n.opts.Progress(read, last)
			}
			return ctx.Err()
		})
		disagree := (*DisagreeError)(nil)
		switch {
		case errors.As(err, &disagree):
			n.disagree.Store(disagree)
			if n.first.beside.Load() {
				n.opts.Logger.Error(disagreement, "error", err)
			}
			return err
		case err == nil || ctx.Err() != nil || errors.Is(err, eventstore.ErrClosed) || !n.first.beside.Load():
			n.failing.Store(nil)
			return err
		}
		n.failing.Store(&SigningError{Since: begun, Err: err})
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
	if err := n.Begun(ctx); err != nil {
		return err
	}
	n.mu.Lock()
	return nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/milepost-ledger/milepost/eventstore/notary"
)

// followPause lies between two attempts to follow a log that cannot be read.
const followPause = time.Second

// run feeds the read models, and has the notary sign and scrub, until halt. When the read models cannot be fed they answer that they
// are behind, and it is tried again: an external server may come back.
func (n *node) run(ctx context.Context) {
	ctx, n.stop = context.WithCancel(ctx)
	n.running.Go(func() {
		if err := n.notary.Run(ctx); err != nil {
			n.refused <- err
		}
	})
	n.running.Go(func() {
		for {
			err := n.models.Follow(ctx, n.store)
			if ctx.Err() != nil {
				return
			}
			n.cfg.log.Error("the read models stopped following the log", "error", err)
			select {
			case <-ctx.Done():
				return
			case <-time.After(followPause):
			}
		}
	})
}

// signGrace is how long the signature under the end of the log may take; without it
// the next start signs.
const signGrace = 5 * time.Second

// halt stops what run began, and has the end of the log signed.
func (n *node) halt() {
	if n.stop == nil {
		return
	}
	n.stop()
	n.running.Wait()
	n.stop = nil
	if n.cfg.follow {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), signGrace)
	defer cancel()
	if _, err := n.notary.Checkpoint(ctx, ""); err != nil {
		n.cfg.log.Warn("the end of the log is not signed yet", "error", err)
	}
}

// orRefused is why the log is refused, where something else came upon it first.
func (n *node) orRefused(ctx context.Context, err error) error {
	if err == nil || n.notary == nil {
		return err
	}
	if disagree := (*notary.DisagreeError)(nil); errors.As(n.notary.Begun(ctx), &disagree) {
		return disagree
	}
	return err
}

// catchUp waits until the read models show all that the log has now.
func (n *node) catchUp(ctx context.Context) error {
	last, err := n.store.Last(ctx)
	if err != nil {
		return err
	}
	if err := n.models.Wait(ctx, last); err != nil {
		return fmt.Errorf("read models of %s: %w", n.cfg.dir, err)
	}
	return nil
}

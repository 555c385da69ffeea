package notary

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/milepost-ledger/milepost/eventstore"
	"github.com/milepost-ledger/milepost/eventstore/proof"
)

// Scrub says how far the scrub has come.
type Scrub struct {
	State  string    // one of the constants below
	Seq    uint64    // up to which the present pass has read
	Until  uint64    // where the present pass ends
	Passes uint64    // complete ones, since the start
	Last   time.Time // end of the last complete pass; zero before the first
	Err    error     // what it found; nil while all agrees
}

// States of a scrub.
const (
	ScrubOff       = "off"
	ScrubBeginning = "beginning" // the whole log is compared once, at full speed; until then nothing is signed
	ScrubWaiting   = "waiting"
	ScrubReading   = "reading"
	ScrubFailed    = "failed" // and does not go on: what is damaged must be repaired first
)

type scrub struct {
	mu  sync.Mutex
	now Scrub
}

func (s *scrub) set(f func(*Scrub)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(&s.now)
}

// Scrub says how far the scrub has come.
func (n *Notary) Scrub() Scrub {
	n.scrub.mu.Lock()
	defer n.scrub.mu.Unlock()
	now := n.scrub.now
	if now.State == "" {
		now.State = ScrubOff
	}
	return now
}

// disagreement is logged when it is found in a ledger that is served.
const disagreement = "THE LOG IS NOT WHAT WAS SIGNED"

// Run keeps the newest checkpoint of the ledger close to the end of the log, and
// scrubs, until ctx ends. It returns nil then, and a *DisagreeError where the
// comparison that Open left to it ends with one.
func (n *Notary) Run(ctx context.Context) error {
	defer context.AfterFunc(ctx, n.first.cancel)()
	<-n.first.ended
	if err := n.first.err; err != nil {
		if errors.As(err, new(*DisagreeError)) {
			return err
		}
		return nil // it was broken off
	}
	var running sync.WaitGroup
	defer running.Wait()
	if n.opts.ScrubRate > 0 {
		running.Go(func() { n.scrubOn(ctx) })
	}
	tick := time.NewTicker(n.opts.Every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		_, err := n.Checkpoint(ctx, "")
		switch was := n.failing.Load(); {
		case ctx.Err() != nil:
		case err == nil, n.opts.ReadOnly != nil && errors.Is(err, n.opts.ReadOnly):
			n.failing.Store(nil)
		case was == nil:
			n.failing.Store(&SigningError{Since: time.Now(), Err: err})
			n.opts.Logger.Error("no checkpoint could be signed, it will be tried again", "error", err)
		default:
			n.failing.Store(&SigningError{Since: was.Since, Err: err})
		}
	}
}

// scrubOn makes one pass after the other, until one fails.
func (n *Notary) scrubOn(ctx context.Context) {
	for {
		n.scrub.set(func(s *Scrub) { s.State = ScrubReading })
		err := n.ScrubOnce(ctx)
		if ctx.Err() != nil {
			return
		}
		if errors.As(err, new(*DisagreeError)) {
			n.scrub.set(func(s *Scrub) { s.State, s.Err = ScrubFailed, err })
			n.opts.Logger.Error(disagreement, "error", err)
			return
		}
		if err != nil {
			n.opts.Logger.Warn("the scrub could not read the log, it will try again", "error", err)
		}
		n.scrub.set(func(s *Scrub) { s.State = ScrubWaiting })
		select {
		case <-ctx.Done():
			return
		case <-time.After(n.opts.ScrubRest):
		}
	}
}

// ScrubOnce reads and hashes the log from its first record up to the newest
// checkpoint, at the rate of Options, and compares. The error is a
// *DisagreeError when the log is not what was signed.
func (n *Notary) ScrubOnce(ctx context.Context) error {
	if err := n.lock(ctx); err != nil {
		return err
	}
	err := n.advance(ctx)
	if err == nil {
		_, err = n.sign("")
	}
	c := n.comparison(newTrees())
	n.mu.Unlock()
	if err != nil || c.size == 0 {
		return err
	}
	n.scrub.set(func(s *Scrub) { s.Seq, s.Until = 0, c.size })
	pace := newPacer(n.opts.ScrubRate)
	if err := c.walk(ctx, c.size, func(chunk []eventstore.Record) error {
		if err := c.sameAsIndexed(ctx, chunk); err != nil {
			return err
		}
		n.scrub.set(func(s *Scrub) { s.Seq = c.trees.ledger.Size() })
		return pace.wait(ctx, len(chunk))
	}); err != nil {
		return err
	}
	n.scrub.set(func(s *Scrub) { s.Passes++; s.Last = time.Now().UTC() })
	return nil
}

// sameAsIndexed finds a damaged record as soon as it is read, where the index
// goes so far. Whichever of the two is at fault, somebody must look.
func (c *comparison) sameAsIndexed(ctx context.Context, chunk []eventstore.Record) error {
	index := c.opts.Index
	if index == nil {
		return nil
	}
	leaves, err := index.Leaves(ctx, chunk[0].Seq, chunk[len(chunk)-1].Seq)
	if err != nil {
		return nil // the root is compared at the end all the same
	}
	for i, rec := range chunk {
		if i < len(leaves) && leaves[i] != tlog.RecordHash(rec.Data) {
			return &DisagreeError{
				Origin: proof.Origin(c.opts.Ledger, ""), Size: c.size, Seq: rec.Seq,
				What: "its bytes are not those that the read models were made from",
			}
		}
	}
	return nil
}

// pacer bounds a rate.
type pacer struct {
	rate  int // a second; 0 does not bound
	start time.Time
	done  int
}

func newPacer(rate int) *pacer { return &pacer{rate: rate, start: time.Now()} }

// wait returns when n more fit into the rate.
func (p *pacer) wait(ctx context.Context, n int) error {
	p.done += n
	if p.rate <= 0 {
		return ctx.Err()
	}
	due := p.start.Add(time.Duration(float64(p.done) / float64(p.rate) * float64(time.Second)))
	pause := time.Until(due)
	if pause <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("notary: scrub: %w", ctx.Err())
	}
}

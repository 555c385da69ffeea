package webhook

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/milepost-ledger/milepost/cmd/internal/access"
	"github.com/milepost-ledger/milepost/cmd/internal/feed"
	hooks "github.com/milepost-ledger/milepost/domain/webhook"
	"github.com/milepost-ledger/milepost/projections"
)

// runner delivers one webhook as it was registered and may be sent events at one
// time. When either changes, it ends, and another takes over from its file.
type runner struct {
	d    *Deliverer
	hook access.Webhook
	view projections.View
	name string // of the view

	cancel context.CancelFunc
	done   chan struct{}

	secret Secret // of the goroutine
	kept   uint64 // what the file has as position.After; of the goroutine

	mu sync.Mutex
	at *position // nil before it is known
}

// Between an attempt to follow that failed and the next.
const followPause = time.Second

// keepEvery is how many sequences that are not for the webhook are passed before
// that is worth a write.
const keepEvery = 10_000

// errChanged says that the webhook, or what it may be sent, is not any more what
// the runner was made for.
var errChanged = errors.New("webhook: it was changed")

func newRunner(d *Deliverer, hook access.Webhook, view projections.View) *runner {
	return &runner{d: d, hook: hook, view: view, name: view.Name(), done: make(chan struct{})}
}

// isFor reports whether the runner does what is to be done.
func (r *runner) isFor(hook access.Webhook, view projections.View) bool {
	return r.hook.Version == hook.Version && r.name == view.Name()
}

func (r *runner) start(ctx context.Context) {
	ctx, r.cancel = context.WithCancel(ctx)
	go func() {
		defer func() {
			close(r.done)
			select {
			case r.d.ended <- struct{}{}:
			default: // it will look at all of them
			}
		}()
		r.run(ctx)
	}()
}

// stop ends the runner and waits for it. A request under way is given up.
func (r *runner) stop() {
	r.cancel()
	<-r.done
}

func (r *runner) hasEnded() bool {
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}

// run follows the events until ctx ends or the webhook was changed. What fails
// beside the requests is tried again.
func (r *runner) run(ctx context.Context) {
	for {
		err := r.open(ctx)
		if err == nil {
			err = r.follow(ctx)
		}
		if ctx.Err() != nil || errors.Is(err, errChanged) {
			break
		}
		if !errors.Is(err, projections.ErrClosed) { // a view that was closed is opened again
			r.d.opts.Logger.Error("a webhook cannot be delivered", "webhook", r.hook.Webhook, "error", err)
		}
		if r.d.opts.Sleep(ctx, followPause) != nil {
			break
		}
	}
	if p := r.position(); p != nil && p.After > r.kept {
		if err := r.keep(*p); err != nil {
			r.d.opts.Logger.Warn("some of the log will be looked at again", "webhook", r.hook.Webhook, "error", err)
		}
	}
}

// open finds out from where on to send.
func (r *runner) open(ctx context.Context) (err error) {
	if r.position() != nil {
		return nil
	}
	if r.secret, err = r.d.secrets.of(r.hook.Webhook, r.hook.Generation); err != nil {
		return err
	}
	p, err := r.d.files.read(r.hook.Webhook)
	switch {
	case err != nil:
		return err
	case p != nil && p.Restarts == r.hook.Restarts:
		r.kept = p.After
		if p.Failing != nil && p.Failing.Version != r.hook.Version {
			p.Failing = nil // enabled again, or changed otherwise, it has failed no time yet
		}
		r.set(*p)
		return nil
	case r.hook.From > 0:
		return r.keep(position{After: r.hook.From - 1, Restarts: r.hook.Restarts})
	case r.hook.Restarts > 0: // from 0 on
		return r.keep(position{Restarts: r.hook.Restarts})
	}
	registered, err := r.registered(ctx)
	if err != nil {
		return err
	}
	return r.keep(position{After: registered})
}

// registered is the sequence of the webhook's registration.
func (r *runner) registered(ctx context.Context) (uint64, error) {
	for {
		seqs, upTo, err := r.d.opts.History.History(ctx, hooks.Ref(r.hook.Webhook))
		if err == nil && len(seqs) > 0 {
			return seqs[0], nil
		}
		if err == nil {
			err = r.d.opts.History.Wait(ctx, upTo+1) // the directory is ahead of them
		}
		if err != nil {
			return 0, err
		}
	}
}

func (r *runner) follow(ctx context.Context) error {
	filter := feed.Filter{Agreement: r.hook.Agreement, Kinds: r.hook.Kinds, Types: r.hook.Types}
	for chunk, err := range r.d.opts.Follow(ctx, r.view, filter, r.position().After) {
		if err != nil {
			return err
		}
		for _, e := range chunk.Events {
			if err := r.deliver(ctx, e); err != nil {
				return err
			}
		}
		if err := r.pass(chunk.UpTo); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// deliver sends one event until it is accepted.
func (r *runner) deliver(ctx context.Context, e feed.Event) error {
	for {
		if err := r.await(ctx); err != nil {
			return err
		}
		// It is sent by what holds as of this event or later, however long it has
		// been waiting.
		if err := r.d.opts.Directory.Wait(ctx, e.Seq); err != nil {
			return err
		}
		if !r.isCurrent() {
			return errChanged
		}
		a := r.send(ctx, e)
		if a.accepted() {
			r.d.metrics.delivered(r.hook.Webhook, r.d.opts.Now().Sub(a.At))
			return r.keep(position{After: e.Seq, Restarts: r.hook.Restarts, Last: &a.attempt})
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := r.failed(ctx, a); err != nil {
			return err
		}
	}
}

// await waits until the next attempt is due.
func (r *runner) await(ctx context.Context) error {
	f := r.position().Failing
	if f == nil {
		return ctx.Err()
	}
	pause := min(f.Next.Sub(r.d.opts.Now()), 2*longestPause()) // the clock may have been set back
	if pause <= 0 {
		return ctx.Err()
	}
	return r.d.opts.Sleep(ctx, pause)
}

// isCurrent reports whether the directory still says what the runner is for.
func (r *runner) isCurrent() bool {
	hook, err := r.d.find(r.hook.Webhook)
	return err == nil && r.isFor(hook, r.d.opts.Directory.ViewOf(hook.Agreement, hook.Cleared))
}

// failed notes a failure, and disables the webhook when it is no use.
func (r *runner) failed(ctx context.Context, a answer) error {
	r.d.metrics.failed(r.hook.Webhook)
	p := *r.position()
	now := r.d.opts.Now().UTC()
	f := failing{Version: r.hook.Version, Since: a.At}
	if p.Failing != nil {
		f = *p.Failing
		// While no server ran nobody tried, and that is not the receiver's fault.
		f.For += max(0, min(now.Sub(p.Last.At), 2*longestPause()))
	}
	f.Failures++
	f.Next = now.Add(pauseAfter(f.Failures, a.retryAfter, chance()))
	p.Failing, p.Last = &f, &a.attempt
	r.d.opts.Logger.Warn("a webhook was not accepted", "webhook", r.hook.Webhook, "seq", a.Seq,
		"failures", f.Failures, "error", a.Error, "next", f.Next)
	if err := r.keep(p); err != nil {
		return err
	}
	switch {
	case a.gone():
		return r.disable(ctx, "the receiver is gone", fmt.Sprintf("It answered 410 to the event of sequence %d.", a.Seq))
	case f.For >= patience:
		return r.disable(ctx, "five days of nothing but failures",
			fmt.Sprintf("Since %s the event of sequence %d was sent %d times. The last time, %s.", f.Since.Format(time.RFC3339), a.Seq, f.Failures, a.Error))
	}
	return nil
}

func (r *runner) position() *position {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.at
}

func (r *runner) set(p position) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.at = &p
}

// keep puts the position on disk, which must be done before anything else is
// sent: until it is, it is tried again.
func (r *runner) keep(p position) error {
	if err := r.d.files.write(r.hook.Webhook, p); err != nil {
		return err
	}
	r.kept = p.After
	r.set(p)
	return nil
}

// pass goes by what is not for this webhook.
func (r *runner) pass(upTo uint64) error {
	p := *r.position()
	p.After = max(p.After, upTo)
	if p.After >= r.kept+keepEvery {
		return r.keep(p)
	}
	r.set(p)
	return nil
}

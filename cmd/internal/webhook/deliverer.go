package webhook

import (
	"context"
	"crypto/x509"
	"iter"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/milepost-ledger/milepost/cmd/internal/access"
	"github.com/milepost-ledger/milepost/cmd/internal/feed"
	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
	"github.com/milepost-ledger/milepost/domain"
	hooks "github.com/milepost-ledger/milepost/domain/webhook"
	"github.com/milepost-ledger/milepost/projections"
)

// Directory says which webhooks there are and what they may be sent;
// *access.Directory is one.
type Directory interface {
	// Webhooks are all that were ever registered, as of the log's end or a moment
	// before.
	Webhooks() []access.Webhook
	// Changed is closed when anything that the directory says changes. It is asked
	// for first, and then what it is about.
	Changed() <-chan struct{}
	// Wait returns when the directory knows the log up to seq.
	Wait(ctx context.Context, seq uint64) error
	// ViewOf is what a webhook may be sent, by its agreement ("" for all of them)
	// and whether it is cleared for what is restricted.
	ViewOf(agreement domain.Key, cleared bool) projections.View
}

// History is what the deliverer asks the main read models; *projections.Models is
// one.
type History interface {
	// History returns the sequences of an aggregate's events.
	History(ctx context.Context, ref domain.Ref) (seqs []uint64, upTo uint64, err error)
	// Wait returns when they have reached seq.
	Wait(ctx context.Context, seq uint64) error
	Position() projections.Position
}

// Options of a deliverer. The first group is what it works with.
type Options struct {
	Dir       string // the data directory
	Directory Directory
	History   History
	// Follow yields the events of a view, as feed.Feed's Follow does.
	Follow func(ctx context.Context, view projections.View, filter feed.Filter, after uint64) iter.Seq2[feed.Chunk, error]
	// Execute is that of the ledger; by it a webhook is disabled.
	Execute func(ctx context.Context, req ledger.Request) (ledger.Receipt, error)
	Logger  *slog.Logger // nil discards

	Allow []netip.Prefix // networks that are not public, and may be sent to nonetheless
	HTTP  bool           // addresses without TLS may be sent to

	Roots    *x509.CertPool // by which certificates are verified; nil are the system's
	Resolver *net.Resolver  // nil is the system's

	Timeout time.Duration                              // of one request, its answer included; 15 s when 0
	Now     func() time.Time                           // time.Now when nil
	Sleep   func(context.Context, time.Duration) error // until the time is over or ctx ends; nil is that of the system
}

// Deliverer delivers the webhooks of one ledger. Make it with New.
type Deliverer struct {
	opts    Options
	secrets secrets
	files   files
	client  *http.Client
	metrics metrics
	ended   chan struct{} // a runner has ended by itself

	mu      sync.Mutex
	runners map[domain.Key]*runner // of the enabled webhooks
}

// New returns a deliverer. It does nothing until Run, and needs no closing after
// it.
func New(opts Options) *Deliverer {
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.Timeout <= 0 {
		opts.Timeout = 15 * time.Second
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Sleep == nil {
		opts.Sleep = sleep
	}
	return &Deliverer{
		opts: opts, secrets: secrets{file: KeyFile(opts.Dir)}, files: filesOf(opts.Dir), client: newClient(opts),
		metrics: newMetrics(), ended: make(chan struct{}, 1), runners: map[domain.Key]*runner{},
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Run delivers until ctx ends, with one goroutine for each enabled webhook, for
// all of which it waits. A webhook that cannot be delivered holds up no other.
func (d *Deliverer) Run(ctx context.Context) {
	defer d.client.CloseIdleConnections()
	defer func() {
		for _, r := range d.taken() {
			r.stop()
		}
	}()
	for ctx.Err() == nil {
		changed := d.opts.Directory.Changed()
		for _, hook := range d.opts.Directory.Webhooks() {
			d.settle(ctx, hook)
		}
		select {
		case <-changed:
		case <-d.ended:
		case <-ctx.Done():
		}
	}
}

// taken takes all runners away.
func (d *Deliverer) taken() map[domain.Key]*runner {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := d.runners
	d.runners = map[domain.Key]*runner{}
	return all
}

// settle has a webhook delivered as the directory has it now.
func (d *Deliverer) settle(ctx context.Context, hook access.Webhook) {
	view := d.opts.Directory.ViewOf(hook.Agreement, hook.Cleared)
	old := d.running(hook.Webhook)
	if old != nil && !old.hasEnded() && old.isFor(hook, view) {
		return
	}
	if old != nil {
		old.stop()
	}
	if hook.State.State == hooks.StatusEnabled {
		r := newRunner(d, hook, view)
		d.put(hook.Webhook, r)
		r.start(ctx)
		return
	}
	d.put(hook.Webhook, nil)
	if hook.State.State == hooks.StatusRemoved { // it never comes back
		d.metrics.forget(hook.Webhook)
		if err := d.files.remove(hook.Webhook); err != nil {
			d.opts.Logger.Warn("the position of a webhook that was removed is still there", "error", err)
		}
	}
}

func (d *Deliverer) running(webhook domain.Key) *runner {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.runners[webhook]
}

func (d *Deliverer) put(webhook domain.Key, r *runner) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if r == nil {
		delete(d.runners, webhook)
		return
	}
	d.runners[webhook] = r
}

// find returns a webhook that was not removed, as the directory has it.
func (d *Deliverer) find(webhook domain.Key) (access.Webhook, error) {
	for _, hook := range d.opts.Directory.Webhooks() {
		if hook.Webhook == webhook && hook.State.State != hooks.StatusRemoved {
			return hook, nil
		}
	}
	return access.Webhook{}, domain.NotFound(hooks.Kind, hooks.Kind, webhook)
}

// Wait returns when the deliverer knows the log up to seq.
func (d *Deliverer) Wait(ctx context.Context, seq uint64) error {
	return d.opts.Directory.Wait(ctx, seq)
}

// Secret is what a webhook's requests are signed with. A webhook that was removed
// has none.
func (d *Deliverer) Secret(webhook domain.Key) (Secret, error) {
	hook, err := d.find(webhook)
	if err != nil {
		return Secret{}, err
	}
	return d.secrets.of(hook.Webhook, hook.Generation)
}

// chance is from 0 to 1.
func chance() float64 { return rand.Float64() }

package webhook_test

import (
	"context"
	"crypto/x509"
	"fmt"
	"iter"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/access"
	"github.com/milepost-ledger/milepost/cmd/internal/feed"
	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
	"github.com/milepost-ledger/milepost/cmd/internal/webhook"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/party"
	hooks "github.com/milepost-ledger/milepost/domain/webhook"
	"github.com/milepost-ledger/milepost/eventstore"
	"github.com/milepost-ledger/milepost/projections"
)

// rig is a ledger with all that a deliverer works with. Time stands still but for
// pauses, which are over at once.
type rig struct {
	testing.TB
	dir       string
	store     *eventstore.Store
	models    *projections.Models
	views     *projections.Views
	ledger    *ledger.Ledger
	feed      *feed.Feed
	directory *directory
	clock     *clock
	log       *lines
	n         int
}

func newRig(t testing.TB) *rig {
	t.Helper()
	dir := t.TempDir()
	store, err := eventstore.Open(t.Context(), eventstore.Config{Dir: dir, Ledger: "test"})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, store.Close()) })
	models, err := projections.Open(t.Context(), projections.Options{Dir: dir, Ledger: "test"})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, models.Close()) })
	r := &rig{TB: t, dir: dir, store: store, models: models, feed: feed.New(store), clock: newClock(), log: &lines{}}
	r.ledger = ledger.New(store, ledger.Options{Name: "test", Register: models})
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = models.Follow(ctx, store) })
	t.Cleanup(func() { cancel(); running.Wait() })
	r.views = projections.NewViews(models, store, projections.ViewsOptions{})
	t.Cleanup(func() { assert.NoError(t, r.views.Close()) })
	known, err := access.Open(t.Context(), store, "test", access.Options{})
	require.NoError(t, err)
	r.directory = &directory{Directory: known, told: make(chan struct{})}
	t.Cleanup(func() { assert.NoError(t, known.Close()) })
	return r
}

// options are those of a deliverer that may send to receivers of this machine.
func (r *rig) options() webhook.Options {
	return webhook.Options{
		Dir: r.dir, Directory: r.directory, History: r.models, Execute: r.ledger.Execute, Logger: r.log.logger(),
		Follow: func(ctx context.Context, view projections.View, filter feed.Filter, after uint64) iter.Seq2[feed.Chunk, error] {
			return func(yield func(feed.Chunk, error) bool) {
				models, err := r.views.Of(ctx, view)
				if err != nil {
					yield(feed.Chunk{}, err)
					return
				}
				r.feed.Follow(ctx, models, filter, after)(yield)
			}
		},
		Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, Timeout: time.Second,
		Now: r.clock.now, Sleep: r.clock.sleep,
	}
}

// deliver runs a deliverer until the function that it returns is called, or the
// test ends.
func (r *rig) deliver(opts webhook.Options) (*webhook.Deliverer, func()) {
	d := webhook.New(opts)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { d.Run(ctx) })
	stop := func() { cancel(); running.Wait() }
	r.Cleanup(stop)
	return d, stop
}

// trusting are the options with which a receiver's certificate is good.
func (r *rig) trusting(to *receiver) webhook.Options {
	opts := r.options()
	opts.Roots = x509.NewCertPool()
	opts.Roots.AddCert(to.Certificate())
	return opts
}

func (r *rig) execute(c domain.Command) ledger.Receipt {
	r.Helper()
	receipt, err := r.ledger.Execute(r.Context(), ledger.Request{Command: c, Meta: domain.Meta{Actor: "ann", Reason: "testing"}})
	require.NoError(r, err)
	return receipt
}

// register registers a webhook to which parties' events are sent.
func (r *rig) register(key, url string) uint64 {
	r.Helper()
	return r.execute(hooks.Register{Webhook: domain.Key(key), URL: url, Kinds: []string{party.Kind}}).Seq
}

// parties registers n parties and returns the sequences.
func (r *rig) parties(n int) (seqs []uint64) {
	r.Helper()
	for range n {
		r.n++
		key := domain.Key(fmt.Sprintf("party-%d", r.n))
		seqs = append(seqs, r.execute(party.Register{Party: key, Title: domain.Text{"en": "Party"}, Kind: "other"}).Seq)
	}
	return seqs
}

// stored is an event as the log has it.
func (r *rig) stored(seq uint64) []byte {
	r.Helper()
	rec, err := r.store.Get(r.Context(), seq)
	require.NoError(r, err)
	return rec.Data
}

// eventually waits for a condition.
func (r *rig) eventually(what string, is func() bool) {
	r.Helper()
	require.Eventually(r, is, 20*time.Second, 2*time.Millisecond, "%s\n%s", what, r.log)
}

// find reports in which files of the data directory a text is, but for the key.
func (r *rig) find(text string) (in []string) {
	r.Helper()
	err := filepath.WalkDir(r.dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || path == webhook.KeyFile(r.dir) {
			return nil //nolint:nilerr // a file may be gone since it was listed
		}
		b, err := os.ReadFile(path)
		if err == nil && strings.Contains(string(b), text) {
			in = append(in, path)
		}
		return nil
	})
	require.NoError(r, err)
	return in
}

// clock stands still but for those who sleep by it.
type clock struct {
	at atomic.Int64

	mu     sync.Mutex
	pauses []time.Duration
	block  chan struct{} // while it is there, nobody wakes up
}

func newClock() *clock {
	c := &clock{}
	c.at.Store(time.Now().UnixNano())
	return c
}

func (c *clock) now() time.Time { return time.Unix(0, c.at.Load()) }

func (c *clock) sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	c.pauses = append(c.pauses, d)
	block := c.block
	c.mu.Unlock()
	if block != nil {
		select {
		case <-block:
		case <-ctx.Done():
		}
	}
	c.at.Add(int64(d))
	return ctx.Err()
}

// stop has whoever sleeps stay asleep until the function that it returns is called.
func (c *clock) stop() (goOn func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	block := make(chan struct{})
	c.block = block
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.block = nil
		close(block)
	}
}

func (c *clock) slept() []time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.pauses)
}

// directory is that of the rig, with a view that a test can put in its place.
type directory struct {
	*access.Directory
	mu   sync.Mutex
	view *projections.View
	told chan struct{}
}

// show changes what every webhook may be sent, and tells of it where it shall.
func (d *directory) show(view projections.View, tell bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.view = &view
	if tell {
		close(d.told)
		d.told = make(chan struct{})
	}
}

func (d *directory) Changed() <-chan struct{} {
	d.mu.Lock()
	told := d.told
	d.mu.Unlock()
	changed, either := d.Directory.Changed(), make(chan struct{})
	go func() {
		defer close(either)
		select {
		case <-changed:
		case <-told:
		}
	}()
	return either
}

func (d *directory) ViewOf(agreement domain.Key, cleared bool) projections.View {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.view != nil {
		return *d.view
	}
	return d.Directory.ViewOf(agreement, cleared)
}

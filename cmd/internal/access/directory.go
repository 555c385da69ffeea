package access

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"sync"
	"time"

	"github.com/milepost-ledger/milepost/domain"
	grants "github.com/milepost-ledger/milepost/domain/access"
	"github.com/milepost-ledger/milepost/domain/catalogue"
	"github.com/milepost-ledger/milepost/domain/restriction"
	"github.com/milepost-ledger/milepost/domain/subscriber"
	"github.com/milepost-ledger/milepost/domain/webhook"
	"github.com/milepost-ledger/milepost/eventstore"
)

// Log is what a directory needs of the event store.
type Log interface {
	Read(ctx context.Context, from, to uint64, filter string) iter.Seq2[eventstore.Record, error]
	Subscribe(ctx context.Context, from uint64, filter string) iter.Seq2[eventstore.Record, error]
}

// Options of a directory.
type Options struct {
	Now      func() time.Time // time.Now when nil
	Location *time.Location   // the ledger's time zone, by whose days tokens expire; UTC when nil
	Logger   *slog.Logger     // nil discards

	// AdminToken is the hash of the local administrator's token; "" where there
	// is no such token, and nobody can be the administrator by one.
	AdminToken domain.Hash
	// Connected reports whether the log can be heard. While it cannot, the
	// directory knows nobody. nil is always.
	Connected func() bool
}

// ErrUnavailable says that the directory does not follow the log, so that it
// cannot say who may do what.
var ErrUnavailable = errors.New("access: the log is not followed, so nobody's rights are known")

// kinds are the aggregates that a directory is made of.
var kinds = map[string]bool{grants.Kind: true, restriction.Kind: true, subscriber.Kind: true, webhook.Kind: true}

// Directory is who may do what, as the log has it at its end. It is safe for use
// by many goroutines.
type Directory struct {
	log    Log
	filter string
	opts   Options
	cancel context.CancelFunc
	done   chan struct{} // closed when nothing follows any more

	mu         sync.RWMutex
	entries    map[domain.Ref]entry
	order      []domain.Ref                // in the order of their first events
	tokens     map[domain.Key][]domain.Key // who was given a token with that key
	identities map[identity][]domain.Key   // who was linked to that identity
	reached    uint64                      // sequence of the last event of the ledger's own aggregates
	changed    chan struct{}               // closed at the next change
	err        error                       // why the log is not followed
}

// entry is an aggregate as of its last event.
type entry struct {
	state   any
	version uint64
	seq     uint64
}

// Open reads the log of a ledger to its end and follows it from there, until the
// directory is closed. The context is for the reading alone.
func Open(ctx context.Context, log Log, ledger string, opts Options) (*Directory, error) {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Location == nil {
		opts.Location = time.UTC
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.Connected == nil {
		opts.Connected = func() bool { return true }
	}
	d := &Directory{
		log: log, opts: opts, done: make(chan struct{}), changed: make(chan struct{}),
		filter:  eventstore.Subject(ledger, eventstore.LedgerWide, "*", "*"),
		entries: map[domain.Ref]entry{}, tokens: map[domain.Key][]domain.Key{}, identities: map[identity][]domain.Key{},
	}
	if err := d.catchUp(ctx); err != nil {
		return nil, err
	}
	follow, cancel := context.WithCancel(context.WithoutCancel(ctx))
	d.cancel = cancel
	go d.follow(follow)
	return d, nil
}

// Close ends following. The directory knows nobody from then on.
func (d *Directory) Close() error {
	d.cancel()
	<-d.done
	return nil
}

// catchUp reads what the log has beyond what is known.
func (d *Directory) catchUp(ctx context.Context) error {
	for rec, err := range d.log.Read(ctx, d.position()+1, 0, d.filter) {
		if err == nil {
			err = d.apply(rec)
		}
		if err != nil {
			return fmt.Errorf("access: %w", err)
		}
	}
	return nil
}

// retryAfter lies between two tries to follow the log.
const retryAfter = time.Second

// follow keeps the directory as the log has it. When that fails it tries again,
// and until it has read to the end nobody is known.
func (d *Directory) follow(ctx context.Context) {
	defer close(d.done)
	for {
		err := d.catchUp(ctx)
		if err == nil {
			d.fail(nil)
			for rec, failed := range d.log.Subscribe(ctx, d.position()+1, d.filter) {
				if err = failed; err == nil {
					err = d.apply(rec)
				}
				if err != nil {
					break
				}
			}
		}
		d.fail(errors.Join(ErrUnavailable, err))
		if ctx.Err() != nil {
			return
		}
		d.opts.Logger.Error("the directory does not follow the log; nobody is let in until it does", "error", err)
		select {
		case <-ctx.Done():
		case <-time.After(retryAfter):
		}
	}
}

// fail notes why the log is not followed, nil that it is.
func (d *Directory) fail(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.err != err {
		d.err = err
		d.tell()
	}
}

// tell wakes those who wait for a change. The lock is held.
func (d *Directory) tell() {
	close(d.changed)
	d.changed = make(chan struct{})
}

func (d *Directory) position() uint64 {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.reached
}

// apply takes in one event. One that this version cannot read stops it: it may
// take a right away.
func (d *Directory) apply(rec eventstore.Record) error {
	_, _, kind, key, err := eventstore.ParseSubject(rec.Subject)
	if err != nil {
		return err
	}
	ref := domain.Ref{Kind: kind, Key: domain.Key(key)}
	var env domain.Envelope
	var event domain.Event
	if kinds[kind] {
		if env, event, err = catalogue.Decode(rec.Data); err != nil {
			return fmt.Errorf("event %d: %w", rec.Seq, err)
		}
	}

	d.mu.Lock()
	defer d.mu.Unlock()
	if event != nil {
		d.evolve(ref, env.Version, rec.Seq, event)
	}
	d.reached = rec.Seq
	d.tell()
	return nil
}

// evolve takes in an event of an aggregate. The lock is held.
func (d *Directory) evolve(ref domain.Ref, version, seq uint64, event domain.Event) {
	aggregate, _ := catalogue.Aggregate(ref.Kind)
	was, known := d.entries[ref]
	if !known {
		d.order = append(d.order, ref)
	}
	d.entries[ref] = entry{aggregate.Evolve(was.state, event), version, seq}
	switch e := event.(type) {
	case grants.TokenIssued:
		d.tokens[e.Token] = append(d.tokens[e.Token], ref.Key)
	case grants.IdentityLinked:
		id := identity{e.Issuer, e.Subject}
		d.identities[id] = append(d.identities[id], ref.Key)
	}
}

// Changed returns a channel that is closed at the next change of anything in the
// directory, and when it ceases to follow the log or does so again.
func (d *Directory) Changed() <-chan struct{} {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.changed
}

// Wait returns when the directory has everything of its own up to seq.
func (d *Directory) Wait(ctx context.Context, seq uint64) error {
	from := d.position() + 1
	if seq < from {
		return d.Err()
	}
	want := uint64(0)
	for rec, err := range d.log.Read(ctx, from, seq, d.filter) {
		if err != nil {
			return err
		}
		want = rec.Seq
	}
	for {
		changed := d.Changed()
		if d.position() >= want {
			return d.Err()
		}
		if err := d.Err(); err != nil {
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Err says why the log is not followed, nil while it is.
func (d *Directory) Err() error {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if d.err == nil && !d.opts.Connected() {
		return ErrUnavailable
	}
	return d.err
}

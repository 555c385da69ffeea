package subscribers

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/catalogue"
	"github.com/milepost-ledger/milepost/domain/restriction"
	"github.com/milepost-ledger/milepost/domain/subscriber"
	"github.com/milepost-ledger/milepost/eventstore"
)

// Fold is a Directory in memory, made from the log's own events.
type Fold struct {
	ledger string
	store  *eventstore.Store

	mu           sync.Mutex
	subscribers  map[domain.Key]subscriber.State
	restrictions map[domain.Key]restriction.State
	upTo         uint64
	following    bool
	changed      chan struct{}
}

// NewFold knows nothing before Follow.
func NewFold(ledger string, store *eventstore.Store) *Fold {
	return &Fold{
		ledger: ledger, store: store, changed: make(chan struct{}),
		subscribers: map[domain.Key]subscriber.State{}, restrictions: map[domain.Key]restriction.State{},
	}
}

// Follow reads the log until ctx ends, and then returns its error. It goes on
// where it was when it is called again.
func (f *Fold) Follow(ctx context.Context) error {
	defer func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.following = false
	}()
	last, err := f.store.Last(ctx)
	if err != nil {
		return err
	}
	f.mu.Lock()
	from := f.upTo + 1
	f.mu.Unlock()
	if from <= last {
		for rec, err := range f.store.Read(ctx, from, last, f.filter()) {
			if err == nil {
				err = f.apply(rec)
			}
			if err != nil {
				return err
			}
		}
	}
	f.reached(last)
	for rec, err := range f.store.Subscribe(ctx, last+1, f.filter()) {
		if err == nil {
			err = f.apply(rec)
		}
		if err != nil {
			return err
		}
		f.reached(rec.Seq)
	}
	return ctx.Err()
}

func (f *Fold) filter() string {
	return eventstore.Subject(f.ledger, eventstore.LedgerWide, "*", "*")
}

func (f *Fold) apply(rec eventstore.Record) error {
	_, _, kind, _, err := eventstore.ParseSubject(rec.Subject)
	if err != nil || kind != subscriber.Kind && kind != restriction.Kind {
		return err
	}
	env, event, err := catalogue.Decode(rec.Data)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	switch kind {
	case subscriber.Kind:
		before := f.subscribers[env.Ref.Key]
		f.subscribers[env.Ref.Key] = *subscriber.Aggregate.Evolve(&before, event).(*subscriber.State)
	case restriction.Kind:
		before := f.restrictions[env.Ref.Key]
		f.restrictions[env.Ref.Key] = *restriction.Aggregate.Evolve(&before, event).(*restriction.State)
	}
	return nil
}

// reached makes known what was applied.
func (f *Fold) reached(seq uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.upTo, f.following = seq, true
	close(f.changed)
	f.changed = make(chan struct{})
}

// Subscribers implements Directory.
func (f *Fold) Subscribers() []subscriber.State {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.SortedFunc(maps.Values(f.subscribers), func(a, b subscriber.State) int {
		return strings.Compare(string(a.Subscriber), string(b.Subscriber))
	})
}

// Restricted implements Directory.
func (f *Fold) Restricted(agreement domain.Key) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for of, s := range f.restrictions {
		if agreement != "" && agreement != of {
			continue
		}
		for _, parts := range []domain.List[restriction.Restricted]{s.Projects, s.Areas} {
			for _, r := range parts.All() {
				if r.Restricted {
					return true
				}
			}
		}
	}
	return false
}

// Changed implements Directory.
func (f *Fold) Changed() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.changed
}

// Wait implements Directory.
func (f *Fold) Wait(ctx context.Context, seq uint64) error {
	f.mu.Lock()
	from := f.upTo + 1
	f.mu.Unlock()
	want := uint64(0) // the last event of its own up to seq
	if from <= seq {
		for rec, err := range f.store.Read(ctx, from, seq, f.filter()) {
			if err != nil {
				return err
			}
			want = rec.Seq
		}
	}
	for {
		changed := f.Changed()
		f.mu.Lock()
		upTo := f.upTo
		f.mu.Unlock()
		if upTo >= want {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
	}
}

var errNotFollowed = errors.New("subscribers: the log is not followed, so nobody is let in")

// Err implements Directory.
func (f *Fold) Err() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.following {
		return errNotFollowed
	}
	return nil
}

var _ Directory = (*Fold)(nil)

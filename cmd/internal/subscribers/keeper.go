package subscribers

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/milepost-ledger/milepost/cmd/internal/access"
	grants "github.com/milepost-ledger/milepost/domain/access"
	"github.com/milepost-ledger/milepost/domain/catalogue"
	"github.com/milepost-ledger/milepost/domain/restriction"
	"github.com/milepost-ledger/milepost/domain/subscriber"
	"github.com/milepost-ledger/milepost/domain/webhook"
	"github.com/milepost-ledger/milepost/eventstore"
)

// What a subscriber is.
const (
	Active  = "active"
	CutOff  = "cut-off" // something that it reads of is restricted, and it is not cleared
	Revoked = "revoked"
)

// internal are the aggregates that no program is sent events of: they say who may
// do what, and what is restricted.
var internal = []string{grants.Kind, restriction.Kind, subscriber.Kind, webhook.Kind}

// Keeper keeps consumers and connections in step with what the log says of subscribers.
type Keeper struct {
	ledger    string
	directory *access.Directory
	store     *eventstore.Store
	log       *slog.Logger

	settling sync.Mutex // held while NATS is changed
}

// New makes a keeper, which does nothing before Start.
func New(ledger string, directory *access.Directory, store *eventstore.Store, logger *slog.Logger) *Keeper {
	return &Keeper{ledger: ledger, directory: directory, store: store, log: logger}
}

// Start brings NATS into step with all that is in the log, and then lets
// subscribers in, if the store was opened with an address for them.
func (k *Keeper) Start(ctx context.Context, listens bool) error {
	last, err := k.store.Last(ctx)
	if err != nil {
		return err
	}
	if err := k.directory.Wait(ctx, last); err != nil {
		return err
	}
	if err := k.settleAll(ctx); err != nil {
		return err
	}
	if !listens {
		return nil
	}
	return k.store.Admit(ctx, k)
}

// pause lies between two attempts to bring NATS into step.
const pause = time.Second

// Run keeps it in step until ctx ends.
func (k *Keeper) Run(ctx context.Context) {
	for {
		changed := k.directory.Changed() // before it is read: no change is missed
		var again <-chan time.Time
		if err := k.settleAll(ctx); err != nil {
			if ctx.Err() != nil {
				return
			}
			k.log.Error("the consumers of subscribers are not what they should be; trying again", "error", err)
			again = time.After(pause)
		}
		select {
		case <-ctx.Done():
			return
		case <-changed:
		case <-again:
		}
	}
}

// state says what a subscriber is at present.
func (k *Keeper) state(s subscriber.State) string {
	switch {
	case s.RevokedOn != 0:
		return Revoked
	case !s.Cleared && len(k.directory.Restricted(s.Agreement)) > 0:
		return CutOff
	}
	return Active
}

// settleAll brings all into step. Who may not read any more is dealt with first.
func (k *Keeper) settleAll(ctx context.Context) error {
	k.settling.Lock()
	defer k.settling.Unlock()
	consumers, err := k.store.Consumers(ctx)
	if err != nil {
		return err
	}
	is := map[string]eventstore.ConsumerState{}
	for _, c := range consumers {
		is[c.Name] = c
	}
	all := k.directory.Subscribers()
	var failed error
	for _, active := range []bool{false, true} {
		for _, s := range all {
			if (k.state(s.State) == Active) != active {
				continue
			}
			if err := k.settle(ctx, s.State, is[string(s.Subscriber)]); err != nil && failed == nil {
				failed = fmt.Errorf("subscriber %s: %w", s.Subscriber, err)
			}
		}
	}
	return failed
}

// settle brings one into step with what there is of it; none has no name.
func (k *Keeper) settle(ctx context.Context, s subscriber.State, is eventstore.ConsumerState) error {
	name, state := string(s.Subscriber), k.state(s)
	if state != Active {
		if err := k.store.Disconnect(name); err != nil {
			return err
		}
	}
	if state == Revoked {
		if is.Name == "" {
			return nil
		}
		return k.store.DeleteConsumer(ctx, name)
	}
	if err := k.store.EnsureConsumer(ctx, eventstore.Consumer{Name: name, Filters: k.filters(s), From: s.From}); err != nil {
		return err
	}
	switch {
	case state == CutOff && !is.Paused:
		return k.store.PauseConsumer(ctx, name)
	case state == Active && is.Paused:
		return k.store.ResumeConsumer(ctx, name)
	}
	return nil
}

// filters are the subjects that a subscriber reads.
func (k *Keeper) filters(s subscriber.State) []string {
	if s.Agreement != "" {
		return []string{eventstore.Subject(k.ledger, string(s.Agreement), "*", "*")}
	}
	var filters []string
	for _, a := range catalogue.Aggregates {
		if !slices.Contains(internal, a.Kind) {
			filters = append(filters, eventstore.Subject(k.ledger, "*", a.Kind, "*"))
		}
	}
	return filters
}

// Reads names the consumer of the subscriber with that key, if it may read now.
// While the log is not followed nobody may: it could say that they were revoked.
func (k *Keeper) Reads(publicKey string) (consumer string, ok bool) {
	if k.directory.Err() != nil {
		return "", false
	}
	for _, s := range k.directory.Subscribers() {
		if s.PublicKey == publicKey && k.state(s.State) == Active {
			return string(s.Subscriber), true
		}
	}
	return "", false
}

// Keys are those of the subscribers who may read now.
func (k *Keeper) Keys() []string {
	var keys []string
	for _, s := range k.directory.Subscribers() {
		if k.state(s.State) == Active {
			keys = append(keys, s.PublicKey)
		}
	}
	return keys
}

var _ eventstore.Subscribers = (*Keeper)(nil)

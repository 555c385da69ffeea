package subscribers

import (
	"context"
	"slices"
	"time"

	"github.com/milepost-ledger/milepost/cmd/internal/access"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/subscriber"
	"github.com/milepost-ledger/milepost/eventstore"
)

// CodeRevoked refuses what is asked of a subscriber that was revoked.
const CodeRevoked = "subscriber-revoked"

// Lag says how far a subscriber is.
type Lag struct {
	Subscriber   domain.Key `json:"subscriber"`
	Agreement    domain.Key `json:"agreement" doc:"Whose events it reads; empty for all of the ledger."`
	Cleared      bool       `json:"cleared" doc:"Whether it reads what is restricted, too."`
	State        string     `json:"state" enum:"active,cut-off,revoked" doc:"cut-off: something that it reads of is restricted and it is not cleared, so it is disconnected until that is lifted."`
	Connections  int        `json:"connections" doc:"Its connections to this server; 0 where it connects to an external one."`
	Pending      uint64     `json:"pending" doc:"Events that it has not been given yet."`
	AckPending   int        `json:"ack_pending" doc:"Events that it has been given and has not acknowledged."`
	Delivered    uint64     `json:"delivered" doc:"Sequence up to which it has been given its events; 0 before the first."`
	Acknowledged uint64     `json:"acknowledged" doc:"Sequence up to which it has acknowledged them; 0 before the first."`
	LastActive   *time.Time `json:"last_active" doc:"When it last took or acknowledged an event; null for never."`
}

// Credentials are what a subscriber needs to connect, besides its own key.
// Nothing in it is secret.
type Credentials struct {
	Subscriber  domain.Key `json:"subscriber"`
	Address     string     `json:"address" doc:"NATS URL; empty when the server does not listen for subscribers."`
	Stream      string     `json:"stream" doc:"Name of the JetStream stream."`
	Consumer    string     `json:"consumer" doc:"Name of its durable consumer."`
	InboxPrefix string     `json:"inbox_prefix" doc:"Prefix of the subjects that answers come on, which its NATS client must be told."`
	APIPrefix   string     `json:"api_prefix,omitempty" doc:"Prefix of JetStream's API, which its NATS client must be told; absent for the usual one."`
	JWT         string     `json:"jwt,omitempty" doc:"NATS user JWT for the credentials file; absent for an external server, which takes the key itself."`
	Operator    string     `json:"operator,omitempty" doc:"What the operator of an external server adds to its configuration; absent for the embedded one."`
}

// List says of each subscriber how far it is, in the order in which they were added.
func (k *Keeper) List(ctx context.Context) ([]Lag, error) {
	consumers, err := k.store.Consumers(ctx)
	if err != nil {
		return nil, err
	}
	list := []Lag{}
	for _, s := range k.directory.Subscribers() {
		lag := Lag{Subscriber: s.Subscriber, Agreement: s.Agreement, Cleared: s.Cleared, State: k.state(s.State), Connections: k.store.Connections(string(s.Subscriber))}
		if i := slices.IndexFunc(consumers, func(c eventstore.ConsumerState) bool { return c.Name == string(s.Subscriber) }); i >= 0 {
			c := consumers[i]
			lag.Pending, lag.AckPending, lag.Delivered, lag.Acknowledged = c.Pending, c.AckPending, c.Delivered, c.Acknowledged
			if !c.LastActive.IsZero() {
				at := c.LastActive.UTC()
				lag.LastActive = &at
			}
		}
		list = append(list, lag)
	}
	return list, nil
}

// Credentials gives a subscriber what it needs, when the event at minSeq is known.
// Its consumer is there when it returns.
func (k *Keeper) Credentials(ctx context.Context, key domain.Key, minSeq uint64) (Credentials, error) {
	if err := k.directory.Wait(ctx, minSeq); err != nil {
		return Credentials{}, err
	}
	all := k.directory.Subscribers()
	i := slices.IndexFunc(all, func(s access.Subscriber) bool { return s.Subscriber == key })
	if i < 0 {
		return Credentials{}, domain.NotFound("subscriber", subscriber.Kind, key)
	}
	if s := all[i]; s.RevokedOn != 0 {
		return Credentials{}, domain.Refuse(CodeRevoked, "subscriber", "subscriber %q was revoked on %s; add another", key, s.RevokedOn)
	}
	if err := k.settleAll(ctx); err != nil {
		return Credentials{}, err
	}
	c := Credentials{
		Subscriber: key, Address: k.store.Address(), Stream: k.store.Stream(), Consumer: string(key), InboxPrefix: eventstore.Inbox(string(key)),
	}
	if !k.store.Embedded() {
		c.APIPrefix = eventstore.ExternalAPI
		c.Operator = k.store.Configuration(string(key), all[i].PublicKey)
		return c, nil
	}
	var err error
	c.JWT, err = k.store.UserJWT(string(key), all[i].PublicKey)
	return c, err
}

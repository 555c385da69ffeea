package projections

import (
	"context"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/subscriber"
)

// Subscriber is a program that reads events from NATS, as of a point.
type Subscriber struct {
	Subscriber domain.Key  `json:"subscriber" sql:"-"`
	Agreement  domain.Key  `json:"agreement"` // whose events it reads; "" for all of the ledger
	From       uint64      `json:"from" sql:"as=first_read"`
	PublicKey  string      `json:"public_key" sql:"text"`
	Cleared    bool        `json:"cleared"`
	RevokedOn  domain.Date `json:"revoked_on"`
	Version    uint64      `json:"version" sql:"-"`
}

var subscriberTable = newTable[Subscriber](orderSubscriber, subscriber.Kind, versionLead...)

func subscriberOf(s *subscriber.State) *Subscriber {
	return &Subscriber{Agreement: s.Agreement, From: s.From, PublicKey: s.PublicKey, Cleared: s.Cleared, RevokedOn: s.RevokedOn}
}

// Subscribers lists the subscribers in the order in which they were added, those
// revoked too.
func (m *Models) Subscribers(ctx context.Context, at Point, page Page) ([]Subscriber, string, error) {
	return listOf(ctx, m, subscriberTable, domain.Ref{}, at, page, (*query).subscriber)
}

// Subscriber returns one subscriber, or refuses with not-found.
func (m *Models) Subscriber(ctx context.Context, key domain.Key, at Point) (Subscriber, error) {
	return itemOf(ctx, m, subscriberTable, subscriber.Ref(key), at, (*query).subscriber)
}

func (q *query) subscriber(s *Subscriber, e found) (err error) {
	s.Subscriber = keyOf(e.path)
	s.Version, err = q.version(e.id)
	return err
}

package projections

import (
	"context"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/webhook"
)

// Webhook is an address to which events are sent, as of a point. Its secret is
// nowhere in the log.
type Webhook struct {
	Webhook    domain.Key `json:"webhook" sql:"-"`
	URL        string     `json:"url"`
	Agreement  domain.Key `json:"agreement"` // whose events it is sent; "" for all of the ledger
	Kinds      []string   `json:"kinds"`     // of aggregates; all when empty
	Types      []string   `json:"types"`     // of events; all when empty
	Cleared    bool       `json:"cleared"`
	State      string     `json:"state"`                   // enabled, disabled, removed
	From       uint64     `json:"from" sql:"as=sent_from"` // the sequence from which it was last told to send
	Restarts   uint64     `json:"restarts"`                // how often it was told so
	Generation uint64     `json:"generation"`              // of its secret, from 1
	Version    uint64     `json:"version" sql:"-"`
}

var webhookTable = newTable[Webhook](orderWebhook, webhook.Kind, versionLead...)

func webhookOf(s *webhook.State) *Webhook {
	return &Webhook{
		URL: s.URL, Agreement: s.Agreement, Kinds: s.Kinds, Types: s.Types, Cleared: s.Cleared,
		State: s.State, From: s.From, Restarts: s.Restarts, Generation: s.Generation,
	}
}

// Webhooks lists the webhooks in the order of their registration, those removed
// too.
func (m *Models) Webhooks(ctx context.Context, at Point, page Page) ([]Webhook, string, error) {
	return listOf(ctx, m, webhookTable, domain.Ref{}, at, page, (*query).webhook)
}

// Webhook returns one webhook, or refuses with not-found.
func (m *Models) Webhook(ctx context.Context, key domain.Key, at Point) (Webhook, error) {
	return itemOf(ctx, m, webhookTable, webhook.Ref(key), at, (*query).webhook)
}

func (q *query) webhook(w *Webhook, e found) (err error) {
	w.Webhook = keyOf(e.path)
	w.Version, err = q.version(e.id)
	return err
}

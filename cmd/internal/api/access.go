package api

import (
	"context"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/projections"
)

// Questions to read models about what is under no agreement.
type (
	readList[T any] func(*projections.Models, context.Context, projections.Point, projections.Page) ([]T, string, error)
	readItem[T any] func(*projections.Models, context.Context, domain.Key, projections.Point) (T, error)
)

// listSeen serves a list of the whole ledger, as the asker may see it.
func listSeen[T any](s *server, id, path, summary string, read readList[T]) {
	getList(s, reading(id, "access", path, summary),
		func(ctx context.Context, in *ListQuestion, at projections.Point) ([]T, string, error) {
			models, err := s.seen(ctx)
			if err != nil {
				return nil, "", err
			}
			return read(models, ctx, at, in.page())
		})
}

// itemSeen reads one thing of the whole ledger, as the asker may see it.
func itemSeen[T any](ctx context.Context, s *server, key domain.Key, at projections.Point, read readItem[T]) (item T, err error) {
	models, err := s.seen(ctx)
	if err != nil {
		return item, err
	}
	return read(models, ctx, key, at)
}

// access serves who may do what, what is restricted, and the programs that read
// along. Rights are those of the last event: as_of shows what they were.
func (s *server) access() {
	listSeen(s, "list-principals", "/v1/access",
		"The principals with their grants, tokens and identities, in the order of their first grants. No token is told, nor its hash.",
		(*projections.Models).Principals)
	type principalQuestion struct {
		Principal domain.Key `path:"principal" doc:"Key of the principal." example:"li-wei"`
		Question
	}
	getItem(s, reading("get-principal", "access", "/v1/access/{principal}", "One principal, with its grants, tokens and identities."),
		func(ctx context.Context, in *principalQuestion, at projections.Point) (projections.Principal, uint64, error) {
			item, err := itemSeen(ctx, s, in.Principal, at, (*projections.Models).Principal)
			return item, item.Version, err
		})

	listSeen(s, "list-restrictions", "/v1/restrictions",
		"What is restricted, by agreement: projects, and areas with all that is in them.",
		(*projections.Models).Restrictions)
	listSeen(s, "list-subscribers", "/v1/subscribers",
		"The programs that read events from NATS, in the order in which they were added, those revoked too.",
		(*projections.Models).Subscribers)

	listSeen(s, "list-webhooks", "/v1/webhooks",
		"The addresses to which events are sent, in the order of their registration, those removed too.",
		(*projections.Models).Webhooks)
	type webhookQuestion struct {
		Webhook domain.Key `path:"webhook" doc:"Key of the webhook." example:"city-ledger"`
		Question
	}
	getItem(s, reading("get-webhook", "access", "/v1/webhooks/{webhook}", "One webhook."),
		func(ctx context.Context, in *webhookQuestion, at projections.Point) (projections.Webhook, uint64, error) {
			item, err := itemSeen(ctx, s, in.Webhook, at, (*projections.Models).Webhook)
			return item, item.Version, err
		})
}

package api

import (
	"context"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/projections"
)

// ofLedger serves a list of what is under no agreement.
func ofLedger[T any](s *server, id, path, summary string, read func(*projections.Models, context.Context, projections.Point, projections.Page) ([]T, string, error)) {
	getList(s, reading(id, "access", path, summary),
		func(ctx context.Context, models *projections.Models, in *ListQuestion, at projections.Point) ([]T, string, error) {
			return read(models, ctx, at, in.page())
		})
}

// access serves who may do what, what is restricted, and the programs that read
// along. Rights are those of the last event: as_of shows what they were.
func (s *server) access() {
	ofLedger(s, "list-principals", "/v1/access",
		"The principals with their grants, tokens and identities, in the order of their first grants. No token is told, nor its hash.",
		(*projections.Models).Principals)
	type principalQuestion struct {
		Principal domain.Key `path:"principal" doc:"Key of the principal." example:"li-wei"`
		Question
	}
	getItem(s, reading("get-principal", "access", "/v1/access/{principal}", "One principal, with its grants, tokens and identities."),
		func(ctx context.Context, models *projections.Models, in *principalQuestion, at projections.Point) (projections.Principal, uint64, error) {
			item, err := models.Principal(ctx, in.Principal, at)
			return item, item.Version, err
		})

	ofLedger(s, "list-restrictions", "/v1/restrictions",
		"What is restricted, by agreement: projects, and areas with all that is in them.",
		(*projections.Models).Restrictions)
	ofLedger(s, "list-subscribers", "/v1/subscribers",
		"The programs that read events from NATS, in the order in which they were added, those revoked too.",
		(*projections.Models).Subscribers)

	ofLedger(s, "list-webhooks", "/v1/webhooks",
		"The addresses to which events are sent, in the order of their registration, those removed too.",
		(*projections.Models).Webhooks)
	type webhookQuestion struct {
		Webhook domain.Key `path:"webhook" doc:"Key of the webhook." example:"city-ledger"`
		Question
	}
	getItem(s, reading("get-webhook", "access", "/v1/webhooks/{webhook}", "One webhook."),
		func(ctx context.Context, models *projections.Models, in *webhookQuestion, at projections.Point) (projections.Webhook, uint64, error) {
			item, err := models.Webhook(ctx, in.Webhook, at)
			return item, item.Version, err
		})
}

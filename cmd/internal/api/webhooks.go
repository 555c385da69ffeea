package api

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"github.com/milepost-ledger/milepost/cmd/internal/webhook"
	"github.com/milepost-ledger/milepost/domain"
)

// WebhookSecret is what a receiver checks signatures with.
type WebhookSecret struct {
	Webhook domain.Key `json:"webhook"`
	Secret  string     `json:"secret" doc:"As Standard Webhooks has it: whsec_ and 32 bytes in base64."`
}

type (
	webhookSecretAnswer   struct{ Body WebhookSecret }
	webhookDeliveryAnswer struct{ Body webhook.Delivery }
)

type ofWebhook struct {
	Webhook domain.Key `path:"webhook" doc:"Key of the webhook." example:"city-ledger"`
	MinSeq  uint64     `query:"min_seq" doc:"Wait until the server knows of the event at this sequence, such as that of your receipt."`
}

// webhooks serves what is not in the log about the webhooks: their secrets, and
// how far they have come.
func (s *server) webhooks() {
	get(s, huma.Operation{
		OperationID: "get-webhook-secret", Path: "/v1/webhooks/{webhook}/secret", Tags: []string{"access"},
		Summary: "The secret that a webhook's requests are signed with. It is stored nowhere, and no answer may be.",
		Errors:  []int{400, 403, 404, 500, 503},
	}, func(ctx context.Context, in *ofWebhook) (*webhookSecretAnswer, error) {
		if err := s.delivers(ctx, in); err != nil {
			return nil, err
		}
		secret, err := s.cfg.Webhooks.Secret(in.Webhook)
		if err != nil {
			return nil, err
		}
		return &webhookSecretAnswer{WebhookSecret{in.Webhook, secret.Reveal()}}, nil
	})
	get(s, huma.Operation{
		OperationID: "get-webhook-delivery", Path: "/v1/webhooks/{webhook}/delivery", Tags: []string{"access"},
		Summary: "How far a webhook has come, what its receiver said last, and when it is sent again.",
		Errors:  []int{400, 403, 404, 500, 503},
	}, func(ctx context.Context, in *ofWebhook) (*webhookDeliveryAnswer, error) {
		if err := s.delivers(ctx, in); err != nil {
			return nil, err
		}
		status, err := s.cfg.Webhooks.Delivery(in.Webhook)
		return &webhookDeliveryAnswer{status}, err
	})
}

// delivers refuses unless this server delivers webhooks and knows what is asked
// about.
func (s *server) delivers(ctx context.Context, in *ofWebhook) error {
	if s.cfg.Webhooks == nil {
		return newProblem(CodeUnavailable, "", "This server does not deliver webhooks; ask the one that does, or serve with --webhooks.")
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Patience)
	defer cancel()
	return s.cfg.Webhooks.Wait(ctx, in.MinSeq)
}

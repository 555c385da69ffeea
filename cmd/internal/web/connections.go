package web

import (
	"context"

	"github.com/milepost-ledger/milepost/cmd/internal/access"
	"github.com/milepost-ledger/milepost/cmd/internal/api"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/projections"
)

// The programs that read along, and the addresses to which events are sent.
var (
	connectionsPage = page{"GET /connections", "connections", connectionsAnswer{}, of((*site).connections)}
	secretPage      = page{"POST /connections/{webhook}/secret", "secret", secretAnswer{}, of((*site).secret)}
)

type connectionsAnswer struct {
	*visit
	Subscribers []subscriberLine
	Webhooks    []webhookLine
	Audits      bool // how far they are may be asked
	Administers bool // and their secrets
}

type subscriberLine struct {
	projections.Subscriber
	Lag *api.Lag // nil where it is not known
}

type webhookLine struct {
	projections.Webhook
	Delivery *api.Delivery // likewise
}

func (s *site) connections(ctx context.Context, v *visit) (connectionsAnswer, error) {
	v.Title, v.Section = v.Say("Connections"), "connections"
	answer := connectionsAnswer{visit: v, Audits: v.begins("GET /v1/subscribers/lag") && v.Now(), Administers: v.begins("GET /v1/webhooks/{webhook}/secret") && v.Now()}
	subs, err := every(ctx, v.At, v.models.Subscribers)
	if err != nil {
		return answer, err
	}
	hooks, err := every(ctx, v.At, v.models.Webhooks)
	if err != nil {
		return answer, err
	}
	lags := map[domain.Key]*api.Lag{}
	if answer.Audits {
		known, err := s.api.Lags(ctx)
		if err != nil {
			return answer, err
		}
		for i := range known {
			lags[known[i].Subscriber] = &known[i]
		}
	}
	for _, sub := range subs {
		answer.Subscribers = append(answer.Subscribers, subscriberLine{sub, lags[sub.Subscriber]})
	}
	for _, hook := range hooks {
		line := webhookLine{Webhook: hook}
		if answer.Audits && hook.State != "removed" {
			if line.Delivery, err = s.api.Delivery(ctx, hook.Webhook); err != nil {
				s.api.Problem(ctx, err) // noted; the rest of the page is there all the same
				line.Delivery = nil
			}
		}
		answer.Webhooks = append(answer.Webhooks, line)
	}
	return answer, nil
}

// begins reports whether the asker has the right of a route over anything at all.
func (v *visit) begins(pattern string) bool {
	right, ok := access.Route(pattern)
	return ok && v.Principal.Begin(right)
}

type secretAnswer struct {
	*visit
	Webhook domain.Key
	Secret  string
}

// secret shows what a webhook's requests are signed with. It is asked for by a form,
// so that nothing which fetches addresses ahead comes by it.
func (s *site) secret(ctx context.Context, v *visit) (secretAnswer, error) {
	_, genuine, _, err := s.readForm(v.writer, v.request)
	if err != nil {
		return secretAnswer{}, err
	}
	if !genuine {
		return secretAnswer{}, api.NotGenuine()
	}
	v.Title, v.Section, v.still = v.Say("Secret of a webhook"), "connections", true
	v.Crumbs = []crumb{{v.Say("Connections"), "/connections"}}
	answer := secretAnswer{visit: v, Webhook: domain.Key(v.request.PathValue("webhook"))}
	answer.Secret, err = s.api.WebhookSecret(ctx, answer.Webhook)
	return answer, err
}

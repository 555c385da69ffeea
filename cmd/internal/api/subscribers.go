package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/milepost-ledger/milepost/cmd/internal/subscribers"
	"github.com/milepost-ledger/milepost/domain"
)

// SubscriberList says how far each subscriber is.
type SubscriberList struct {
	Items []subscribers.Lag `json:"items"`
}

type subscriberListAnswer struct{ Body SubscriberList }

type credentialsAnswer struct{ Body subscribers.Credentials }

type ofSubscriber struct {
	Subscriber domain.Key `path:"subscriber" doc:"Key of the subscriber." example:"erp"`
	MinSeq     uint64     `query:"min_seq" doc:"Wait until the server knows of the event at this sequence, such as that of your receipt."`
}

// subscribers serves what NATS says of the programs that read from it, which no
// read model has: it is of now, and not in the log.
func (s *server) subscribers() {
	get(s, huma.Operation{
		OperationID: "list-subscriber-lag", Path: "/v1/subscribers/lag", Tags: []string{"subscribers"},
		Summary: "How far each subscriber has read, now.", Errors: []int{400, 403, 500, 503},
	}, func(ctx context.Context, _ *struct{}) (*subscriberListAnswer, error) {
		if s.cfg.Subscribers == nil {
			return nil, errNoSubscribers()
		}
		items, err := s.cfg.Subscribers.List(ctx)
		return &subscriberListAnswer{SubscriberList{items}}, err
	})

	// A question, but a POST: it makes the subscriber's consumer if it is not there.
	op := huma.Operation{
		OperationID: "make-subscriber-credentials", Method: http.MethodPost, Path: "/v1/subscribers/{subscriber}/credentials", Tags: []string{"subscribers"},
		Summary: "What a subscriber needs to connect to NATS, besides its own key. Nothing in it is secret.",
		Errors:  []int{400, 403, 404, 422, 500, 503},
	}
	s.addErrors(&op)
	op.Errors = nil // they are there; huma would add some that are not answered
	huma.Register(s.api, op, func(ctx context.Context, in *ofSubscriber) (*credentialsAnswer, error) {
		if s.cfg.Subscribers == nil {
			return nil, s.problem(ctx, errNoSubscribers())
		}
		ctx, cancel := context.WithTimeout(ctx, s.cfg.Patience)
		defer cancel()
		c, err := s.cfg.Subscribers.Credentials(ctx, in.Subscriber, in.MinSeq)
		if err != nil {
			return nil, s.problem(ctx, err)
		}
		return &credentialsAnswer{c}, nil
	})
}

func errNoSubscribers() error {
	return newProblem(CodeUnavailable, "", "This server does not look after subscribers; ask the one that writes the ledger.")
}

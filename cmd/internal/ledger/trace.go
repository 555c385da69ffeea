package ledger

import (
	"context"
	"errors"

	"github.com/milepost-ledger/milepost/cmd/internal/traces"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/eventstore"
)

// traced shows each append in the trace of its request.
type traced struct{ Log }

func (l traced) Append(ctx context.Context, msgs []eventstore.Message) (uint64, error) {
	ctx, span := traces.Start(ctx, "append")
	defer span.End()
	span.Number("milepost.events", len(msgs))
	first, err := l.Log.Append(ctx, msgs)
	if err != nil {
		if conflict := (*eventstore.ConflictError)(nil); errors.As(err, &conflict) {
			span.Word("milepost.code", "conflict")
		} else {
			span.Failed()
		}
		return 0, err
	}
	span.Number("milepost.seq", int(first))
	return first, nil
}

// decided says in a span how a decision came out.
func decided(span traces.Span, err error) {
	defer span.End()
	if err == nil {
		return
	}
	if rejected := (*domain.Rejected)(nil); errors.As(err, &rejected) {
		span.Word("milepost.code", rejected.Code)
	} else {
		span.Failed()
	}
}

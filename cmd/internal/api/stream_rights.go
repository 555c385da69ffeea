package api

import (
	"context"
	"errors"

	"github.com/milepost-ledger/milepost/projections"
)

// errOtherView: who reads a stream sees something else than when it began.
var errOtherView = errors.New("what the asker sees has changed")

// stillSees says whether who reads a stream of models may be handed what it
// shows up to a sequence. It is asked before each chunk of events goes out, at
// each commit (also one that the stream's filter hides) and at each heartbeat, so it
// must be cheap; and what it says must count all events up to that sequence, or a
// restriction would come after what it restricts.
//
// An asker who sees other models than at the beginning begins again: the stream
// ends, and goes on from the same place when the reader comes back.
func (s *server) stillSees(ctx context.Context, models *projections.Models, upTo uint64) error {
	if s.stillAllowed != nil {
		return s.stillAllowed(ctx, models, upTo)
	}
	if err := s.cfg.Access.Wait(ctx, upTo); err != nil {
		return err
	}
	ctx, done := context.WithCancel(ctx) // a view is in use until its context ends, and this one is asked for often
	defer done()
	now, err := s.seen(ctx)
	if err == nil && now != models {
		err = errOtherView
	}
	return err
}

package api

import (
	"context"
	"errors"

	"github.com/milepost-ledger/milepost/eventstore"
)

// Stored returns events as the log has them. One that the asker does not see is
// refused as one that is not there.
func (a *API) Stored(ctx context.Context, seqs ...uint64) ([]eventstore.Record, error) {
	models, err := a.seen(ctx)
	if err != nil {
		return nil, err
	}
	records := make([]eventstore.Record, len(seqs))
	for i, seq := range seqs {
		sees, err := models.SeesEvent(ctx, seq)
		if err != nil {
			return nil, err
		}
		if !sees {
			return nil, noEvent(seq)
		}
		if records[i], err = a.cfg.Store.Get(ctx, seq); errors.Is(err, eventstore.ErrNotFound) {
			return nil, noEvent(seq)
		} else if err != nil {
			return nil, err
		}
	}
	return records, nil
}

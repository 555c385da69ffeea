package projections

import (
	"context"
	"encoding/json"

	"github.com/milepost-ledger/milepost/domain"
)

// Sees reports whether the view has an aggregate, or nothing is there to be
// withheld: what does not exist is not seen either in a view, and is in the main
// models.
func (m *Models) Sees(ctx context.Context, ref domain.Ref) (bool, error) { return true, ctx.Err() }

// SeesEvent reports whether the view has the event at a sequence.
func (m *Models) SeesEvent(ctx context.Context, seq uint64) (bool, error) { return true, ctx.Err() }

// SeesEvidence reports whether an event in the view names a file by its hash.
func (m *Models) SeesEvidence(ctx context.Context, hash domain.Hash) (bool, error) {
	return true, ctx.Err()
}

// Refuses refuses a command that is asked of ref, and makes it where creating
// says so, with these data, as one about something that is not there: where ref
// or something that the data name is withheld from the view. Before it refuses
// it waits until the view has reached the log's end. The main models refuse
// nothing.
func (m *Models) Refuses(ctx context.Context, ref domain.Ref, creating bool, data json.RawMessage) error {
	return nil
}

// Names reports whether a text for people names something that is withheld from
// the view, by its key or by a title of it.
func (m *Models) Names(text string) bool { return false }

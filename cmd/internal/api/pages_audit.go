package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/eventstore"
	"github.com/milepost-ledger/milepost/eventstore/proof"
	"github.com/milepost-ledger/milepost/projections"
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

// Status is what GET /v1/status answers.
func (a *API) Status(ctx context.Context) (Status, error) {
	if err := a.takes(ctx, "GET /v1/status"); err != nil {
		return Status{}, err
	}
	return a.wholeStatus(ctx)
}

// Keys is what GET /v1/keys answers.
func (a *API) Keys(ctx context.Context) (Keys, error) {
	if err := a.takes(ctx, "GET /v1/keys"); err != nil {
		return Keys{}, err
	}
	return a.keys(ctx)
}

// Checkpoint is what GET /v1/checkpoint answers.
func (a *API) Checkpoint(ctx context.Context) (proof.Signed, error) {
	if err := a.takes(ctx, "GET /v1/checkpoint"); err != nil {
		return proof.Signed{}, err
	}
	return a.checkpoint(ctx, "")
}

// Countersigned is how far a party has countersigned the ledger's tree.
type Countersigned struct {
	Party  domain.Key
	Key    string
	Leaves uint64
}

// Countersigned lists the parties that have registered a key, with how far their
// countersignatures cover the ledger's tree. It is what the checkpoints say.
func (a *API) Countersigned(ctx context.Context) ([]Countersigned, error) {
	if err := a.takes(ctx, "GET /v1/checkpoint"); err != nil {
		return nil, err
	}
	t, err := a.settler(ctx)
	if err != nil {
		return nil, err
	}
	covered, err := t.coveredOf("")
	var list []Countersigned
	for _, w := range t.witnesses {
		list = append(list, Countersigned{w.party, w.vkey, covered[w.party]})
	}
	return list, err
}

// Settlements says of events that the asker sees whether they are settled.
func (a *API) Settlements(ctx context.Context, seqs ...uint64) ([]Settlement, error) {
	t, err := a.settler(ctx)
	if err != nil {
		return nil, err
	}
	all := make([]Settlement, len(seqs))
	for i, seq := range seqs {
		if err := a.seesEvent(ctx, seq); err != nil {
			return nil, err
		}
		leaf, err := a.cfg.Models.Leaf(ctx, seq)
		if err != nil {
			return nil, err
		}
		if all[i], err = t.of(ctx, leaf); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// Inclusion proves that an event is in a tree of which there is a checkpoint.
type Inclusion struct {
	Leaf       tlog.Hash
	Index      uint64
	Hashes     tlog.RecordProof
	Checkpoint proof.Signed
}

// Inclusion is the proof that GET /v1/events/{seq}/proof hands out, of the tree of the
// ledger.
func (a *API) Inclusion(ctx context.Context, seq uint64, raw []byte) (Inclusion, error) {
	if err := a.seesEvent(ctx, seq); err != nil {
		return Inclusion{}, err
	}
	in := Inclusion{Leaf: tlog.RecordHash(raw), Index: seq - 1}
	var err error
	if in.Checkpoint, err = a.bestCheckpoint(ctx, "", in.Index); err != nil {
		return in, err
	}
	in.Hashes, err = a.included(ctx, "", in.Checkpoint, in.Index, raw)
	return in, err
}

// Replay folds the log again and compares, as POST /v1/replay does; the answer may
// take as long as that does.
func (a *API) Replay(ctx context.Context, w http.ResponseWriter) (projections.Replayed, error) {
	if err := a.takes(ctx, "POST /v1/replay"); err != nil {
		return projections.Replayed{}, err
	}
	conn := http.NewResponseController(w)
	if err := conn.SetWriteDeadline(time.Time{}); err != nil {
		return projections.Replayed{}, err
	}
	defer func() { _ = conn.SetWriteDeadline(time.Now().Add(time.Minute)) }() // a client that is gone hears nothing
	return a.cfg.Models.Replay(ctx, a.cfg.Store, projections.ReplayOptions{Files: a.cfg.Store})
}

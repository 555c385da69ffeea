package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"

	"github.com/milepost-ledger/milepost/cmd/internal/signing"
	"github.com/milepost-ledger/milepost/eventstore"
	"github.com/milepost-ledger/milepost/eventstore/notary"
	"github.com/milepost-ledger/milepost/eventstore/proof"
)

// Place is where a ledger is restored to.
type Place struct {
	Dir    string // empty, or not there yet
	Keys   Keys   // that go there too; the zero Keys for none
	Logger *slog.Logger

	// The external server or cluster that is to have the log and the evidence; they
	// are in Dir without. It has nothing of that ledger yet.
	URL, Creds string
	Replicas   int // 0 for what the server can
}

// checkpointDir is where a server looks for checkpoints, in its data directory.
const checkpointDir = "checkpoints"

// Restore makes a ledger out of a backup. It is there when all of it has been
// verified, as Verify does and with the restored log itself against each
// checkpoint; else there is nothing. The error is a *Failure where something of the
// backup or of the keys does not hold, and an *eventstore.OccupiedError where the
// place is not empty.
func Restore(ctx context.Context, r io.Reader, to Place, o Options) (out Summary, err error) {
	err = eventstore.Restore(ctx, eventstore.Config{
		Dir: to.Dir, URL: to.URL, Creds: to.Creds, Replicas: to.Replicas, Logger: to.Logger,
	}, func(made *eventstore.Restoring) (err error) {
		out, err = read(ctx, r, o, &restorer{Restoring: made})
		if err != nil {
			return err
		}
		if err := check(ctx, made, out); err != nil {
			return err
		}
		return to.Keys.put(made.Dir(), out)
	})
	return out, err
}

// restorer takes in what is read.
type restorer struct{ *eventstore.Restoring }

func (r *restorer) begin(ctx context.Context, h Head) error {
	return r.Begin(ctx, h.Ledger, h.Metadata)
}

func (r *restorer) records(ctx context.Context, list []eventstore.Record) error {
	return r.Append(ctx, list)
}

func (r *restorer) evidence(ctx context.Context, hash string, body io.Reader) error {
	return r.PutEvidence(ctx, body, hash)
}

func (r *restorer) checkpoints(list []proof.Signed) error {
	for _, s := range list {
		if err := notary.Restore(filepath.Join(r.Dir(), checkpointDir), s); err != nil {
			return err
		}
	}
	return nil
}

// errReadOnly keeps the check from signing: the key may be elsewhere.
var errReadOnly = errors.New("backup: a restored log is only compared")

// check reads the restored log as each start does, and compares it with all
// checkpoints.
func check(ctx context.Context, made *eventstore.Restoring, s Summary) error {
	store, err := made.Finish(ctx)
	if err != nil {
		return err
	}
	keys, _, err := signing.Chain(ctx, store)
	if err != nil {
		return failure(CodeRotationBroken, "%v", err)
	}
	if len(keys) == 0 {
		keys = s.Keys // as they were given
	}
	last, err := store.Last(ctx)
	if err != nil {
		return err
	}
	if last != s.Manifest.Seq {
		return fmt.Errorf("backup: %d of %d events were restored", last, s.Manifest.Seq)
	}
	hashes, err := store.EvidenceHashes(ctx)
	if err != nil {
		return err
	}
	if len(hashes) != s.Manifest.Evidence {
		return fmt.Errorf("backup: %d of %d files of evidence were restored", len(hashes), s.Manifest.Evidence)
	}
	if _, err := notary.Open(ctx, store, notary.Options{
		Dir: filepath.Join(made.Dir(), checkpointDir), Ledger: s.Head.Ledger, Former: keys, ReadOnly: errReadOnly,
	}); err != nil {
		return failure(CodeEventChanged, "what was restored is not what was signed: %v", err)
	}
	return nil
}

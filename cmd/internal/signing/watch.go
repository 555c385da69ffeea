package signing

import (
	"context"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/eventstore"
	"github.com/milepost-ledger/milepost/eventstore/notary"
	"github.com/milepost-ledger/milepost/projections"
)

// Watch checks that k, which Prepare returned, is the present key of the opened
// log, see Match, and opens the notary of the log: the log is compared with its
// checkpoints in opts.Dir, with the help of the read models where it differs.
func Watch(ctx context.Context, store *eventstore.Store, models *projections.Models, k Key, made bool, opts notary.Options) (Key, *notary.Notary, error) {
	k, former, err := Match(ctx, store, k, made)
	if err != nil {
		return k, nil, err
	}
	opts.Ledger, opts.Secret, opts.Former, opts.Index = store.Ledger(), k.Secret, former, leafIndex{models}
	n, err := notary.Open(ctx, store, opts)
	return k, n, err
}

// WatchCopy opens the notary of a copy: it compares the log with the checkpoints
// in opts.Dir that the origin signed, if there are any, and signs nothing.
func WatchCopy(ctx context.Context, store *eventstore.Store, models *projections.Models, opts notary.Options) (*notary.Notary, error) {
	keys, _, err := Chain(ctx, store)
	if err != nil {
		return nil, err
	}
	opts.Ledger, opts.Former, opts.ReadOnly, opts.Index = store.Ledger(), keys, store.Writable(), leafIndex{models}
	return notary.Open(ctx, store, opts)
}

// leafIndex is what the read models know of the log, as the notary asks for it.
type leafIndex struct{ *projections.Models }

func (i leafIndex) TreeRoot(ctx context.Context, agreement string, size uint64) (tlog.Hash, error) {
	return i.Models.TreeRoot(ctx, domain.Key(agreement), size)
}

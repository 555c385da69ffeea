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

// leafIndex is what the read models know of the log, as the notary asks for it.
type leafIndex struct{ *projections.Models }

func (i leafIndex) TreeRoot(ctx context.Context, agreement string, size uint64) (tlog.Hash, error) {
	return i.Models.TreeRoot(ctx, domain.Key(agreement), size)
}

package ledger_test

import (
	"context"
	"fmt"
	"iter"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
	"github.com/milepost-ledger/milepost/eventstore"
	"github.com/milepost-ledger/milepost/projections"
)

// counting is a log that counts what is read of aggregates.
type counting struct {
	*eventstore.Store
	read atomic.Int64
}

func (c *counting) Aggregate(ctx context.Context, subject string, from uint64) iter.Seq2[eventstore.Record, error] {
	return c.count(c.Store.Aggregate(ctx, subject, from))
}

func (c *counting) Records(ctx context.Context, subject string, seqs []uint64) iter.Seq2[eventstore.Record, error] {
	return c.count(c.Store.Records(ctx, subject, seqs))
}

func (c *counting) count(records iter.Seq2[eventstore.Record, error]) iter.Seq2[eventstore.Record, error] {
	return func(yield func(eventstore.Record, error) bool) {
		for rec, err := range records {
			c.read.Add(1)
			if !yield(rec, err) {
				return
			}
		}
	}
}

// registered is a ledger that has only just begun, beside read models of its log that
// have come up to the end of it.
func registered(t *testing.T, store *eventstore.Store) (*ledger.Ledger, *counting) {
	t.Helper()
	models, err := projections.Open(t.Context(), projections.Options{Dir: t.TempDir(), Ledger: "main"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, models.Close()) })
	_, err = models.Rebuild(t.Context(), store, nil)
	require.NoError(t, err)
	log := &counting{Store: store}
	return ledger.New(log, ledger.Options{Name: "main", Register: models, Now: func() time.Time { return now }}), log
}

// However long the history of an aggregate is, its first command reads nothing of it.
func TestTheFirstCommandOfAnAggregateReadsNoEvents(t *testing.T) {
	store := openStore(t)
	writer := newLedger(store)
	_, err := writer.Execute(t.Context(), register("wuxi"))
	require.NoError(t, err)
	for i := range 50 {
		_, err := writer.Execute(t.Context(), rename("wuxi", fmt.Sprint("Wuxi ", i)))
		require.NoError(t, err)
	}

	l, log := registered(t, store)
	receipt, err := l.Execute(t.Context(), rename("wuxi", "Wuxi again"))
	require.NoError(t, err)
	require.EqualValues(t, 52, receipt.Version)
	require.Zero(t, log.read.Load())

	// and what the register has not seen is read from the log
	_, err = writer.Execute(t.Context(), rename("wuxi", "Wuxi by another"))
	require.NoError(t, err)
	receipt, err = l.Execute(t.Context(), rename("wuxi", "Wuxi once more"))
	require.NoError(t, err)
	require.EqualValues(t, 54, receipt.Version)
	require.EqualValues(t, 1, log.read.Load())
}

// What was imported before there was a snapshot is known after it.
func TestImportingAgainAfterASnapshotAddsNothing(t *testing.T) {
	store := openStore(t)
	_, err := importText(t, newLedger(store), threeParties)
	require.NoError(t, err)

	l, log := registered(t, store)
	sum, err := importText(t, l, threeParties)
	require.NoError(t, err)
	require.Equal(t, ledger.Summary{Lines: 6, Skipped: 5}, sum)
	require.Zero(t, log.read.Load())
	require.Len(t, audit(t, store), 5)
}

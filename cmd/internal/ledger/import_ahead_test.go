package ledger_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/eventstore"
)

// watchedLog is a log that is looked at before each append of a whole batch.
type watchedLog struct {
	*eventstore.Store
	batches int
	before  func(batch int) error
}

func (w *watchedLog) Append(ctx context.Context, msgs []eventstore.Message) (uint64, error) {
	if len(msgs) == ledger.MaxBatch {
		w.batches++
		if err := w.before(w.batches); err != nil {
			return 0, err
		}
	}
	return w.Store.Append(ctx, msgs)
}

// renames are three whole batches about one party, each command on top of the
// one before it.
func renames() (reqs []ledger.Request) {
	for i := range 3 * ledger.MaxBatch {
		reqs = append(reqs, rename("wuxi", fmt.Sprint("Wuxi ", i)))
	}
	return reqs
}

func TestABatchIsDecidedOnTheOneThatIsBeingAppended(t *testing.T) {
	store := openStore(t)
	log := &watchedLog{Store: store, before: func(int) error { return nil }}
	l := newLedger(log)
	_, err := l.Execute(t.Context(), register("wuxi"))
	require.NoError(t, err)

	sum, err := importAll(t, l, renames()...)
	require.NoError(t, err)
	require.Equal(t, 3*ledger.MaxBatch, sum.Commands)
	require.Equal(t, 3, log.batches, "no batch is sent twice")
	audited := audit(t, store)
	require.Len(t, audited, 1+3*ledger.MaxBatch)
	require.EqualValues(t, 1+3*ledger.MaxBatch, audited[len(audited)-1].Version)
}

// Given somebody else who is faster with the same party, before any one of the
// batches, then its commands and those decided on them follow all the same, in
// their order and once.
func TestABatchIsDecidedAnewWhenTheOneBeforeCameToSomethingElse(t *testing.T) {
	for faster := 1; faster <= 3; faster++ {
		t.Run(fmt.Sprint("batch ", faster), func(t *testing.T) {
			store := openStore(t)
			rival := newLedger(store)
			log := &watchedLog{Store: store, before: func(batch int) error {
				if batch != faster {
					return nil
				}
				_, err := rival.Execute(t.Context(), rename("wuxi", "Rival"))
				return err
			}}
			_, err := rival.Execute(t.Context(), register("wuxi"))
			require.NoError(t, err)

			sum, err := importAll(t, newLedger(log), renames()...)
			require.NoError(t, err)
			require.Equal(t, 3*ledger.MaxBatch, sum.Commands)
			audited := audit(t, store)
			require.Len(t, audited, 2+3*ledger.MaxBatch)
			require.Equal(t, "Rival", titleOf(t, audited[1+(faster-1)*ledger.MaxBatch].Data))
			i := 0
			for _, env := range audited[1:] {
				if title := titleOf(t, env.Data); title != "Rival" {
					require.Equal(t, fmt.Sprint("Wuxi ", i), title)
					i++
				}
			}
		})
	}
}

// Given a batch that does not get into the log, then none after it does, even if
// they have nothing to do with it.
func TestNoBatchOvertakesTheOneBefore(t *testing.T) {
	for failing := 1; failing <= 2; failing++ {
		store := openStore(t)
		log := &watchedLog{Store: store, before: func(batch int) error {
			if batch == failing {
				return eventstore.ErrUnavailable
			}
			return nil
		}}
		var reqs []ledger.Request
		for i := range 3 * ledger.MaxBatch {
			reqs = append(reqs, register(fmt.Sprint("party-", i)))
		}
		sum, err := importAll(t, newLedger(log), reqs...)
		require.ErrorIs(t, err, eventstore.ErrUnavailable)
		require.Equal(t, (failing-1)*ledger.MaxBatch, sum.Commands)
		require.Len(t, audit(t, store), (failing-1)*ledger.MaxBatch)
	}
}

func titleOf(t *testing.T, data []byte) string {
	t.Helper()
	var event struct {
		Title domain.Text `json:"title"`
	}
	require.NoError(t, json.Unmarshal(data, &event))
	return event.Title["en"]
}

package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
	"github.com/milepost-ledger/milepost/eventstore"
)

// faultyLog loses acknowledgements: after the append when stored, else instead of it.
type faultyLog struct {
	*eventstore.Store
	faults atomic.Int32
	stored bool
}

func (f *faultyLog) Append(ctx context.Context, msgs []eventstore.Message) (uint64, error) {
	if f.faults.Add(-1) < 0 {
		return f.Store.Append(ctx, msgs)
	}
	if f.stored {
		if _, err := f.Store.Append(ctx, msgs); err != nil {
			return 0, err
		}
	}
	return 0, &eventstore.OutcomeUnknownError{Err: errors.New("ack lost")}
}

func TestALostAcknowledgementIsSettledFromTheLog(t *testing.T) {
	for _, stored := range []bool{true, false} {
		t.Run(fmt.Sprintf("stored=%v", stored), func(t *testing.T) {
			store := openStore(t)
			log := &faultyLog{Store: store, stored: stored}
			l := newLedger(log)
			_, err := l.Execute(t.Context(), register("wuxi"))
			require.NoError(t, err)

			log.faults.Store(1)
			receipt, err := l.Execute(t.Context(), rename("wuxi", "Wuxi"))
			require.NoError(t, err)
			require.EqualValues(t, 2, receipt.Version)
			require.Equal(t, stored, receipt.Replayed)
			require.Len(t, audit(t, store), 2)

			log.faults.Store(1)
			sum, err := importAll(t, l, register("cethik"), rename("cethik", "CETHIK"))
			require.NoError(t, err)
			require.Equal(t, 2, sum.Commands+sum.Skipped)
			require.Len(t, audit(t, store), 4)
		})
	}
}

// late is a log of which the caller gives up on each append just as it is sent.
type late struct {
	*eventstore.Store
	cancel context.CancelFunc
	wrote  bool // before the caller could look
	after  func()
}

func (s *late) Append(ctx context.Context, msgs []eventstore.Message) (uint64, error) {
	if s.cancel == nil {
		return s.Store.Append(ctx, msgs)
	}
	write := func() { _, _ = s.Store.Append(context.WithoutCancel(ctx), msgs) } // audited by the test
	if s.wrote {
		write()
	}
	s.after = write
	s.cancel()
	s.cancel = nil
	return 0, &eventstore.OutcomeUnknownError{Err: ctx.Err()}
}

func TestAGivenUpCommandIsNeverCalledUnwritten(t *testing.T) {
	for _, wrote := range []bool{true, false} {
		t.Run(fmt.Sprintf("wrote=%v", wrote), func(t *testing.T) {
			store := openStore(t)
			log := &late{Store: store, wrote: wrote}
			l := newLedger(log)
			_, err := l.Execute(t.Context(), register("wuxi"))
			require.NoError(t, err)

			ctx, cancel := context.WithCancel(t.Context())
			log.cancel = cancel
			receipt, err := l.Execute(ctx, rename("wuxi", "Wuxi"))
			if wrote {
				require.NoError(t, err)
				require.True(t, receipt.Replayed)
			} else {
				var unknown *eventstore.OutcomeUnknownError
				require.ErrorAs(t, err, &unknown)
				log.after() // it comes after all
			}
			// then the next command is decided on what the log says
			two := uint64(2)
			next := rename("wuxi", "City of Wuxi")
			next.Meta.ExpectedVersion = &two
			receipt, err = l.Execute(t.Context(), next)
			require.NoError(t, err)
			require.EqualValues(t, 3, receipt.Version)
			audit(t, store)
		})
	}
}

var _ ledger.Log = (*faultyLog)(nil)

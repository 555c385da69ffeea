package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/party"
	"github.com/milepost-ledger/milepost/eventstore"
)

func TestTheSameKeyIsDoneOnce(t *testing.T) {
	store := openStore(t)
	l := newLedger(store)
	_, err := l.Execute(t.Context(), register("wuxi"))
	require.NoError(t, err)
	first, err := l.Execute(t.Context(), withKey(rename("wuxi", "A"), "key-1"))
	require.NoError(t, err)
	_, err = l.Execute(t.Context(), rename("wuxi", "B"))
	require.NoError(t, err)

	for name, l := range map[string]*ledger.Ledger{"at once": l, "after a restart": newLedger(store)} {
		t.Run(name, func(t *testing.T) {
			again, err := l.Execute(t.Context(), withKey(rename("wuxi", "A"), "key-1"))
			require.NoError(t, err)
			require.True(t, again.Replayed)
			again.Replayed = false
			require.Equal(t, first, again)

			_, err = l.Execute(t.Context(), withKey(rename("wuxi", "C"), "key-1"))
			requireCode(t, err, domain.CodeKeyReused, "idempotency_key")
			_, err = l.Execute(t.Context(), withKey(register("cethik"), "key-1"))
			requireCode(t, err, domain.CodeKeyReused, "idempotency_key")
			require.Len(t, audit(t, store), 3)
		})
	}
}

func TestAKeyMayBeAnyText(t *testing.T) {
	store := openStore(t)
	l := newLedger(store)
	key := strings.Repeat("键 ", 100)
	_, err := l.Execute(t.Context(), withKey(register("wuxi"), key))
	require.NoError(t, err)
	again, err := l.Execute(t.Context(), withKey(register("wuxi"), key))
	require.NoError(t, err)
	require.True(t, again.Replayed)
	_, err = l.Execute(t.Context(), withKey(register("cethik"), key+"x"))
	requireCode(t, err, domain.CodeInvalidValue, "idempotency_key")
}

func TestOneKeyOnTwoAggregatesAtOnce(t *testing.T) {
	store := openStore(t)
	replicas := []*ledger.Ledger{newLedger(store), newLedger(store)}
	accepted := atomic.Int32{}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			_, err := replicas[i%2].Execute(t.Context(), withKey(register(fmt.Sprint("party-", i)), "one"))
			if err == nil {
				accepted.Add(1)
			} else if r := (*domain.Rejected)(nil); !errors.As(err, &r) || r.Code != domain.CodeKeyReused {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, 1, accepted.Load())
	require.Len(t, audit(t, store), 1)
}

func TestOneKeyTwiceInOneBatch(t *testing.T) {
	store := openStore(t)
	l := newLedger(store)

	// given a good line, a line with a key, and another command with the same key
	sum, err := importAll(t, l, register("a"), withKey(register("b"), "k"), withKey(register("c"), "k"), register("d"))
	// then the third is refused, and what came before it stays
	var stopped *ledger.LineError
	require.ErrorAs(t, err, &stopped)
	require.Equal(t, 3, stopped.Line)
	requireCode(t, err, domain.CodeKeyReused, "idempotency_key")
	require.Equal(t, 2, sum.Commands)
	require.Len(t, audit(t, store), 2)

	// and the same command twice is done once
	sum, err = importAll(t, l, withKey(register("e"), "k2"), withKey(register("e"), "k2"))
	require.NoError(t, err)
	require.Equal(t, ledger.Summary{Lines: 2, Commands: 1, Events: 1, FirstSeq: 3, LastSeq: 3, Skipped: 1}, sum)
}

// laggard is a register that knows nothing until it has been waited for.
type laggard struct {
	log    *eventstore.Store
	upTo   uint64
	waited atomic.Int32
}

func (r *laggard) Wait(_ context.Context, seq uint64) error {
	r.waited.Add(1)
	r.upTo = max(r.upTo, seq)
	return nil
}

func (r *laggard) Past(context.Context, domain.Ref) (domain.Snapshot, []uint64, uint64, error) {
	return domain.Snapshot{}, nil, 0, nil
}

func (r *laggard) Changed(context.Context, domain.Ref, string) ([]string, bool, uint64, error) {
	return nil, false, 0, nil
}

func (r *laggard) FindCommandOf(ctx context.Context, _ domain.Ref, key string) (uint64, bool, error) {
	return r.FindCommand(ctx, key)
}

func (r *laggard) FindCommand(ctx context.Context, key string) (uint64, bool, error) {
	for seq := uint64(1); seq <= r.upTo; seq++ {
		rec, err := r.log.Get(ctx, seq)
		if err != nil {
			return 0, false, err
		}
		if env, err := domain.DecodeEnvelope(rec.Data); err != nil || env.CommandID == key {
			return seq, err == nil, err
		}
	}
	return 0, false, nil
}

// forgetful is a log whose duplicate window is over.
type forgetful struct{ *eventstore.Store }

func (f forgetful) Append(ctx context.Context, msgs []eventstore.Message) (uint64, error) {
	for i := range msgs {
		msgs[i].ID = ""
	}
	return f.Store.Append(ctx, msgs)
}

func TestAKeyIsNotNewBeforeTheRegisterCouldKnowIt(t *testing.T) {
	store := openStore(t)
	req := withKey(ledger.Request{Command: party.Register{Title: domain.Text{"en": "W"}, Kind: "other"}}, "k") // its party's key is drawn
	_, err := newLedger(forgetful{store}).Execute(t.Context(), req)
	require.NoError(t, err)

	register := &laggard{log: store}
	l := ledger.New(forgetful{store}, ledger.Options{Name: "main", Register: register})
	receipt, err := l.Execute(t.Context(), req)
	require.NoError(t, err)
	require.True(t, receipt.Replayed)
	require.Positive(t, register.waited.Load())
	require.Len(t, audit(t, store), 1)
}

package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/party"
	"github.com/milepost-ledger/milepost/eventstore"
)

var now = time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)

func openStore(t *testing.T) *eventstore.Store {
	t.Helper()
	store, err := eventstore.Open(t.Context(), eventstore.Config{Dir: t.TempDir(), Ledger: "main"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	return store
}

func newLedger(log ledger.Log, exclusive bool) *ledger.Ledger {
	return ledger.New(log, ledger.Options{Name: "main", Now: func() time.Time { return now }, Exclusive: exclusive})
}

func register(key string) ledger.Request {
	return ledger.Request{Command: party.Register{Party: domain.Key(key), Title: domain.Text{"en": key}, Kind: "other"}}
}

func rename(key, title string) ledger.Request {
	return ledger.Request{Command: party.Change{Party: domain.Key(key), Title: domain.Text{"en": title}}}
}

func withKey(r ledger.Request, key string) ledger.Request {
	r.Meta.IdempotencyKey = key
	return r
}

// audit reads the whole log and returns its envelopes, having checked that
// versions of each aggregate grow by one.
func audit(t *testing.T, store *eventstore.Store) []domain.Envelope {
	t.Helper()
	versions := map[domain.Ref]uint64{}
	var all []domain.Envelope
	for rec, err := range store.Read(t.Context(), 1, 0, "") {
		require.NoError(t, err)
		env, err := domain.DecodeEnvelope(rec.Data)
		require.NoError(t, err)
		require.Equal(t, versions[env.Ref]+1, env.Version, "sequence %d", rec.Seq)
		versions[env.Ref]++
		all = append(all, env)
	}
	return all
}

func requireCode(t *testing.T, err error, code, field string) {
	t.Helper()
	var r *domain.Rejected
	require.ErrorAs(t, err, &r)
	require.Equal(t, code, r.Code, r.Message)
	require.Equal(t, field, r.Field, r.Message)
}

func TestReceiptNamesWhatIsInTheLog(t *testing.T) {
	store := openStore(t)
	l := newLedger(store, true)

	// given a party, when it is renamed
	_, err := l.Execute(t.Context(), register("wuxi"))
	require.NoError(t, err)
	req := rename("wuxi", "Wuxi")
	req.Meta = domain.Meta{Actor: "ann", ActingFor: "wuxi", Reason: "spelling", Effective: domain.MustDate("2026-11-01")}
	receipt, err := l.Execute(t.Context(), req)
	require.NoError(t, err)

	// then the receipt names the stored event, and the event says who, why, when and by which command
	log := audit(t, store)
	require.Len(t, log, 2)
	env := log[1]
	require.Equal(t, ledger.Receipt{
		CommandID: env.CommandID, Command: "change-party", Aggregate: "party/wuxi", Version: 2, Seq: 2, RecordedAt: now,
		Events: []ledger.EventRef{{Seq: 2, ID: env.ID, Type: "milepost.party.changed.v1"}},
	}, receipt)
	require.Equal(t, "ann", env.Actor)
	require.Equal(t, domain.Key("wuxi"), env.Party)
	require.Equal(t, "spelling", env.Reason)
	require.Equal(t, domain.MustDate("2026-11-01"), env.Effective)
	require.Equal(t, "/ledgers/main", env.Source)
}

func TestRefusalsWriteNothing(t *testing.T) {
	store := openStore(t)
	l := newLedger(store, true)
	_, err := l.Execute(t.Context(), register("wuxi"))
	require.NoError(t, err)
	stale, missing := uint64(7), "0190b2a0-0000-7000-8000-000000000000"

	with := func(r ledger.Request, f func(*domain.Meta)) ledger.Request { f(&r.Meta); return r }
	for _, c := range []struct {
		name, code, field string
		req               ledger.Request
	}{
		{"taken key", domain.CodeAlreadyExists, "party", register("wuxi")},
		{"nothing to change", domain.CodeNothingChanged, "", rename("wuxi", "wuxi")},
		{"no such party", domain.CodeNotFound, "party", rename("cethik", "CETHIK")},
		{"stale version", domain.CodeStaleVersion, "expected_version", with(rename("wuxi", "W"), func(m *domain.Meta) { m.ExpectedVersion = &stale })},
		{"acting for nobody known", domain.CodeNotFound, "acting_for", with(rename("wuxi", "W"), func(m *domain.Meta) { m.ActingFor = "cethik" })},
		{"correcting nothing", domain.CodeNotFound, "corrects", with(rename("wuxi", "W"), func(m *domain.Meta) { m.Corrects = missing })},
		{"missing field", domain.CodeMissingField, "title", ledger.Request{Command: party.Register{Party: "x", Kind: "other"}}},
		{"not one of the kinds", domain.CodeInvalidValue, "kind", ledger.Request{Command: party.Register{Party: "x", Title: domain.Text{"en": "x"}, Kind: "club"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := l.Execute(t.Context(), c.req)
			requireCode(t, err, c.code, c.field)
			require.Len(t, audit(t, store), 1)
		})
	}
}

func TestACorrectionNamesAnEventOfTheSameAggregate(t *testing.T) {
	store := openStore(t)
	l := newLedger(store, true)
	first, err := l.Execute(t.Context(), register("wuxi"))
	require.NoError(t, err)
	other, err := l.Execute(t.Context(), register("cethik"))
	require.NoError(t, err)

	req := rename("wuxi", "Wuxi")
	req.Meta.Corrects = other.Events[0].ID
	_, err = l.Execute(t.Context(), req)
	requireCode(t, err, domain.CodeNotFound, "corrects")

	req.Meta.Corrects = first.Events[0].ID
	_, err = l.Execute(t.Context(), req)
	require.NoError(t, err)
}

func TestTheSameKeyIsDoneOnce(t *testing.T) {
	store := openStore(t)
	l := newLedger(store, true)
	_, err := l.Execute(t.Context(), register("wuxi"))
	require.NoError(t, err)
	first, err := l.Execute(t.Context(), withKey(rename("wuxi", "A"), "key-1"))
	require.NoError(t, err)
	_, err = l.Execute(t.Context(), rename("wuxi", "B"))
	require.NoError(t, err)

	for name, l := range map[string]*ledger.Ledger{"at once": l, "after a restart": newLedger(store, true)} {
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
	l := newLedger(store, true)
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
	replicas := []*ledger.Ledger{newLedger(store, false), newLedger(store, false)}
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
			l := newLedger(log, true)
			_, err := l.Execute(t.Context(), register("wuxi"))
			require.NoError(t, err)

			log.faults.Store(1)
			receipt, err := l.Execute(t.Context(), rename("wuxi", "Wuxi"))
			require.NoError(t, err)
			require.EqualValues(t, 2, receipt.Version)
			require.Equal(t, stored, receipt.Replayed)
			require.Len(t, audit(t, store), 2)

			log.faults.Store(1)
			receipts, err := l.ExecuteAll(t.Context(), []ledger.Request{register("cethik"), rename("cethik", "CETHIK")})
			require.NoError(t, err)
			require.EqualValues(t, 2, receipts[1].Version)
			require.Len(t, audit(t, store), 4)
		})
	}
}

func TestTwoReplicasShareOneLedger(t *testing.T) {
	store := openStore(t)
	a, b := newLedger(store, false), newLedger(store, false)

	// given that b believes that there is no such party
	_, err := b.Execute(t.Context(), rename("wuxi", "Wuxi"))
	requireCode(t, err, domain.CodeNotFound, "party")
	// when it is registered through a, then b refuses nothing on its stale state
	_, err = a.Execute(t.Context(), register("wuxi"))
	require.NoError(t, err)
	_, err = b.Execute(t.Context(), rename("wuxi", "Wuxi"))
	require.NoError(t, err)

	// when many rename it through both at once, then each accepted command is in the log once
	var accepted sync.Map
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			l := []*ledger.Ledger{a, b}[i%2]
			receipt, err := l.Execute(t.Context(), rename("wuxi", fmt.Sprint("title ", i)))
			if err == nil {
				accepted.Store(receipt.Events[0].ID, receipt.Seq)
				return
			}
			if !errors.Is(err, ledger.ErrConflict) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	log := audit(t, store)
	n := 0
	accepted.Range(func(id, seq any) bool {
		n++
		return assertStored(t, log, id.(string), seq.(uint64))
	})
	require.Equal(t, len(log)-2, n)
	require.Greater(t, n, 10)
}

func assertStored(t *testing.T, log []domain.Envelope, id string, seq uint64) bool {
	t.Helper()
	require.Equal(t, id, log[seq-1].ID)
	return true
}

func TestABatchStopsAtTheFirstRefusal(t *testing.T) {
	store := openStore(t)
	l := newLedger(store, true)
	receipts, err := l.ExecuteAll(t.Context(), []ledger.Request{
		register("wuxi"), rename("wuxi", "Wuxi"), register("wuxi"), register("cethik"),
	})
	var stopped *ledger.BatchError
	require.ErrorAs(t, err, &stopped)
	require.Equal(t, 2, stopped.Index)
	requireCode(t, err, domain.CodeAlreadyExists, "party")
	require.Len(t, receipts, 2)
	require.EqualValues(t, 2, receipts[1].Version)
	require.Len(t, audit(t, store), 2)

	// and the ledger goes on from there
	receipt, err := l.Execute(t.Context(), rename("wuxi", "City of Wuxi"))
	require.NoError(t, err)
	require.EqualValues(t, 3, receipt.Version)
}

func TestALargeBatchIsDivided(t *testing.T) {
	store := openStore(t)
	l := newLedger(store, true)
	var reqs []ledger.Request
	for i := range 2500 {
		reqs = append(reqs, register(fmt.Sprint("party-", i)))
	}
	receipts, err := l.ExecuteAll(t.Context(), reqs)
	require.NoError(t, err)
	require.Len(t, audit(t, store), 2500)
	for i, r := range receipts {
		require.EqualValues(t, i+1, r.Seq)
	}
}

var _ ledger.Log = (*faultyLog)(nil)

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

func newLedger(log ledger.Log) *ledger.Ledger {
	return ledger.New(log, ledger.Options{Name: "main", Now: func() time.Time { return now }})
}

// importAll imports requests, each as a line of its own.
func importAll(t *testing.T, l *ledger.Ledger, reqs ...ledger.Request) (ledger.Summary, error) {
	t.Helper()
	return l.Import(t.Context(), func(yield func(ledger.Item) bool) {
		for i, req := range reqs {
			if !yield(ledger.Item{Line: i + 1, Request: req}) {
				return
			}
		}
	}, nil)
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
	l := newLedger(store)

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
	l := newLedger(store)
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
	l := newLedger(store)
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

func TestTwoReplicasShareOneLedger(t *testing.T) {
	store := openStore(t)
	a, b := newLedger(store), newLedger(store)

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
	l := newLedger(store)
	again := register("wuxi")
	again.Meta.Note = "again"
	sum, err := importAll(t, l, register("wuxi"), rename("wuxi", "Wuxi"), again, register("cethik"))
	var stopped *ledger.LineError
	require.ErrorAs(t, err, &stopped)
	require.Equal(t, 3, stopped.Line)
	requireCode(t, err, domain.CodeAlreadyExists, "party")
	require.Equal(t, 2, sum.Commands)
	require.Len(t, audit(t, store), 2)

	// and the ledger goes on from there
	receipt, err := l.Execute(t.Context(), rename("wuxi", "City of Wuxi"))
	require.NoError(t, err)
	require.EqualValues(t, 3, receipt.Version)
}

func TestALargeBatchIsDivided(t *testing.T) {
	store := openStore(t)
	l := newLedger(store)
	var reqs []ledger.Request
	for i := range 2500 {
		reqs = append(reqs, register(fmt.Sprint("party-", i)))
	}
	sum, err := importAll(t, l, reqs...)
	require.NoError(t, err)
	require.Equal(t, ledger.Summary{Lines: 2500, Commands: 2500, Events: 2500, FirstSeq: 1, LastSeq: 2500}, sum)
	require.Len(t, audit(t, store), 2500)
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

func (r *laggard) History(context.Context, domain.Ref) ([]uint64, uint64, error) { return nil, 0, nil }

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

func TestAKeyIsNotNewBeforeTheRegisterCouldKnowIt(t *testing.T) {
	store := openStore(t)
	req := withKey(ledger.Request{Command: party.Register{Title: domain.Text{"en": "W"}, Kind: "other"}}, "k") // its party's key is drawn
	_, err := newLedger(store).Execute(t.Context(), req)
	require.NoError(t, err)

	register := &laggard{log: store}
	l := ledger.New(store, ledger.Options{Name: "main", Register: register})
	receipt, err := l.Execute(t.Context(), req)
	require.NoError(t, err)
	require.True(t, receipt.Replayed)
	require.Positive(t, register.waited.Load())
	require.Len(t, audit(t, store), 1)
}

func TestAnImportGetsItsTurnBesideOthers(t *testing.T) {
	store := openStore(t)
	l := newLedger(store)
	_, err := l.Execute(t.Context(), register("busy"))
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for w := range 2 {
		wg.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				_, _ = l.Execute(ctx, rename("busy", fmt.Sprint(w, i))) // cut off by stop
			}
		})
	}
	var reqs []ledger.Request
	for i := range 200 {
		reqs = append(reqs, rename("busy", fmt.Sprint("import ", i)))
	}
	sum, err := importAll(t, l, reqs...)
	stop()
	wg.Wait()
	require.NoError(t, err)
	require.Equal(t, 200, sum.Commands)
	audit(t, store)
}

var _ ledger.Log = (*faultyLog)(nil)

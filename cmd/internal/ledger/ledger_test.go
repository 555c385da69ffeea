package ledger_test

import (
	"errors"
	"fmt"
	"sync"
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

func TestAnEventSaysWhoWasAuthenticatedWhereThatIsNotTheActor(t *testing.T) {
	for _, c := range []struct{ actor, principal, want string }{
		{"ann", "importer", "importer"}, {"ann", "ann", ""}, {"ann", "", ""}, {"", "importer", "importer"},
	} {
		t.Run(fmt.Sprintf("%s by %s", c.actor, c.principal), func(t *testing.T) {
			store := openStore(t)
			l := newLedger(store)
			one := withKey(register("wuxi"), "once")
			one.Meta.Actor, one.Meta.Principal = c.actor, c.principal
			other := register("cethik")
			other.Meta = one.Meta
			other.Meta.IdempotencyKey = ""

			// when a command is given alone, and another is imported
			_, err := l.Execute(t.Context(), one)
			require.NoError(t, err)
			_, err = importAll(t, l, other)
			require.NoError(t, err)

			// then both events say so
			log := audit(t, store)
			require.Equal(t, [2]string{c.want, c.want}, [2]string{log[0].Principal, log[1].Principal})

			// and the same commands of another principal are the same, and do nothing
			one.Meta.Principal, other.Meta.Principal = "somebody", "somebody"
			receipt, err := l.Execute(t.Context(), one)
			require.NoError(t, err)
			require.True(t, receipt.Replayed)
			sum, err := importAll(t, l, other)
			require.NoError(t, err)
			require.Equal(t, 1, sum.Skipped)
			require.Len(t, audit(t, store), 2)
		})
	}
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

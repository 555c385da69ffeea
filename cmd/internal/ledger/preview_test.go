package ledger_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/amendment"
	"github.com/milepost-ledger/milepost/domain/catalogue"
	"github.com/milepost-ledger/milepost/domain/party"
	"github.com/milepost-ledger/milepost/eventstore"
)

// preview requires that the log is as long after a preview as before.
func preview(t *testing.T, store *eventstore.Store, l *ledger.Ledger, req ledger.Request) (ledger.Plan, error) {
	t.Helper()
	before, err := store.Last(t.Context())
	require.NoError(t, err)
	plan, planErr := l.Preview(t.Context(), req)
	after, err := store.Last(t.Context())
	require.NoError(t, err)
	require.Equal(t, before, after)
	return plan, planErr
}

// executed executes what was planned, and requires that just that is recorded.
func executed(t *testing.T, store *eventstore.Store, l *ledger.Ledger, plan ledger.Plan, req ledger.Request) ledger.Receipt {
	t.Helper()
	states := map[domain.Ref]any{}
	for _, env := range audit(t, store) {
		fold(t, states, env)
	}
	req.Command, req.Meta.ExpectedVersion = plan.Command, &plan.Version
	receipt, err := l.Execute(t.Context(), req)
	require.NoError(t, err)
	require.Nil(t, plan.Done)
	require.Len(t, plan.Events, len(receipt.Events))
	for i, env := range audit(t, store)[receipt.Events[0].Seq-1:] {
		planned := plan.Events[i]
		require.Equal(t, []any{plan.Actor, plan.Party, plan.Effective}, []any{env.Actor, env.Party, env.Effective})
		require.Equal(t, ledger.PlannedEvent{
			Ref: env.Ref, Type: env.Type, Data: env.Data, Reason: env.Reason, Note: env.Note, Changes: fold(t, states, env),
		}, planned)
	}
	require.Equal(t, plan.Ref, domain.ParsePath(receipt.Agreement, receipt.Aggregate))
	return receipt
}

// fold takes the states on by a stored event, and returns what it changed.
func fold(t *testing.T, states map[domain.Ref]any, env domain.Envelope) (changes []domain.Change) {
	t.Helper()
	_, event, err := catalogue.Decode(env.Append(nil))
	require.NoError(t, err)
	kind, ok := catalogue.Aggregate(env.Ref.Kind)
	require.True(t, ok)
	next := kind.Evolve(states[env.Ref], event)
	kind.Diff(states[env.Ref], next, func(c domain.Change) { changes = append(changes, c) })
	states[env.Ref] = next
	return changes
}

func TestAPlanIsWhatExecuteRecords(t *testing.T) {
	store := openStore(t)
	l := newLedger(store)
	proposed(t, l, 2)

	t.Run("a command that touches several aggregates, two of them twice", func(t *testing.T) {
		req := signs(0, "cethik")
		req.Meta = domain.Meta{Actor: "ann", Effective: domain.MustDate("2026-11-01")}
		plan, err := preview(t, store, l, req)
		require.NoError(t, err)
		var got [][2]string
		for _, e := range plan.Events {
			got = append(got, [2]string{e.Type, e.Ref.Path()})
		}
		require.Equal(t, effects(0), got)
		require.Equal(t, "ann", plan.Actor)
		require.Equal(t, domain.Key("cethik"), plan.Party)
		require.Contains(t, plan.Events[3].Changes, domain.Change{
			Part: "milestone/site", Field: "due", Before: domain.MustDate("2027-01-31"), After: domain.MustDate("2027-06-30"),
		})
		executed(t, store, l, plan, req)
	})
	t.Run("a command that changes one field twice", func(t *testing.T) {
		_, err := importAll(t, l, ledger.Request{
			Command: amendment.Propose{
				Agreement: "a", Amendment: "a9", Rationale: domain.Text{"en": "R"}, Party: "wuxi", Document: amended(9),
				Changes: []domain.Clause{
					domain.Clause(`{"command":"reschedule-milestone","project":"p0","milestone":"site","due":"2027-07-31"}`),
					domain.Clause(`{"command":"reschedule-milestone","project":"p0","milestone":"site","due":"2027-08-31"}`),
				},
			},
			Meta: domain.Meta{Reason: "funding-delay"},
		}, signs(9, "wuxi"))
		require.NoError(t, err)
		plan, err := preview(t, store, l, signs(9, "cethik"))
		require.NoError(t, err)
		require.Contains(t, plan.Events[4].Changes, domain.Change{
			Part: "milestone/site", Field: "due", Before: domain.MustDate("2027-07-31"), After: domain.MustDate("2027-08-31"),
		})
		executed(t, store, l, plan, signs(9, "cethik"))
	})
	t.Run("a command that draws a key", func(t *testing.T) {
		req := ledger.Request{Command: party.Register{Title: domain.Text{"en": "W"}, Kind: "other"}}
		plan, err := preview(t, store, l, req)
		require.NoError(t, err)
		require.NotEmpty(t, plan.Ref.Key)
		require.Zero(t, plan.Version)
		require.Equal(t, "anonymous", plan.Actor)
		require.Equal(t, domain.DateOf(now, now.Location()), plan.Effective)
		receipt := executed(t, store, l, plan, req)
		require.Equal(t, plan.Ref.Path(), receipt.Aggregate)
	})
}

func TestPreviewRefusesWhatExecuteRefuses(t *testing.T) {
	store := openStore(t)
	l := newLedger(store)
	_, err := l.Execute(t.Context(), withKey(register("wuxi"), "once"))
	require.NoError(t, err)
	stale := rename("wuxi", "W")
	stale.Meta.ExpectedVersion = new(uint64)
	for name, req := range map[string]ledger.Request{
		"a rule":              rename("cethik", "C"),
		"a declaration":       {Command: party.Register{Party: "x", Kind: "other"}},
		"a stale version":     stale,
		"evidence not stored": citing(rename("wuxi", "W"), nowhere),
		"a key that is used":  withKey(rename("wuxi", "W"), "once"),
	} {
		t.Run(name, func(t *testing.T) {
			_, planErr := preview(t, store, l, req)
			_, err := l.Execute(t.Context(), req)
			require.Equal(t, err, planErr)
			require.IsType(t, (*domain.Rejected)(nil), planErr)
		})
	}
}

// What was done under its key is planned as done, with the first receipt.
func TestPreviewOfWhatWasDone(t *testing.T) {
	store := openStore(t)
	req := withKey(ledger.Request{Command: party.Register{Title: domain.Text{"en": "W"}, Kind: "other"}}, "once") // its party's key is drawn
	l := newLedger(store)
	first, err := l.Execute(t.Context(), req)
	require.NoError(t, err)

	plan, err := preview(t, store, l, req)
	require.NoError(t, err)
	require.Empty(t, plan.Events)
	require.NotNil(t, plan.Done)
	require.Equal(t, first.Aggregate, plan.Ref.Path())
	again, err := l.Execute(t.Context(), req)
	require.NoError(t, err)
	require.Equal(t, again, *plan.Done)
}

// A preview is of the log as it is, whatever else writes to it, also where it
// would not refuse on what it remembers.
func TestAPreviewIsOfThePresentState(t *testing.T) {
	store := openStore(t)
	a, b := newLedger(store), newLedger(store)
	_, err := b.Execute(t.Context(), register("wuxi"))
	require.NoError(t, err)
	_, err = a.Execute(t.Context(), rename("wuxi", "A"))
	require.NoError(t, err)

	plan, err := preview(t, store, b, rename("wuxi", "B"))
	require.NoError(t, err)
	require.EqualValues(t, 2, plan.Version)
	require.Equal(t, []domain.Change{{Field: "title", Before: domain.Text{"en": "A"}, After: domain.Text{"en": "B"}}}, plan.Events[0].Changes)
}

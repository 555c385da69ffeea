package ledger_test

import (
	"bytes"
	"context"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/project"
	"github.com/milepost-ledger/milepost/eventstore"
)

// unguarded is a log in which events of some types are never appended: those
// that a decision puts on another aggregate so that it cannot change meanwhile.
type unguarded struct {
	ledger.Log
	guards []domain.Event
}

func (u unguarded) Append(ctx context.Context, msgs []eventstore.Message) (uint64, error) {
	return u.Log.Append(ctx, slices.DeleteFunc(slices.Clone(msgs), func(m eventstore.Message) bool {
		return slices.ContainsFunc(u.guards, func(e domain.Event) bool { return bytes.Contains(m.Data, []byte(`"type":"`+e.Type()+`"`)) })
	}))
}

// Without its guard each rule that looks at another aggregate is broken by a
// stale view of it: so the tests of these rules test something, and nothing
// else would hold them.
func TestWithoutTheirGuardsTheRulesAreBroken(t *testing.T) {
	for _, c := range []struct {
		name   string
		guards []domain.Event
		given  func(t *testing.T, l *ledger.Ledger)
		first  ledger.Request // shows the one ledger the state of the other aggregate
		ending ledger.Request // ends that state, through another ledger
		second ledger.Request // is then done all the same
	}{
		{"a project starts under a suspended agreement", []domain.Event{agreement.ProjectStarted{}},
			func(t *testing.T, l *ledger.Ledger) { inEffect(t, l, 2) }, start("p0"), suspend(), start("p1")},
		{"a meeting is scheduled of a dissolved mechanism", []domain.Event{agreement.MeetingScheduled{}},
			withMechanism, scheduleMeeting("m0"), dissolve(), scheduleMeeting("m1")},
		{"funds are disbursed under a suspended agreement", []domain.Event{agreement.FundsDisbursed{}, project.FundsReceived{}},
			func(t *testing.T, l *ledger.Ledger) { funded(t, l, 1) }, disburse("f0", "first", "1"), suspend(), disburse("f0", "second", "1")},
		{"funds are disbursed to a cancelled project", []domain.Event{project.FundsReceived{}},
			func(t *testing.T, l *ledger.Ledger) { funded(t, l, 1) }, disburse("f0", "first", "1"),
			ledger.Request{Command: project.Cancel{ID: project.ID{Agreement: "a", Project: "p0"}}, Meta: domain.Meta{Reason: "audit"}}, disburse("f0", "second", "1")},
	} {
		t.Run(c.name, func(t *testing.T) {
			// given a ledger whose log drops the guard, and that has seen that it may
			store := openStore(t)
			other, broken := newLedger(store), newLedger(unguarded{store, c.guards})
			c.given(t, other)
			_, err := broken.Execute(t.Context(), c.first)
			require.NoError(t, err)
			// when that ends through another ledger
			_, err = other.Execute(t.Context(), c.ending)
			require.NoError(t, err)
			// then the broken one does it again
			_, err = broken.Execute(t.Context(), c.second)
			require.NoError(t, err)
		})
	}
}

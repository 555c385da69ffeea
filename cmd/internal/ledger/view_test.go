package ledger_test

import (
	"context"
	"iter"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/project"
	"github.com/milepost-ledger/milepost/eventstore"
)

// meanwhile is a log that lets something happen once while a subject is read.
type meanwhile struct {
	*eventstore.Store
	subject string
	happens func()
}

func (m *meanwhile) Aggregate(ctx context.Context, subject string, from uint64) iter.Seq2[eventstore.Record, error] {
	if happens := m.happens; subject == m.subject && happens != nil {
		m.happens = nil
		happens()
	}
	return m.Store.Aggregate(ctx, subject, from)
}

// What a decision has seen of an aggregate is what its append expects of it,
// also when somebody else's command in the same process is faster.
func TestADecisionIsAppendedToWhatItHasSeen(t *testing.T) {
	store := openStore(t)
	log := &meanwhile{Store: store, subject: eventstore.Subject("main", "a", "project", "p1")}
	proposed(t, newLedger(store), 2)
	l := newLedger(log)
	_, err := l.Execute(t.Context(), ledger.Request{Command: agreement.AddArea{ID: agreement.ID{Agreement: "a"}, Area: "x", Title: domain.Text{"en": "X"}}})
	require.NoError(t, err) // so l knows the agreement, and not yet p1

	// when it is terminated while the changes of its amendment are decided
	log.happens = func() {
		_, err := l.Execute(t.Context(), ledger.Request{Command: agreement.Terminate{ID: agreement.ID{Agreement: "a"}}, Meta: domain.Meta{Reason: "audit"}})
		require.NoError(t, err)
	}
	_, err = l.Execute(t.Context(), signs(0, "cethik"))
	requireCode(t, err, domain.CodeWrongState, "agreement")
	for _, env := range audit(t, store) {
		require.NotEqual(t, project.MilestoneRescheduled{}.Type(), env.Type)
	}
}

package ledger_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/eventstore"
	"github.com/milepost-ledger/milepost/projections"
)

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

func TestACorrectionIsAboutWhatItPutsRight(t *testing.T) {
	for name, after := range map[string]func(*eventstore.Store) *ledger.Ledger{
		"by the log":      func(store *eventstore.Store) *ledger.Ledger { return newLedger(store) },
		"by the register": func(store *eventstore.Store) *ledger.Ledger { l, _ := registered(t, store); return l },
	} {
		t.Run(name, func(t *testing.T) {
			// given an agreement with cooperation from before it
			store := openStore(t)
			l := newLedger(store)
			inEffect(t, l, 0)
			prior := func(entry domain.Key, date domain.EDTF, corrects string) (ledger.Receipt, error) {
				cmd := agreement.RecordPrior{ID: agreement.ID{Agreement: "a"}, Entry: entry, Title: domain.Text{"en": "Research"}, Date: date}
				return l.Execute(t.Context(), ledger.Request{Command: cmd, Meta: domain.Meta{Corrects: corrects}})
			}
			first, err := prior("first", "199X", "")
			require.NoError(t, err)
			_, err = prior("second", "2001", "")
			require.NoError(t, err)
			l = after(store)

			// when the second is put right by naming the event of the first
			_, err = prior("second", "2002", first.Events[0].ID)

			// then it is refused; the first itself can be put right, also twice
			requireCode(t, err, ledger.CodeCorrectsAnother, "corrects")
			require.ErrorContains(t, err, "prior/first")
			require.ErrorContains(t, err, "prior/second")
			again, err := prior("first", "1994", first.Events[0].ID)
			require.NoError(t, err)
			_, err = prior("first", "1995", again.Events[0].ID)
			require.NoError(t, err)
		})
	}
}

// However long the history of an aggregate is, a correction reads nothing of it that the
// register has.
func TestACorrectionReadsNoHistory(t *testing.T) {
	store := openStore(t)
	writer := newLedger(store)
	first, err := writer.Execute(t.Context(), register("wuxi"))
	require.NoError(t, err)
	for i := range 50 {
		_, err := writer.Execute(t.Context(), rename("wuxi", fmt.Sprint("Wuxi ", i)))
		require.NoError(t, err)
	}
	l, log := registered(t, store)
	correct := func(name, id string) (ledger.Receipt, error) {
		req := rename("wuxi", name)
		req.Meta.Corrects = id
		return l.Execute(t.Context(), req)
	}
	receipt, err := correct("Wuxi", first.Events[0].ID)
	require.NoError(t, err)
	require.Zero(t, log.read.Load())

	// what the register has not seen is read from the log
	_, err = correct("City of Wuxi", receipt.Events[0].ID)
	require.NoError(t, err)
	require.EqualValues(t, 1, log.read.Load())
	// and so it is when there is no such event
	_, err = correct("Wuxi City", "01a2286f-0000-7000-8000-000000000000")
	requireCode(t, err, domain.CodeNotFound, "corrects")
	require.LessOrEqual(t, log.read.Load(), int64(1+2*2))
}

// retired is a register that cannot say any more what an event changed.
type retired struct{ ledger.Register }

func (retired) Changed(context.Context, domain.Ref, string) ([]string, bool, uint64, error) {
	return nil, false, 0, nil
}

// What the register had when it told of a snapshot, and has not afterwards, is found.
func TestACorrectionWithoutWhatTheRegisterHad(t *testing.T) {
	store := openStore(t)
	first, err := newLedger(store).Execute(t.Context(), register("wuxi"))
	require.NoError(t, err)
	models, err := projections.Open(t.Context(), projections.Options{Dir: t.TempDir(), Ledger: "main"})
	require.NoError(t, err)
	defer func() { require.NoError(t, models.Close()) }()
	_, err = models.Rebuild(t.Context(), store, nil)
	require.NoError(t, err)
	l := ledger.New(store, ledger.Options{Name: "main", Register: retired{models}, Now: func() time.Time { return now }})
	req := rename("wuxi", "City of Wuxi")
	req.Meta.Corrects = first.Events[0].ID
	_, err = l.Execute(t.Context(), req)
	require.NoError(t, err)
}

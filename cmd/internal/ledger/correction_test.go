package ledger_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
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
	// given an agreement with cooperation from before it
	l := newLedger(openStore(t))
	inEffect(t, l, 0)
	prior := func(entry domain.Key, date domain.EDTF, corrects string) (ledger.Receipt, error) {
		cmd := agreement.RecordPrior{ID: agreement.ID{Agreement: "a"}, Entry: entry, Title: domain.Text{"en": "Research"}, Date: date}
		return l.Execute(t.Context(), ledger.Request{Command: cmd, Meta: domain.Meta{Corrects: corrects}})
	}
	first, err := prior("first", "199X", "")
	require.NoError(t, err)
	_, err = prior("second", "2001", "")
	require.NoError(t, err)

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
}

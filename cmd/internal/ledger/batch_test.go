package ledger_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
	"github.com/milepost-ledger/milepost/domain"
)

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

// Given a cache that holds fewer aggregates than one batch is about, then each
// command is still decided on what those before it in the batch came to.
func TestABatchRemembersMoreThanTheCache(t *testing.T) {
	store := openStore(t)
	l := ledger.New(store, ledger.Options{Name: "main", CacheSize: 1})
	var reqs []ledger.Request
	for _, key := range []string{"a", "b", "c", "d"} {
		reqs = append(reqs, register(key))
	}
	for _, key := range []string{"a", "b", "c", "d"} {
		reqs = append(reqs, rename(key, "New"))
	}
	_, err := importAll(t, l, reqs...)
	require.NoError(t, err)
	for i, env := range audit(t, store) {
		require.EqualValues(t, 1+i/4, env.Version)
	}
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

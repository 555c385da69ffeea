package ledger_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/eventstore"
)

func attach(t *testing.T, store *eventstore.Store, text string) domain.Hash {
	t.Helper()
	e, err := store.PutEvidence(t.Context(), strings.NewReader(text), "")
	require.NoError(t, err)
	return domain.Hash(e.Hash)
}

func citing(r ledger.Request, evidence ...domain.Hash) ledger.Request {
	r.Meta.Evidence = evidence
	return r
}

const nowhere = domain.Hash("ab" + "0000000000000000000000000000000000000000000000000000000000000c")

// Given one stored file, when commands name it and one that is not stored, then
// those with the latter are refused by its place, and nothing of them is written.
func TestEvidenceMustBeStored(t *testing.T) {
	store := openStore(t)
	l := newLedger(store)
	minutes := attach(t, store, "minutes")

	_, err := l.Execute(t.Context(), citing(register("wuxi"), minutes, nowhere))
	requireCode(t, err, ledger.CodeEvidenceNotStored, "evidence[1]")
	require.ErrorContains(t, err, "milepost attach")
	require.Empty(t, audit(t, store))

	sum, err := importAll(t, l, citing(register("wuxi"), minutes), citing(register("cethik"), nowhere), register("cetc"))
	requireCode(t, err, ledger.CodeEvidenceNotStored, "evidence[0]")
	var line *ledger.LineError
	require.ErrorAs(t, err, &line)
	require.Equal(t, 2, line.Line)
	require.Equal(t, 1, sum.Commands)
	require.Len(t, audit(t, store), 1)
	require.Equal(t, []domain.Hash{minutes}, audit(t, store)[0].Evidence)

	_, err = l.ExecuteAll(t.Context(), []ledger.Item{{Line: 1, Request: register("cetc")}, {Line: 2, Request: citing(register("cethik"), nowhere)}})
	var refused *ledger.RefusedError
	require.ErrorAs(t, err, &refused)
	requireCode(t, refused.Lines[0], ledger.CodeEvidenceNotStored, "evidence[0]")
	require.Len(t, audit(t, store), 1)

	// when it is attached after all, then the same command is accepted
	late := attach(t, store, "late")
	_, err = l.Execute(t.Context(), citing(register("cethik"), late))
	require.NoError(t, err)
}

// looking counts the looks for evidence, and fails those it is told to.
type looking struct {
	*eventstore.Store
	looks atomic.Int32
	err   error
}

func (l *looking) HasEvidence(ctx context.Context, hash string) (bool, error) {
	l.looks.Add(1)
	if l.err != nil {
		return false, l.err
	}
	return l.Store.HasEvidence(ctx, hash)
}

// Evidence is looked for when a command names it, and what was found once more
// often only if it was not there.
func TestEvidenceIsLookedForOnce(t *testing.T) {
	log := &looking{Store: openStore(t)}
	l := newLedger(log)
	minutes := attach(t, log.Store, "minutes")

	_, err := l.Execute(t.Context(), register("wuxi"))
	require.NoError(t, err)
	require.Zero(t, log.looks.Load())

	log.err = errors.New("no answer")
	_, err = l.Execute(t.Context(), citing(register("cethik"), minutes))
	require.ErrorIs(t, err, log.err)
	require.Len(t, audit(t, log.Store), 1)

	log.err = nil
	log.looks.Store(0)
	for _, key := range []string{"cethik", "cetc", "yixing"} {
		_, err = l.Execute(t.Context(), citing(register(key), minutes))
		require.NoError(t, err)
	}
	require.EqualValues(t, 1, log.looks.Load())
	for range 2 {
		log.looks.Store(0)
		_, err = l.Execute(t.Context(), citing(register("late"), nowhere))
		requireCode(t, err, ledger.CodeEvidenceNotStored, "evidence[0]")
		require.NotZero(t, log.looks.Load(), "it may have come since")
	}
}

// A refusal for another reason comes first: nobody attaches a file for nothing.
func TestOtherRefusalsComeBeforeEvidence(t *testing.T) {
	store := openStore(t)
	l := newLedger(store)
	_, err := l.Execute(t.Context(), register("wuxi"))
	require.NoError(t, err)
	_, err = l.Execute(t.Context(), citing(register("wuxi"), nowhere))
	requireCode(t, err, domain.CodeAlreadyExists, "party")
}

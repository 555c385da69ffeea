package ledger_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/project"
	"github.com/milepost-ledger/milepost/eventstore"
)

// countingLog counts the appends.
type countingLog struct {
	*eventstore.Store
	appends int
}

func (c *countingLog) Append(ctx context.Context, msgs []eventstore.Message) (uint64, error) {
	c.appends++
	return c.Store.Append(ctx, msgs)
}

func itemsOf(reqs ...ledger.Request) []ledger.Item {
	items := make([]ledger.Item, len(reqs))
	for i, r := range reqs {
		items[i] = ledger.Item{Line: i + 1, Request: r}
	}
	return items
}

// schedule is a milestone m of project p, after others.
func schedule(p, m string, after ...domain.Key) ledger.Request {
	return ledger.Request{Command: project.Schedule{
		ID: project.ID{Agreement: "a", Project: domain.Key(p)}, Milestone: domain.Key(m), Title: domain.Text{"en": "M" + m},
		Due: domain.MustDate("2027-01-01"), Confirming: []domain.Key{"wuxi"}, DependsOn: after,
	}}
}

func TestAllIsOneAppendAndIsDoneOnce(t *testing.T) {
	log := &countingLog{Store: openStore(t)}
	l := newLedger(log)
	inEffect(t, l, 2)
	before := uint64(len(audit(t, log.Store)))
	log.appends = 0

	// given commands on two aggregates, each on what the one before makes
	items := func() []ledger.Item {
		return itemsOf(schedule("p0", "m1"), schedule("p0", "m2", "m1"), schedule("p1", "m1"), schedule("p1", "", "m1"))
	}
	sum, err := l.ExecuteAll(t.Context(), items())
	require.NoError(t, err)
	require.Equal(t, ledger.Summary{Lines: 4, Commands: 4, Events: 4, FirstSeq: before + 1, LastSeq: before + 4}, sum)
	require.Equal(t, 1, log.appends)

	// then the same again does nothing, in this process and in another
	for _, l := range []*ledger.Ledger{l, newLedger(log)} {
		sum, err = l.ExecuteAll(t.Context(), items())
		require.NoError(t, err)
		require.Equal(t, ledger.Summary{Lines: 4, Skipped: 4}, sum)
	}
	sum, err = l.ExecuteAll(t.Context(), append(items(), itemsOf(schedule("p1", "m3"))...))
	require.NoError(t, err)
	require.Equal(t, 4, sum.Skipped)
	require.Equal(t, 1, sum.Events)
	require.Len(t, audit(t, log.Store), int(before)+5)
}

func TestAllOrNothing(t *testing.T) {
	store := openStore(t)
	l := newLedger(store)
	inEffect(t, l, 1)
	_, err := l.Execute(t.Context(), schedule("p0", "old"))
	require.NoError(t, err)
	before := len(audit(t, store))

	bad := schedule("p0", "bad")
	items := itemsOf(schedule("p0", "m1"), schedule("p0", "old", "m1"), schedule("p0", "m2", "m1", "nowhere"), bad,
		withKey(schedule("p0", "m3"), "k"), withKey(schedule("p0", "m4"), "k"), schedule("none", "m"), schedule("p0", "m5", "m3"))
	items[3].Err = domain.Refuse(domain.CodeInvalidValue, "due", "no date")
	_, err = l.ExecuteAll(t.Context(), items)

	// every refusal is said, and what was good is not written
	var refused *ledger.RefusedError
	require.ErrorAs(t, err, &refused)
	var got []string
	for _, line := range refused.Lines {
		r := line.Err.(*domain.Rejected)
		got = append(got, fmt.Sprint(line.Line, " ", r.Code, " ", r.Field))
	}
	require.Equal(t, []string{
		"2 already-exists milestone", "3 not-found depends_on", "4 invalid-value due", "6 idempotency-key-reused idempotency_key", "7 not-found project",
	}, got)
	require.Contains(t, refused.Error(), "(and 4 more)")
	require.Len(t, audit(t, store), before)
}

func TestAllIsRefusedWhenItIsTooMuchForOneAppend(t *testing.T) {
	store := openStore(t)
	l := newLedger(store)
	reqs := make([]ledger.Request, ledger.MaxBatch+1)
	for i := range reqs {
		reqs[i] = register(fmt.Sprint("party-", i))
	}
	_, err := l.ExecuteAll(t.Context(), itemsOf(reqs...))
	requireCode(t, err, ledger.CodeTooMany, "")
	sum, err := l.ExecuteAll(t.Context(), itemsOf(reqs[1:]...))
	require.NoError(t, err)
	require.Equal(t, ledger.MaxBatch, sum.Events)
	require.Len(t, audit(t, store), ledger.MaxBatch)
}

func TestAllAfterALostAcknowledgement(t *testing.T) {
	for _, stored := range []bool{true, false} {
		t.Run(fmt.Sprintf("stored=%v", stored), func(t *testing.T) {
			log := &faultyLog{Store: openStore(t), stored: stored}
			l := newLedger(log)
			log.faults.Store(1)
			sum, err := l.ExecuteAll(t.Context(), itemsOf(register("wuxi"), register("cethik")))
			require.NoError(t, err)
			require.Equal(t, 2, sum.Commands+sum.Skipped)
			require.Len(t, audit(t, log.Store), 2)
		})
	}
}

// Two processes import plans for one project at once: each is in the log whole
// and in one piece.
func TestPlansRace(t *testing.T) {
	store := openStore(t)
	ledgers := []*ledger.Ledger{newLedger(store), newLedger(store)}
	inEffect(t, ledgers[0], 1)
	before := len(audit(t, store))
	const plans, rows = 6, 5
	var wg sync.WaitGroup
	for n := range plans {
		wg.Go(func() {
			var reqs []ledger.Request
			for i := range rows {
				reqs = append(reqs, schedule("p0", fmt.Sprintf("plan%d-%d", n, i)))
			}
			if _, err := ledgers[n%2].ExecuteAll(t.Context(), itemsOf(reqs...)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	log := audit(t, store)[before:]
	require.Len(t, log, plans*rows)
	var order []byte
	for i, env := range log {
		if i%rows == 0 {
			order = append(order, planIn(t, env))
		}
		require.Equal(t, order[len(order)-1], planIn(t, env), "a plan is in one piece")
	}
	slices.Sort(order)
	require.Equal(t, "012345", string(order))
}

func planIn(t *testing.T, env domain.Envelope) byte {
	t.Helper()
	var e project.MilestoneScheduled
	require.NoError(t, json.Unmarshal(env.Data, &e))
	return e.Milestone[len("plan")]
}

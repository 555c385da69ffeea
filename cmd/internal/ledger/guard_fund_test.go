package ledger_test

import (
	"encoding/json"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/fund"
	"github.com/milepost-ledger/milepost/domain/project"
	"github.com/milepost-ledger/milepost/eventstore"
)

func cny(amount string) domain.Money {
	return domain.Money{Amount: domain.Decimal(amount), Currency: "CNY"}
}

func fundID(key string) fund.ID { return fund.ID{Agreement: "a", Fund: domain.Key(key)} }

// funded makes the project p0 with the milestone m0, both fit to receive funds,
// and n established funds f0, f1, ... with a commitment c of 100 yuan each.
func funded(t *testing.T, l *ledger.Ledger, n int) {
	t.Helper()
	inEffect(t, l, 1)
	cmds := []domain.Command{project.Schedule{
		ID: project.ID{Agreement: "a", Project: "p0"}, Milestone: "m0", Title: domain.Text{"en": "M"},
		Due: domain.MustDate("2027-01-01"), Confirming: []domain.Key{"wuxi"},
	}}
	for i := range n {
		f := fundID(fmt.Sprint("f", i))
		cmds = append(cmds,
			fund.Propose{Agreement: f.Agreement, Fund: f.Fund, Title: domain.Text{"en": "F"}},
			fund.Establish{ID: f, Currency: "CNY", Manager: "cethik"},
			fund.Commit{ID: f, Commitment: "c", Party: "wuxi", Value: cny("100")})
	}
	var reqs []ledger.Request
	for _, c := range cmds {
		reqs = append(reqs, ledger.Request{Command: c})
	}
	_, err := importAll(t, l, reqs...)
	require.NoError(t, err)
}

func disburse(of, key, amount string) ledger.Request {
	return ledger.Request{Command: fund.Disburse{
		ID: fundID(of), Disbursement: domain.Key(key), Commitment: "c", Project: "p0", Milestone: "m0", Value: cny(amount),
	}}
}

// disbursements are those in the log, in its order.
func disbursements(t *testing.T, log []domain.Envelope) map[domain.Key]domain.Decimal {
	t.Helper()
	sums := map[domain.Key]domain.Decimal{}
	for _, env := range log {
		if env.Type == (fund.FundsDisbursed{}).Type() {
			var e fund.FundsDisbursed
			require.NoError(t, json.Unmarshal(env.Data, &e))
			sums[e.Fund] = sums[e.Fund].Add(e.Value.Amount)
		}
	}
	return sums
}

// Invariant 6 under concurrency: each of two writers sees that there is enough,
// and there is not enough for both.
func TestAnOverDisbursementIsRaced(t *testing.T) {
	store := openStore(t)
	ledgers := []*ledger.Ledger{newLedger(store), newLedger(store)}
	const n = 8
	funded(t, ledgers[0], n)

	var outcomes [n][2]error
	for i := range n {
		of := fmt.Sprint("f", i)
		// given that both have seen the fund with 90 left
		_, err := ledgers[i%2].Execute(t.Context(), disburse(of, "first", "10"))
		require.NoError(t, err)
		_, err = ledgers[1-i%2].Execute(t.Context(), disburse(of, "more", "90.01"))
		requireCode(t, err, domain.CodeAmountExceeded, "value.amount")
		// when each disburses 60 at the same time
		var wg sync.WaitGroup
		for j, l := range ledgers {
			wg.Go(func() { _, outcomes[i][j] = l.Execute(t.Context(), disburse(of, fmt.Sprint("d", j), "60")) })
		}
		wg.Wait()
	}

	// then one of the two did, and the other was told what is left
	sums := disbursements(t, audit(t, store))
	for i, pair := range outcomes {
		won, lost := pair[0], pair[1]
		if won != nil {
			won, lost = lost, won
		}
		require.NoError(t, won, "one of the two")
		requireCode(t, lost, domain.CodeAmountExceeded, "value.amount")
		require.ErrorContains(t, lost, "30 CNY left")
		require.Equal(t, domain.Decimal("70"), sums[domain.Key(fmt.Sprint("f", i))])
	}
}

// endings are what ends the flow of funds, with the refusal that follows.
var endings = []struct {
	name        string
	command     domain.Command
	ended       string // the type of its event
	code, field string
}{
	{"the agreement is suspended", agreement.Suspend{ID: agreement.ID{Agreement: "a"}}, agreement.Suspended{}.Type(), agreement.CodeAgreementNotActive, "agreement"},
	{"the project is cancelled", project.Cancel{ID: project.ID{Agreement: "a", Project: "p0"}}, project.Cancelled{}.Type(), domain.CodeWrongState, "project"},
	{
		"the milestone is cancelled", project.CancelMilestone{MilestoneID: project.MilestoneID{Agreement: "a", Project: "p0", Milestone: "m0"}},
		project.MilestoneCancelled{}.Type(), domain.CodeWrongState, "milestone",
	},
}

// requireNoneAfter requires that the log shows no disbursement after the ending.
func requireNoneAfter(t *testing.T, store *eventstore.Store, ended string) {
	t.Helper()
	over := false
	for i, env := range audit(t, store) {
		switch env.Type {
		case ended:
			over = true
		case fund.FundsDisbursed{}.Type():
			require.False(t, over, "sequence %d: a disbursement after %s", i+1, ended)
		}
	}
	require.True(t, over)
}

func TestNoFundsAreDisbursedOnAStaleView(t *testing.T) {
	for _, c := range endings {
		t.Run(c.name, func(t *testing.T) {
			store := openStore(t)
			a, b := newLedger(store), newLedger(store)
			funded(t, a, 1)

			// given that b has seen that the funds may flow
			_, err := b.Execute(t.Context(), disburse("f0", "first", "1"))
			require.NoError(t, err)
			// when that ends through a, then b disburses nothing more
			_, err = a.Execute(t.Context(), ledger.Request{Command: c.command, Meta: domain.Meta{Reason: "audit"}})
			require.NoError(t, err)
			_, err = b.Execute(t.Context(), disburse("f0", "second", "1"))
			requireCode(t, err, c.code, c.field)
			requireNoneAfter(t, store, c.ended)
		})
	}
}

func TestDisbursementsRaceWithWhatEndsThem(t *testing.T) {
	for _, c := range endings {
		t.Run(c.name, func(t *testing.T) {
			store := openStore(t)
			a, b := newLedger(store), newLedger(store)
			const n = 8
			funded(t, a, n)

			var wg sync.WaitGroup
			for i := range n {
				wg.Go(func() {
					_, _ = []*ledger.Ledger{a, b}[i%2].Execute(t.Context(), disburse(fmt.Sprint("f", i), "d", "60")) // either outcome is right
				})
			}
			wg.Go(func() {
				if _, err := b.Execute(t.Context(), ledger.Request{Command: c.command, Meta: domain.Meta{Reason: "audit"}}); err != nil {
					t.Error(err)
				}
			})
			wg.Wait()
			requireNoneAfter(t, store, c.ended)
		})
	}
}

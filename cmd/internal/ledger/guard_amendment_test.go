package ledger_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/amendment"
	"github.com/milepost-ledger/milepost/domain/catalogue"
	"github.com/milepost-ledger/milepost/domain/project"
	"github.com/milepost-ledger/milepost/eventstore"
)

// amended is the text that an amendment proposes.
func amended(n int) domain.Hash { return domain.Hash(fmt.Sprintf("%064x", 0xa000+n)) }

func siteOf(p string) project.MilestoneID {
	return project.MilestoneID{Agreement: "a", Project: domain.Key(p), Milestone: "site"}
}

// proposed makes an agreement in effect with n projects that have a milestone
// site each, and an amendment of each two of them, a0 of p0 and p1, a1 of p2
// and p3, and so on, which moves both milestones and adds an area of its name.
// Wuxi has signed.
func proposed(t *testing.T, l *ledger.Ledger, n int) {
	t.Helper()
	inEffect(t, l, n)
	var reqs []ledger.Request
	for i := range n {
		reqs = append(reqs, ledger.Request{Command: project.Schedule{
			ID: project.ID{Agreement: "a", Project: domain.Key(fmt.Sprint("p", i))}, Milestone: "site", Title: domain.Text{"en": "Site"},
			Due: domain.MustDate("2027-01-31"), Confirming: []domain.Key{"wuxi"},
		}})
	}
	for i := range n / 2 {
		reqs = append(reqs, ledger.Request{
			Command: amendment.Propose{
				Agreement: "a", Amendment: domain.Key(fmt.Sprint("a", i)), Rationale: domain.Text{"en": "R"}, Party: "wuxi", Document: amended(i),
				Changes: []domain.Clause{
					domain.Clause(fmt.Sprintf(`{"command":"reschedule-milestone","project":"p%d","milestone":"site","due":"2027-06-30"}`, 2*i)),
					domain.Clause(fmt.Sprintf(`{"command":"add-area","area":"a%d","title":"Area"}`, i)),
					domain.Clause(fmt.Sprintf(`{"command":"reschedule-milestone","project":"p%d","milestone":"site","due":"2027-06-30"}`, 2*i+1)),
				},
			},
			Meta: domain.Meta{Reason: "funding-delay"},
		}, signs(i, "wuxi"))
	}
	_, err := importAll(t, l, reqs...)
	require.NoError(t, err)
}

func signs(n int, party domain.Key) ledger.Request {
	return ledger.Request{Command: amendment.Sign{
		ID: amendment.ID{Agreement: "a", Amendment: domain.Key(fmt.Sprint("a", n))}, Party: party, Signatory: "S",
		Date: domain.MustDate("2026-11-20"), Document: amended(n),
	}}
}

func cancelSite(p string) ledger.Request {
	return ledger.Request{Command: project.CancelMilestone{MilestoneID: siteOf(p)}, Meta: domain.Meta{Reason: "no land"}}
}

// effects are the types of the events with which an amendment made by proposed
// takes effect, and the aggregates that they are of.
func effects(n int) [][2]string {
	return [][2]string{
		{amendment.Signed{}.Type(), fmt.Sprintf("amendment/a%d", n)},
		{amendment.TookEffect{}.Type(), fmt.Sprintf("amendment/a%d", n)},
		{agreement.Amended{}.Type(), "agreement/a"},
		{project.MilestoneRescheduled{}.Type(), fmt.Sprintf("project/p%d", 2*n)},
		{agreement.AreaAdded{}.Type(), "agreement/a"},
		{project.MilestoneRescheduled{}.Type(), fmt.Sprintf("project/p%d", 2*n+1)},
	}
}

// A change that makes something new names it: the ledger draws no key for what
// is decided twice.
func TestAChangeWithoutAKeyIsRefused(t *testing.T) {
	l := newLedger(openStore(t))
	inEffect(t, l, 0)
	_, err := l.Execute(t.Context(), ledger.Request{
		Command: amendment.Propose{
			Agreement: "a", Amendment: "a0", Rationale: domain.Text{"en": "R"}, Party: "wuxi", Document: amended(0),
			Changes: []domain.Clause{domain.Clause(`{"command":"propose-fund","title":"F"}`)},
		},
		Meta: domain.Meta{Reason: "funding-delay"},
	})
	requireCode(t, err, domain.CodeMissingField, "changes[0].fund")
}

// appends notes how many messages each append has.
type appends struct {
	*eventstore.Store
	mu    sync.Mutex
	sizes []int
}

func (a *appends) Append(ctx context.Context, msgs []eventstore.Message) (uint64, error) {
	a.mu.Lock()
	a.sizes = append(a.sizes, len(msgs))
	a.mu.Unlock()
	return a.Store.Append(ctx, msgs)
}

func TestAnAmendmentTakesEffectInOneAtomicAppend(t *testing.T) {
	store := openStore(t)
	log := &appends{Store: store}
	l := newLedger(log)
	proposed(t, l, 2)
	before := len(audit(t, store))
	log.sizes = nil

	receipt, err := l.Execute(t.Context(), signs(0, "cethik"))
	require.NoError(t, err)
	require.Equal(t, []int{6}, log.sizes, "one append of all")
	all := audit(t, store)[before:]
	var got [][2]string
	for _, env := range all {
		got = append(got, [2]string{env.Type, env.Ref.Path()})
		require.Equal(t, receipt.CommandID, env.CommandID)
		require.Equal(t, domain.Key("cethik"), env.Party)
	}
	require.Equal(t, effects(0), got)
	for _, env := range all[2:] {
		require.Equal(t, "funding-delay", env.Reason, "the amendment's reason for what it changes")
		require.Equal(t, all[0].ID, env.Causation)
	}
	require.Len(t, receipt.Events, 6)

	// and asked again it is done already
	_, err = l.Execute(t.Context(), signs(0, "cethik"))
	requireCode(t, err, agreement.CodeAlreadySigned, "party")
}

func TestAnAmendmentIsNotCarriedOutOnAStaleView(t *testing.T) {
	store := openStore(t)
	a, b := newLedger(store), newLedger(store)
	proposed(t, b, 2) // so b has seen all of it
	// given that through a one milestone was cancelled
	_, err := a.Execute(t.Context(), cancelSite("p1"))
	require.NoError(t, err)
	before := len(audit(t, store))
	// when the last party signs through b, then nothing happens
	_, err = b.Execute(t.Context(), signs(0, "cethik"))
	requireCode(t, err, domain.CodeWrongState, "changes[2].milestone")
	require.Len(t, audit(t, store), before)
}

// An amendment and what makes one of its changes impossible come in some order:
// either it took effect before, whole, or it never does.
func TestAnAmendmentAndACancellationRace(t *testing.T) {
	store := openStore(t)
	a, b := newLedger(store), newLedger(store)
	const n = 8
	proposed(t, a, 2*n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { _, _ = a.Execute(t.Context(), signs(i, "cethik")) }) // either outcome is right
		wg.Go(func() {
			if _, err := b.Execute(t.Context(), cancelSite(fmt.Sprint("p", 2*i+1))); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()

	all := audit(t, store)
	cancelled, whole := map[string]bool{}, map[string]bool{}
	moved := 0
	for i, env := range all {
		switch env.Type {
		case project.MilestoneCancelled{}.Type():
			cancelled[env.Ref.Path()] = true
		case project.MilestoneRescheduled{}.Type():
			moved++
			require.False(t, cancelled[env.Ref.Path()], "moved after it was cancelled, sequence %d", i+1)
		case amendment.TookEffect{}.Type():
			var k int
			_, err := fmt.Sscanf(string(env.Ref.Key), "a%d", &k)
			require.NoError(t, err)
			for j, want := range effects(k) {
				got := all[i-1+j]
				require.Equal(t, want, [2]string{got.Type, got.Ref.Path()})
				require.Equal(t, env.CommandID, got.CommandID)
			}
			whole[env.Ref.Path()] = true
		}
	}
	require.Len(t, cancelled, n)
	require.Equal(t, 2*len(whole), moved, "nothing moved without its amendment")
}

// What takes effect stays so: a citation needs no guard, only the right order.
func TestACitationFollowsItsAmendmentTakingEffect(t *testing.T) {
	store := openStore(t)
	a, b := newLedger(store), newLedger(store)
	const n = 6
	proposed(t, a, 2*n)
	cite := func(n int) ledger.Request {
		return ledger.Request{Command: project.ApproveBaseline{
			ID: project.ID{Agreement: "a", Project: "p0"}, Amendment: domain.Key(fmt.Sprint("a", n)),
		}}
	}
	_, err := b.Execute(t.Context(), cite(0))
	requireCode(t, err, agreement.CodeNotEffective, "amendment")

	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			if _, err := a.Execute(t.Context(), signs(i, "cethik")); err != nil {
				t.Error(err)
			}
		})
		wg.Go(func() { _, _ = b.Execute(t.Context(), cite(i)) }) // either outcome is right
	}
	wg.Wait()
	for i := range n { // and now each is in effect, whatever b believes
		_, err := b.Execute(t.Context(), cite(i))
		require.NoError(t, err)
	}
	effective := map[domain.Key]bool{}
	cited := 0
	for i, env := range audit(t, store) {
		switch env.Type {
		case agreement.Amended{}.Type():
			effective[decoded[agreement.Amended](t, env).Amendment] = true
		case project.BaselineApproved{}.Type():
			cited++
			require.True(t, effective[decoded[project.BaselineApproved](t, env).Amendment], "sequence %d", i+1)
		}
	}
	require.GreaterOrEqual(t, cited, n)
}

func decoded[E domain.Event](t *testing.T, env domain.Envelope) E {
	t.Helper()
	_, e, err := catalogue.Decode(env.Append(nil))
	require.NoError(t, err)
	return e.(E)
}

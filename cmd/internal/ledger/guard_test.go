package ledger_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/project"
)

const document = domain.Hash("0000000000000000000000000000000000000000000000000000000000000001")

// inEffect makes an agreement in effect with n approved projects, p0, p1, ...
func inEffect(t *testing.T, l *ledger.Ledger, n int) {
	t.Helper()
	id := agreement.ID{Agreement: "a"}
	on := domain.MustDate("2026-11-01")
	reqs := []ledger.Request{register("wuxi"), register("cethik")}
	for _, c := range []domain.Command{
		agreement.Draft{Agreement: "a", Kind: "framework", Title: domain.Text{"en": "A"}, Parties: []domain.Key{"wuxi", "cethik"}, Document: document},
		agreement.AddArea{ID: id, Area: "iot", Title: domain.Text{"en": "IoT"}},
		agreement.OpenConsultation{ID: id},
		agreement.Sign{ID: id, Party: "wuxi", Signatory: "W", Date: on, Document: document},
		agreement.Sign{ID: id, Party: "cethik", Signatory: "C", Date: on, Document: document},
	} {
		reqs = append(reqs, ledger.Request{Command: c})
	}
	for i := range n {
		p := project.ID{Agreement: "a", Project: domain.Key(fmt.Sprint("p", i))}
		reqs = append(reqs,
			ledger.Request{Command: project.Propose{Agreement: p.Agreement, Project: p.Project, Title: domain.Text{"en": "P"}, Kind: "other", Areas: []domain.Key{"iot"}}},
			ledger.Request{Command: project.Approve{ID: p}})
	}
	_, err := importAll(t, l, reqs...)
	require.NoError(t, err)
}

func start(p string) ledger.Request {
	return ledger.Request{Command: project.Start{ID: project.ID{Agreement: "a", Project: domain.Key(p)}}}
}

func suspend() ledger.Request {
	return ledger.Request{Command: agreement.Suspend{ID: agreement.ID{Agreement: "a"}}, Meta: domain.Meta{Reason: "audit"}}
}

func TestNoProjectStartsOnAStaleViewOfItsAgreement(t *testing.T) {
	store := openStore(t)
	a, b := newLedger(store), newLedger(store)
	inEffect(t, a, 2)

	// given that b has seen the agreement in effect
	_, err := b.Execute(t.Context(), start("p0"))
	require.NoError(t, err)
	// when it is suspended through a, then b starts nothing more
	_, err = a.Execute(t.Context(), suspend())
	require.NoError(t, err)
	_, err = b.Execute(t.Context(), start("p1"))
	requireCode(t, err, agreement.CodeAgreementNotActive, "agreement")
}

func TestProjectsAndASuspensionRace(t *testing.T) {
	store := openStore(t)
	a, b := newLedger(store), newLedger(store)
	const n = 12
	inEffect(t, a, n)

	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { _, _ = []*ledger.Ledger{a, b}[i%2].Execute(t.Context(), start(fmt.Sprint("p", i))) }) // either outcome is right
	}
	wg.Go(func() {
		_, err := b.Execute(t.Context(), suspend())
		if err != nil {
			t.Error(err)
		}
	})
	wg.Wait()

	// then in the log no project started after the suspension
	suspended := false
	for i, env := range audit(t, store) {
		switch env.Type {
		case agreement.Suspended{}.Type():
			suspended = true
		case project.Started{}.Type():
			require.False(t, suspended, "sequence %d", i+1)
		}
	}
	require.True(t, suspended)
}

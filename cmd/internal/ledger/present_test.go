package ledger_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/project"
)

// Given a ledger that saw a project and its agreement when neither was ready, when
// both were made so through another, then it does not refuse on what it saw: not of
// the project, and not of the agreement, at which it looks only where the project
// is ready.
func TestNoRefusalIsOfAnOldState(t *testing.T) {
	id := agreement.ID{Agreement: "a"}
	p := project.ID{Agreement: "a", Project: "p0"}
	on := domain.MustDate("2026-11-01")
	for name, begin := range map[string]func(l *ledger.Ledger) error{
		"one":    func(l *ledger.Ledger) error { _, err := l.Execute(t.Context(), start("p0")); return err },
		"import": func(l *ledger.Ledger) error { _, err := importAll(t, l, start("p0")); return err },
		"all": func(l *ledger.Ledger) error {
			_, err := l.ExecuteAll(t.Context(), []ledger.Item{{Line: 1, Request: start("p0")}})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			store := openStore(t)
			stale, other := newLedger(store), newLedger(store)
			execute := func(l *ledger.Ledger, commands ...domain.Command) {
				for _, c := range commands {
					_, err := l.Execute(t.Context(), ledger.Request{Command: c})
					require.NoError(t, err)
				}
			}
			_, err := importAll(t, stale, register("wuxi"), register("cethik"))
			require.NoError(t, err)
			execute(stale,
				agreement.Draft{Agreement: "a", Kind: "framework", Title: domain.Text{"en": "A"}, Parties: []domain.Key{"wuxi", "cethik"}, Document: document},
				agreement.AddArea{ID: id, Area: "iot", Title: domain.Text{"en": "IoT"}},
				project.Propose{Agreement: "a", Project: "p0", Title: domain.Text{"en": "P"}, Kind: "other", Areas: []domain.Key{"iot"}})
			execute(other,
				agreement.OpenConsultation{ID: id},
				agreement.Sign{ID: id, Party: "wuxi", Signatory: "W", Date: on, Document: document},
				agreement.Sign{ID: id, Party: "cethik", Signatory: "C", Date: on, Document: document},
				project.Approve{ID: p})
			require.NoError(t, begin(stale))
		})
	}
}

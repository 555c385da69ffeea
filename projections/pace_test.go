package projections_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/domaintest"
	"github.com/milepost-ledger/milepost/domain/indicator"
	"github.com/milepost-ledger/milepost/projections"
)

func TestPace(t *testing.T) {
	// given an agreement, then a project, a milestone met, and a result
	l, log := inMemory(t)
	l.signed(framework)
	l.do(agreement.Draft{Agreement: "draft", Kind: "framework", Title: text("Draft"), Document: domaintest.Text2, Parties: []domain.Key{"wuxi", "cethik"}})
	signed := l.seq
	l.on("2024-07-01")
	l.started(base)
	started := l.seq
	l.scheduled("design", "2024-09-30", 1)
	l.scheduled("build", "2024-10-31", 1)
	l.on("2024-08-20")
	l.metOn("design", "2024-08-19")
	l.metOn("build", "2024-08-10")
	met := l.seq
	for key, on := range map[domain.Key]string{"jobs": "2025-02-01", "patents": "2025-01-15"} {
		id := indicator.ID{Agreement: "framework", Indicator: key}
		l.record(id.Ref(), indicator.ActualVerified{PeriodID: indicator.PeriodID{Agreement: "framework", Indicator: key, Period: "2024"}, Party: "wuxi", On: day(on)}, domain.Meta{Actor: "li.wei"})
	}
	m := models(t, t.TempDir(), at("2025-02-02"))
	_, err := m.Rebuild(t.Context(), log, nil)
	require.NoError(t, err)

	for _, c := range []struct {
		of   domain.Key
		seq  uint64
		want string
	}{
		{"framework", signed, `"first_project_on": null, "days_to_first_project": null, "first_milestone_on": null, "days_to_first_milestone": null, "first_result_on": null, "days_to_first_result": null, "version": 6`},
		{"framework", started, `"first_project_on": "2024-07-01", "days_to_first_project": 30, "first_milestone_on": null, "days_to_first_milestone": null, "first_result_on": null, "days_to_first_result": null, "version": 7`},
		{"framework", met, `"first_project_on": "2024-07-01", "days_to_first_project": 30, "first_milestone_on": "2024-08-10", "days_to_first_milestone": 70, "first_result_on": null, "days_to_first_result": null, "version": 7`},
		{"framework", l.seq, `"first_project_on": "2024-07-01", "days_to_first_project": 30, "first_milestone_on": "2024-08-10", "days_to_first_milestone": 70, "first_result_on": "2025-01-15", "days_to_first_result": 228, "version": 7`},
		{"draft", l.seq, `"first_project_on": null, "days_to_first_project": null, "first_milestone_on": null, "days_to_first_milestone": null, "first_result_on": null, "days_to_first_result": null, "version": 1`},
	} {
		pace, err := m.Pace(t.Context(), c.of, projections.Point{Seq: c.seq, Day: day("2025-02-02")})
		require.NoError(t, err)
		effective := `"2024-06-01"` // the last signature
		if c.of == "draft" {
			effective = "null"
		}
		assert.JSONEq(t, fmt.Sprintf(`{"agreement": %q, "effective_on": %s, %s}`, c.of, effective, c.want), toJSON(t, pace))
	}
	_, err = m.Pace(t.Context(), "nothing", projections.Point{Seq: l.seq})
	requireRefused(t, err, domain.CodeNotFound)
}

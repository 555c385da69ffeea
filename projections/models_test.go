package projections_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/projections"
)

func at(day string) func() time.Time {
	return func() time.Time { return domain.MustDate(day).Time(time.UTC).Add(12 * time.Hour) }
}

func TestModelsAnswerWhatTheLogSays(t *testing.T) {
	// given a ledger with a story, and read models that follow it
	l, store := stored(t)
	before := l.story()
	dir := t.TempDir()
	m := models(t, dir, at("2024-06-11"))
	follow(t, m, store)
	reach(t, m, l.seq)

	t.Run("milestones now", func(t *testing.T) {
		// when
		now, err := m.Resolve(t.Context(), "")
		require.NoError(t, err)
		items, next, err := m.Milestones(t.Context(), "framework", "iot-base", now, projections.Page{})
		// then
		require.NoError(t, err)
		assert.Empty(t, next)
		require.Len(t, items, 2)
		assert.JSONEq(t, `{
			"milestone": "design", "title": {"en": "Milestone design"}, "state": "met", "baseline": "2024-09-30", "due": "2024-09-30",
			"forecast": "2024-10-20", "met_on": "2024-06-09", "slip_days": -113, "moves": 1, "rag": "green", "weight": 1, "percent": 100,
			"project": "iot-base", "agreement": "framework", "type": "delivery", "confirming": ["wuxi", "cethik"], "depends_on": [],
			"claimed_by": "cethik", "confirmed_by": ["wuxi", "cethik"], "overdue": false}`, toJSON(t, items[0]))
	})
	t.Run("milestones as of the baseline", func(t *testing.T) {
		// when
		then := projections.Point{Seq: before, Day: day("2024-06-10")}
		item, err := m.Milestone(t.Context(), "framework", "iot-base", "design", then)
		// then
		require.NoError(t, err)
		assert.Equal(t, "scheduled", item.State)
		assert.Equal(t, day("2024-09-30"), item.Forecast)
		assert.Equal(t, 0, *item.SlipDays)
		assert.Zero(t, item.MetOn)
	})
	t.Run("agreement with its progress", func(t *testing.T) {
		// when
		now, err := m.Resolve(t.Context(), "")
		require.NoError(t, err)
		a, err := m.Agreement(t.Context(), "framework", now)
		// then
		require.NoError(t, err)
		assert.JSONEq(t, `{
			"agreement": "framework", "title": {"en": "Framework"}, "kind": "framework", "state": "active", "parties": ["wuxi", "cethik"],
			"signed": ["wuxi", "cethik"], "parent": "", "renews": "", "renewed_by": "",
			"document": "1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a", "effective_on": "2024-06-01", "ended_on": null,
			"first_project_on": "2024-06-10", "term": {}, "areas": [{"area": "iot", "title": {"en": "Internet of Things"}}], "prior": [],
			"percent": 62.5, "rag": "green", "projects": 1, "milestones": 2, "milestones_met": 1, "next_due": "2025-03-31", "version": 7}`, toJSON(t, a))
	})
	t.Run("project with its progress", func(t *testing.T) {
		// when
		now, err := m.Resolve(t.Context(), "")
		require.NoError(t, err)
		p, err := m.Project(t.Context(), "framework", "iot-base", now)
		// then
		require.NoError(t, err)
		assert.JSONEq(t, `{
			"project": "iot-base", "agreement": "framework", "title": {"en": "IoT base"}, "kind": "industry-base", "state": "implementation",
			"areas": ["iot"], "lead": "wuxi", "tolerance": {"amber": 14, "red": 30}, "baseline": 1, "started_on": "2024-06-10", "ended_on": null,
			"trl": 0, "trl_on": null, "gates_passed": 0, "gates_failed": 0,
			"milestones": 2, "milestones_met": 1, "percent": 62.5, "rag": "green", "weight": 4, "earned": 250, "next_due": "2025-03-31",
			"baseline_finish": "2025-03-31", "forecast_finish": "2025-03-31", "version": 12}`, toJSON(t, p))
	})
	t.Run("parties", func(t *testing.T) {
		// when
		items, _, err := m.Parties(t.Context(), projections.Point{Seq: l.seq}, projections.Page{})
		// then
		require.NoError(t, err)
		assert.JSONEq(t, `[
			{"party": "wuxi", "title": {"en": "Party wuxi", "zh": "无锡"}, "kind": "local-government", "parent": "", "witness": "", "version": 1},
			{"party": "cethik", "title": {"en": "Party cethik", "zh": "无锡"}, "kind": "local-government", "parent": "", "witness": "", "version": 1}]`, toJSON(t, items))
	})
	t.Run("lists before anything was there are empty", func(t *testing.T) {
		items, _, err := m.Agreements(t.Context(), projections.Point{}, projections.Page{})
		require.NoError(t, err)
		assert.Equal(t, []projections.Agreement{}, items)
	})
	t.Run("what does not exist is not found, now or then", func(t *testing.T) {
		_, errNow := m.Project(t.Context(), "framework", "nothing", projections.Point{Seq: l.seq})
		_, errThen := m.Project(t.Context(), "framework", "iot-base", projections.Point{Seq: 3})
		for _, err := range []error{errNow, errThen} {
			var r *domain.Rejected
			require.ErrorAs(t, err, &r)
			assert.Equal(t, domain.CodeNotFound, r.Code)
		}
	})
	t.Run("the tables are what was written", func(t *testing.T) {
		assert.NoError(t, m.VerifyTables(t.Context()))
	})
}

func toJSON(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	require.NoError(t, err)
	return string(b)
}

package projections_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/domaintest"
	"github.com/milepost-ledger/milepost/domain/meeting"
	"github.com/milepost-ledger/milepost/domain/project"
	"github.com/milepost-ledger/milepost/projections"
)

// effectiveOn is a point on the second axis of the framework.
func effectiveOn(seq uint64, date string) projections.Point {
	return projections.Point{Seq: seq, Day: day(date), Effective: day(date), Agreement: framework.Agreement}
}

// backdated is a story in which what was recorded holds from other days. It
// returns the sequence before the correction, which comes last.
func (l *ledger) backdated() (before uint64) {
	l.story()
	build := milestone("build")
	l.clock = epoch.AddDate(0, 0, 10) // 20 June
	l.do(project.ReportProgress{MilestoneID: build, Percent: 60})
	l.do(project.Reforecast{MilestoneID: build, Forecast: day("2025-05-31")}, domain.Meta{Reason: "supplier-delay", Effective: day("2024-07-15")})
	before = l.seq
	l.clock = epoch.AddDate(0, 0, 15) // 25 June
	l.do(project.ReportProgress{MilestoneID: build, Percent: 30}, domain.Meta{Reason: "misread", Effective: day("2024-06-12"), Corrects: "01900000-0000-7000-8000-000000000014"})
	return before
}

func TestEffectiveAt(t *testing.T) {
	// given progress of 50 on 10 June and of 60 on the 20th, when a forecast
	// from 15 July on was recorded too, and on the 25th that it was 30 on the 12th
	l, store := stored(t)
	before := l.backdated()
	m := models(t, t.TempDir(), nil)
	follow(t, m, store)
	reach(t, m, l.seq)
	now := l.seq

	for _, c := range []struct {
		name     string
		at       projections.Point
		percent  int
		forecast string
	}{
		{"by sequence, what was recorded last holds", projections.Point{Seq: now, Day: day("2024-06-25")}, 30, "2025-05-31"},
		{"before the corrected day", effectiveOn(now, "2024-06-11"), 50, "2025-03-31"},
		{"on the corrected day", effectiveOn(now, "2024-06-12"), 30, "2025-03-31"},
		{"on that day, before it was corrected", effectiveOn(before, "2024-06-12"), 50, "2025-03-31"},
		{"after it, what holds from a later day", effectiveOn(now, "2024-06-20"), 60, "2025-03-31"},
		{"the day before a forecast holds", effectiveOn(now, "2024-07-14"), 60, "2025-03-31"},
		{"the day from which it holds", effectiveOn(now, "2024-07-15"), 60, "2025-05-31"},
		{"for ever after", effectiveOn(now, "9999-12-31"), 60, "2025-05-31"},
	} {
		t.Run(c.name, func(t *testing.T) {
			// when
			got, err := m.Milestone(t.Context(), base.Agreement, base.Project, "build", c.at)
			// then
			require.NoError(t, err)
			assert.Equal(t, c.percent, got.Percent)
			assert.Equal(t, c.forecast, got.Forecast.String())
		})
	}
	t.Run("nothing is effective before the first day", func(t *testing.T) {
		_, err := m.Agreement(t.Context(), framework.Agreement, effectiveOn(now, "2024-06-09"))
		assert.Equal(t, domain.CodeNotFound, err.(*domain.Rejected).Code)
	})
	t.Run("nothing is known of an agreement before its first event", func(t *testing.T) {
		_, err := m.Agreement(t.Context(), framework.Agreement, effectiveOn(2, "2024-06-10"))
		assert.Equal(t, domain.CodeNotFound, err.(*domain.Rejected).Code)
	})
	t.Run("colours are those of the day", func(t *testing.T) {
		for date, want := range map[string]string{"2024-07-14": "green", "2024-07-15": "red"} {
			p, err := m.Project(t.Context(), base.Agreement, base.Project, effectiveOn(now, date))
			require.NoError(t, err)
			assert.Equal(t, want, p.RAG, date)
		}
	})
	t.Run("a version counts the events that it is of", func(t *testing.T) {
		whole, err := m.Project(t.Context(), base.Agreement, base.Project, projections.Point{Seq: now})
		require.NoError(t, err)
		for date, missing := range map[string]uint64{"2024-06-11": 3, "2024-06-12": 2, "2024-07-14": 1, "2024-07-15": 0} {
			p, err := m.Project(t.Context(), base.Agreement, base.Project, effectiveOn(now, date))
			require.NoError(t, err)
			assert.Equal(t, whole.Version-missing, p.Version, date)
		}
	})
	t.Run("moves keep their sequence and the day of recording", func(t *testing.T) {
		items, _, err := m.Trend(t.Context(), base.Agreement, base.Project, effectiveOn(now, "2024-07-15"), projections.Page{})
		require.NoError(t, err)
		moves := items[1].Series
		last := moves[len(moves)-1]
		assert.Equal(t, before, last.Seq)
		assert.Equal(t, []string{"2024-07-15", "2024-06-20"}, []string{last.MadeOn.String(), last.Recorded.String()})
	})
	t.Run("value is earned as reports take effect", func(t *testing.T) {
		curve, err := m.SCurve(t.Context(), base.Agreement, base.Project, effectiveOn(now, "2024-07-01"))
		require.NoError(t, err)
		earned := map[string]string{}
		for _, p := range curve.Items {
			if p.Earned != nil {
				earned[p.Date.String()] = string(*p.Earned)
			}
		}
		assert.Equal(t, map[string]string{"2024-06-09": "1", "2024-06-10": "2.5", "2024-06-12": "1.9", "2024-06-20": "2.8", "2024-07-01": "2.8"}, earned)
	})
	t.Run("a list is read in pages of one date", func(t *testing.T) {
		at := effectiveOn(now, "2024-06-12")
		first, next, err := m.Milestones(t.Context(), base.Agreement, base.Project, at, projections.Page{Limit: 1})
		require.NoError(t, err)
		second, end, err := m.Milestones(t.Context(), base.Agreement, base.Project, at, projections.Page{Limit: 1, Cursor: next})
		require.NoError(t, err)
		assert.Equal(t, []domain.Key{"design", "build"}, []domain.Key{first[0].Milestone, second[0].Milestone})
		assert.Empty(t, end)
		for _, other := range []projections.Point{effectiveOn(now, "2024-06-13"), effectiveOn(before, "2024-06-12"), {Seq: now}} {
			_, _, err = m.Milestones(t.Context(), base.Agreement, base.Project, other, projections.Page{Limit: 1, Cursor: next})
			assert.Equal(t, projections.CodeInvalidCursor, err.(*domain.Rejected).Code)
		}
	})
	t.Run("only what is under the agreement is answered", func(t *testing.T) {
		at := effectiveOn(now, "2024-06-12")
		_, _, err := m.Parties(t.Context(), at, projections.Page{})
		require.ErrorContains(t, err, "does not answer")
		_, _, err = m.Agreements(t.Context(), at, projections.Page{})
		require.ErrorContains(t, err, "does not answer")
		_, _, err = m.Awaiting(t.Context(), domaintest.City, at, 0, projections.Page{})
		require.ErrorContains(t, err, "does not answer")
		_, err = m.Agreement(t.Context(), "another", at)
		require.ErrorContains(t, err, "does not answer")
	})
}

func TestResolveEffective(t *testing.T) {
	// given
	l, log := inMemory(t)
	l.story()
	m := models(t, t.TempDir(), func() time.Time { return l.clock })
	_, err := m.Rebuild(t.Context(), log, nil)
	require.NoError(t, err)

	for _, c := range []struct{ name, date, json, code string }{
		{name: "no date", json: `{"seq":5,"at":"2024-06-10T08:00:00.000000Z"}`},
		{name: "a date", date: "2024-06-10", json: `{"seq":5,"at":"2024-06-10T08:00:00.000000Z","effective_at":"2024-06-10"}`},
		{name: "a date to come", date: "2030-01-01", json: `{"seq":5,"at":"2024-06-10T08:00:00.000000Z","effective_at":"2030-01-01"}`},
		{name: "a date that does not exist", date: "2024-02-30", code: projections.CodeInvalidEffectiveAt},
		{name: "an instant", date: "2024-06-10T08:00:00Z", code: projections.CodeInvalidEffectiveAt},
		{name: "a sequence", date: "seq:3", code: projections.CodeInvalidEffectiveAt},
	} {
		t.Run(c.name, func(t *testing.T) {
			// when
			p, err := m.ResolveEffective(t.Context(), "seq:5", framework.Agreement, c.date, projections.Page{})
			// then
			if c.code != "" {
				var refused *projections.AsOfError
				require.ErrorAs(t, err, &refused)
				assert.Equal(t, [2]string{c.code, "effective_at"}, [2]string{refused.Code, refused.Field})
				return
			}
			require.NoError(t, err)
			assert.Equal(t, c.json, toJSON(t, p))
			var read projections.Point
			require.NoError(t, read.UnmarshalJSON([]byte(c.json)))
			assert.Equal(t, [2]any{p.Seq, p.Effective}, [2]any{read.Seq, read.Effective})
			if c.date != "" {
				assert.Equal(t, c.date, p.Day.String(), "it is judged on that day")
			}
		})
	}
}

func TestChangesByEffectiveDates(t *testing.T) {
	// given the story, and a meeting of 14 June that was recorded as held on the 25th
	l, log := inMemory(t)
	before := l.backdated()
	l.do(agreement.EstablishMechanism{
		ID: framework, Mechanism: "steering", Kind: "coordination", Title: text("Steering"), Cadence: "quarterly",
		Members: []domain.Key{domaintest.City, domaintest.Group},
	}, domain.Meta{Effective: day("2024-06-10")})
	l.do(meeting.Schedule{Agreement: framework.Agreement, Meeting: "m-1", Mechanism: "steering", Title: text("Spring"), On: day("2024-06-14")}, domain.Meta{Effective: day("2024-06-10")})
	l.do(meeting.Hold{ID: meeting.ID{Agreement: framework.Agreement, Meeting: "m-1"}, On: day("2024-06-14"), Attendees: []meeting.Attendee{{Party: domaintest.City, Name: "Li Wei"}}},
		domain.Meta{Effective: day("2024-06-14")})
	m := models(t, t.TempDir(), func() time.Time { return l.clock })
	_, err := m.Rebuild(t.Context(), log, nil)
	require.NoError(t, err)
	resolve := func(asOf projections.AsOf, from, to string) (f, u projections.Point) {
		f, u, err := m.ResolveEffectiveRange(t.Context(), asOf, framework.Agreement, from, to, projections.Page{})
		require.NoError(t, err)
		return f, u
	}
	moves := func(t *testing.T, cq projections.ChangeQuery) (all []string) {
		cq.Agreement, cq.Project, cq.Milestone = framework.Agreement, base.Project, "build"
		for _, c := range allChanges(t, m, cq) {
			if c.Field == "percent" || c.Field == "forecast" {
				all = append(all, fmt.Sprintf("%d %s %s: %s → %s (%d)", c.Seq, c.Effective, c.Field, jsonOr(c.Old), jsonOr(c.New), c.Moves))
			}
		}
		return all
	}
	scheduled, reported := before-9, before-6 // the events of build in the story

	for _, c := range []struct {
		name     string
		asOf     projections.AsOf
		from, to string
		net      bool
		want     []string
	}{
		{name: "from the beginning and for ever", want: []string{
			fmt.Sprintf(`%d 2024-06-10 forecast:  → "2025-03-31" (1)`, scheduled),
			fmt.Sprintf(`%d 2024-06-10 percent:  → 50 (1)`, reported),
			fmt.Sprintf(`%d 2024-06-12 percent: 50 → 30 (1)`, before+1),
			fmt.Sprintf(`%d 2024-06-20 percent: 30 → 60 (1)`, before-1),
			fmt.Sprintf(`%d 2024-07-15 forecast: "2025-03-31" → "2025-05-31" (1)`, before),
		}},
		{name: "after a day, up to and with another", from: "2024-06-10", to: "2024-06-20", want: []string{
			fmt.Sprintf(`%d 2024-06-12 percent: 50 → 30 (1)`, before+1),
			fmt.Sprintf(`%d 2024-06-20 percent: 30 → 60 (1)`, before-1),
		}},
		{name: "net", from: "2024-06-10", to: "2024-06-20", net: true, want: []string{
			fmt.Sprintf(`%d 2024-06-20 percent: 50 → 60 (2)`, before-1),
		}},
		{name: "by what was recorded then", asOf: projections.AsOf(fmt.Sprintf("seq:%d", before)), from: "2024-06-10", to: "2024-06-20", want: []string{
			fmt.Sprintf(`%d 2024-06-20 percent: 50 → 60 (1)`, before-1),
		}},
		{name: "nothing on a day without any", from: "2024-06-12", to: "2024-06-19"},
	} {
		t.Run(c.name, func(t *testing.T) {
			// when
			from, to := resolve(c.asOf, c.from, c.to)
			got := moves(t, projections.ChangeQuery{From: from, To: to, Net: c.net, Page: projections.Page{Limit: 1}})
			// then
			assert.Equal(t, c.want, got)
		})
	}
	t.Run("since a meeting is after its day", func(t *testing.T) {
		_, to := resolve("", "", "")
		answer, err := m.Changes(t.Context(), projections.ChangeQuery{To: to, Agreement: framework.Agreement, SinceMeeting: "steering"})
		require.NoError(t, err)
		assert.Equal(t, domain.Key("m-1"), answer.Since.Meeting)
		assert.Equal(t, effectiveOn(to.Seq, "2024-06-14"), projections.Point{Seq: answer.From.Seq, Day: answer.From.Day, Effective: answer.From.Effective, Agreement: answer.From.Agreement})
		var seqs []uint64
		for _, c := range answer.Changes {
			seqs = append(seqs, c.Seq)
		}
		assert.NotContains(t, seqs, l.seq, "the meeting itself is of that day")
		assert.Contains(t, seqs, before-1)
		assert.NotContains(t, seqs, before+1)
	})
	t.Run("until a meeting is up to the end of its day", func(t *testing.T) {
		from, to := resolve("", "2024-06-10", "")
		answer, err := m.Changes(t.Context(), projections.ChangeQuery{From: from, To: to, Agreement: framework.Agreement, UntilMeeting: "steering"})
		require.NoError(t, err)
		assert.Equal(t, domain.Key("m-1"), answer.Until.Meeting)
		assert.Equal(t, day("2024-06-14"), answer.To.Effective)
		_, there := resolve("", "", "2024-06-14")
		assert.Equal(t, allChanges(t, m, projections.ChangeQuery{From: from, To: there, Agreement: framework.Agreement}), answer.Changes)
		assert.NotEmpty(t, answer.Changes)
		late, to := resolve("", "2024-06-20", "")
		_, err = m.Changes(t.Context(), projections.ChangeQuery{From: late, To: to, Agreement: framework.Agreement, UntilMeeting: "steering"})
		var refused *projections.AsOfError
		require.ErrorAs(t, err, &refused)
		assert.Equal(t, projections.CodeInvalidRange, refused.Code)
	})
	t.Run("a meeting that was not held by then", func(t *testing.T) {
		_, to := resolve("", "", "2024-06-13")
		_, err := m.Changes(t.Context(), projections.ChangeQuery{To: to, Agreement: framework.Agreement, SinceMeeting: "m-1"})
		requireRefused(t, err, projections.CodeMeetingNotHeld)
	})
	t.Run("a cursor is good for the same dates only", func(t *testing.T) {
		from, to := resolve("", "2024-06-10", "2024-06-20")
		ask := projections.ChangeQuery{From: from, To: to, Agreement: framework.Agreement, Page: projections.Page{Limit: 1}}
		answer, err := m.Changes(t.Context(), ask)
		require.NoError(t, err)
		ask.Page.Cursor = answer.Next
		_, err = m.Changes(t.Context(), ask)
		require.NoError(t, err)
		ask.From, _ = resolve("", "2024-06-11", "2024-06-20")
		_, err = m.Changes(t.Context(), ask)
		requireRefused(t, err, projections.CodeInvalidCursor)
		_, ask.To = resolve("", "2024-06-10", "2024-06-21")
		_, err = m.Changes(t.Context(), ask)
		requireRefused(t, err, projections.CodeInvalidCursor)
	})
	t.Run("bad ranges", func(t *testing.T) {
		for _, c := range []struct{ from, to, code, field string }{
			{"2024-02-30", "", projections.CodeInvalidEffectiveAt, "from"},
			{"", "seq:3", projections.CodeInvalidEffectiveAt, "to"},
			{"2024-06-11", "2024-06-10", projections.CodeInvalidRange, "from"},
		} {
			_, _, err := m.ResolveEffectiveRange(t.Context(), "", framework.Agreement, c.from, c.to, projections.Page{})
			var refused *projections.AsOfError
			require.ErrorAs(t, err, &refused)
			assert.Equal(t, [2]string{c.code, c.field}, [2]string{refused.Code, refused.Field})
		}
		_, to := resolve("", "", "")
		_, err := m.Changes(t.Context(), projections.ChangeQuery{To: to})
		requireRefused(t, err, domain.CodeMissingField)
	})
}

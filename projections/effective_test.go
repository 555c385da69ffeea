package projections_test

import (
	"context"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/domaintest"
	"github.com/milepost-ledger/milepost/domain/meeting"
	"github.com/milepost-ledger/milepost/domain/party"
	"github.com/milepost-ledger/milepost/domain/project"
	"github.com/milepost-ledger/milepost/eventstore"
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

// effectiveFilesIn lists the files of the second axis.
func effectiveFilesIn(t testing.TB, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "effective-*"))
	require.NoError(t, err)
	return names
}

func TestEffectiveFiles(t *testing.T) {
	l, log := inMemory(t)
	before := l.backdated()
	build := func(t *testing.T, m *projections.Models, at projections.Point) int {
		t.Helper()
		i, err := m.Milestone(t.Context(), base.Agreement, base.Project, "build", at)
		require.NoError(t, err)
		return i.Percent
	}
	rebuilt := func(t *testing.T, log projections.Log) (*projections.Models, string) {
		dir := t.TempDir()
		m := models(t, dir, nil)
		_, err := m.Rebuild(t.Context(), log, nil)
		require.NoError(t, err)
		return m, dir
	}

	t.Run("one answers for every date, whatever else is recorded", func(t *testing.T) {
		// given
		l, log := inMemory(t)
		l.backdated()
		dir := t.TempDir()
		m := models(t, dir, nil)
		follow(t, m, log)
		reach(t, m, l.seq)
		// when questions of several dates are asked at once, and one after an
		// event elsewhere
		var asked sync.WaitGroup
		for _, date := range []string{"2024-06-11", "2024-06-12", "2024-06-20", "2024-06-12"} {
			asked.Go(func() {
				_, err := m.Project(t.Context(), base.Agreement, base.Project, effectiveOn(l.seq, date))
				assert.NoError(t, err)
			})
		}
		asked.Wait()
		reach(t, m, l.do(party.Register{Party: "elsewhere", Title: text("Elsewhere"), Kind: "other"}))
		assert.Equal(t, 30, build(t, m, effectiveOn(l.seq, "2024-06-12")))
		// then one file was made
		assert.Equal(t, []string{filepath.Join(dir, "effective-000001.db")}, effectiveFilesIn(t, dir))
		// and another one after an event of the agreement
		reach(t, m, l.do(project.ReportProgress{MilestoneID: milestone("build"), Percent: 35}, domain.Meta{Effective: day("2024-06-12")}))
		assert.Equal(t, 35, build(t, m, effectiveOn(l.seq, "2024-06-12")))
		assert.Len(t, effectiveFilesIn(t, dir), 2)
	})
	t.Run("few are kept, and none is closed under a question", func(t *testing.T) {
		// given
		m, dir := rebuilt(t, log)
		// when more of them are asked at once than are kept
		var asked sync.WaitGroup
		for range 3 {
			for seq := before - 12; seq <= l.seq; seq++ {
				asked.Go(func() {
					p, err := m.Project(t.Context(), base.Agreement, base.Project, effectiveOn(seq, "2024-12-31"))
					if assert.NoError(t, err) {
						whole, err := m.Project(t.Context(), base.Agreement, base.Project, projections.Point{Seq: seq})
						assert.NoError(t, err)
						assert.Equal(t, whole.Version, p.Version)
					}
				})
			}
		}
		asked.Wait()
		// then
		require.Eventually(t, func() bool { return len(effectiveFilesIn(t, dir)) == 8 }, 10*time.Second, time.Millisecond)
		// and the models take all with them when they are closed
		require.NoError(t, m.Close())
		assert.Empty(t, effectiveFilesIn(t, dir))
	})
	t.Run("those of long agreements are fewer", func(t *testing.T) {
		const all = 1 << 20
		assert.Equal(t, 2, projections.KeptEffective(all/2, all/2))
		assert.Equal(t, 1, projections.KeptEffective(all/2, all/2+1, 1))
		assert.Equal(t, 1, projections.KeptEffective(all+1), "the one that is asked is there, however long")
	})
	t.Run("what a crash left is removed", func(t *testing.T) {
		dir := t.TempDir()
		left := filepath.Join(dir, "effective-000007.db")
		require.NoError(t, os.WriteFile(left, []byte("left"), 0o600))
		models(t, dir, nil)
		assert.NoFileExists(t, left)
	})
	t.Run("they are made anew after a rebuild", func(t *testing.T) {
		m, dir := rebuilt(t, log)
		build(t, m, effectiveOn(l.seq, "2024-06-12"))
		_, err := m.Rebuild(t.Context(), log, nil)
		require.NoError(t, err)
		require.Eventually(t, func() bool { return len(effectiveFilesIn(t, dir)) == 0 }, 10*time.Second, time.Millisecond)
		assert.Equal(t, 30, build(t, m, effectiveOn(l.seq, "2024-06-12")))
	})
	t.Run("states that were forgotten are folded again in that order", func(t *testing.T) {
		// given a projector that remembers next to nothing, and many projects
		l, log := inMemory(t)
		l.backdated()
		for n := range 3 {
			l.do(project.Propose{Agreement: framework.Agreement, Project: domain.Key(fmt.Sprintf("p-%d", n)), Title: text("P"), Kind: "town", Areas: []domain.Key{"iot"}})
		}
		for n := range 1500 { // more than one batch
			l.do(project.ChangeScope{ID: project.ID{Agreement: framework.Agreement, Project: domain.Key(fmt.Sprintf("p-%d", n%3))}, Title: text(fmt.Sprint(n))},
				domain.Meta{Effective: day("2024-06-30") + domain.Date(n%40)})
		}
		m, err := projections.Open(t.Context(), projections.Options{Dir: t.TempDir(), Ledger: "test", CacheParts: 1})
		require.NoError(t, err)
		defer func() { require.NoError(t, m.Close()) }()
		_, err = m.Rebuild(t.Context(), log, nil)
		require.NoError(t, err)
		// when
		p, err := m.Project(t.Context(), framework.Agreement, "p-1", effectiveOn(l.seq, "2024-12-31"))
		// then the last of those that are effective last holds
		require.NoError(t, err)
		assert.Equal(t, text("1399"), p.Title)
		assert.EqualValues(t, 501, p.Version)
	})
	t.Run("models that were opened and not followed do not know the log", func(t *testing.T) {
		// given
		m, dir := rebuilt(t, log)
		require.NoError(t, m.Close())
		m = models(t, dir, nil)
		// when
		_, err := m.Agreement(t.Context(), framework.Agreement, effectiveOn(l.seq, "2024-06-12"))
		// then
		var behind *projections.BehindError
		require.ErrorAs(t, err, &behind)
		// and once they are, the question is answered
		follow(t, m, log)
		require.Eventually(t, func() bool {
			_, err := m.Agreement(t.Context(), framework.Agreement, effectiveOn(l.seq, "2024-06-12"))
			return err == nil
		}, 10*time.Second, time.Millisecond)
	})
	t.Run("a log that is not the one the models were made from is refused", func(t *testing.T) {
		// given a log with other records where the register says that they are
		other, foreign := inMemory(t)
		other.signed(agreement.ID{Agreement: "other"})
		for other.seq < l.seq {
			other.do(agreement.AddArea{ID: agreement.ID{Agreement: "other"}, Area: domain.Key(fmt.Sprint("a-", other.seq)), Title: text("A")})
		}
		m, dir := rebuilt(t, &replacedLog{log, foreign})
		// when
		_, err := m.Agreement(t.Context(), framework.Agreement, effectiveOn(l.seq, "2024-06-12"))
		// then
		var wrong *projections.ForeignLogError
		require.ErrorAs(t, err, &wrong)
		assert.Empty(t, effectiveFilesIn(t, dir))
	})
}

// replacedLog is a log whose records by sequence are those of another one.
type replacedLog struct {
	*memory
	other *memory
}

func (r *replacedLog) Records(ctx context.Context, subject string, seqs []uint64) iter.Seq2[eventstore.Record, error] {
	return r.other.Records(ctx, subject, seqs)
}

// slowLog is a log whose records of any subject do not come before it is told
// so.
type slowLog struct {
	*memory
	asked chan context.Context // gets the context of each reading
	gate  chan struct{}
}

func (s *slowLog) Records(ctx context.Context, subject string, seqs []uint64) iter.Seq2[eventstore.Record, error] {
	return func(yield func(eventstore.Record, error) bool) {
		if subject != "" { // of one aggregate, while the models are made
			s.memory.Records(ctx, subject, seqs)(yield)
			return
		}
		s.asked <- ctx
		select {
		case <-s.gate:
			s.memory.Records(ctx, subject, seqs)(yield)
		case <-ctx.Done():
			yield(eventstore.Record{}, ctx.Err())
		}
	}
}

func TestWhoWaitsForAnEffectiveFile(t *testing.T) {
	l, log := inMemory(t)
	l.backdated()
	slow := func(t *testing.T) (*projections.Models, *slowLog, string) {
		dir := t.TempDir()
		m, s := models(t, dir, nil), &slowLog{log, make(chan context.Context, 10), make(chan struct{})}
		_, err := m.Rebuild(t.Context(), s, nil)
		require.NoError(t, err)
		return m, s, dir
	}
	ask := func(ctx context.Context, m *projections.Models) chan error {
		ended := make(chan error, 1)
		go func() {
			_, err := m.Agreement(ctx, framework.Agreement, effectiveOn(l.seq, "2024-06-12"))
			ended <- err
		}()
		return ended
	}
	t.Run("does not lose it when the first one goes", func(t *testing.T) {
		// given two who wait for the same
		m, log, _ := slow(t)
		ctx, cancel := context.WithCancel(t.Context())
		first := ask(ctx, m)
		reading := <-log.asked
		second := ask(t.Context(), m)
		require.Eventually(t, func() bool { return m.EffectiveUsers() == 2 }, 10*time.Second, time.Millisecond)
		// when the first one goes
		cancel()
		require.ErrorIs(t, <-first, context.Canceled)
		// then the other one gets its answer from the same reading
		require.NoError(t, reading.Err())
		close(log.gate)
		require.NoError(t, <-second)
		assert.Empty(t, log.asked)
	})
	t.Run("has it given up when all have gone", func(t *testing.T) {
		// given one who waits
		m, log, dir := slow(t)
		ctx, cancel := context.WithCancel(t.Context())
		first := ask(ctx, m)
		reading := <-log.asked
		// when it goes
		cancel()
		require.ErrorIs(t, <-first, context.Canceled)
		// then nobody reads the log any more, and no file is left
		<-reading.Done()
		require.Eventually(t, func() bool { return len(effectiveFilesIn(t, dir)) == 0 }, 10*time.Second, time.Millisecond)
		// and who comes then is answered
		close(log.gate)
		require.NoError(t, <-ask(t.Context(), m))
	})
	t.Run("is let go when the models are closed", func(t *testing.T) {
		m, log, dir := slow(t)
		waits := ask(t.Context(), m)
		<-log.asked
		require.NoError(t, m.Close())
		require.ErrorIs(t, <-waits, context.Canceled)
		assert.Empty(t, effectiveFilesIn(t, dir))
	})
}

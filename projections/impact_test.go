package projections_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/domaintest"
	"github.com/milepost-ledger/milepost/domain/project"
	"github.com/milepost-ledger/milepost/projections"
)

func (l *ledger) after(key domain.Key, due string, on ...domain.Key) {
	l.do(project.Schedule{ID: base, Milestone: key, Title: text(string(key)), Due: day(due), Confirming: []domain.Key{domaintest.City, domaintest.Group}, DependsOn: on})
}

func TestImpact(t *testing.T) {
	// given design -> build -> launch, design -> survey with time to spare, and
	// launch after supply, which does not wait for design
	l, log := inMemory(t)
	l.signed(framework)
	l.started(base)
	l.after("design", "2024-06-30")
	l.after("supply", "2024-07-20")
	l.after("gone", "2024-12-01", "design")
	l.after("early", "2024-07-01", "design")
	l.after("launch", "2024-07-31", "supply", "gone")
	l.after("build", "2024-07-10", "design")
	l.after("survey", "2024-08-31", "design")
	l.after("without", "2024-07-02", "gone", "early")
	l.do(project.AddDependency{MilestoneID: milestone("launch"), On: "build"})
	l.do(project.CancelMilestone{MilestoneID: milestone("gone")}, domain.Meta{Reason: "not needed"})
	l.metOn("early", "2024-06-05")
	l.do(project.Reforecast{MilestoneID: milestone("build"), Forecast: day("2024-07-12")}, domain.Meta{Reason: "supplier-delay"})
	m := models(t, t.TempDir(), at("2024-06-11"))
	_, err := m.Rebuild(t.Context(), log, nil)
	require.NoError(t, err)
	now := projections.Point{Seq: l.seq, Day: day("2024-06-11")}
	ask := func(key domain.Key, forecast string) projections.Impact {
		t.Helper()
		impact, err := m.Impact(t.Context(), "framework", "iot-base", key, day(forecast), now)
		require.NoError(t, err)
		return impact
	}
	lines := func(impact projections.Impact) (all []string) {
		for _, i := range impact.Items {
			all = append(all, fmt.Sprintf("%s %s: at least %s, %s, moves %d, slack %d, lag kept %s, due %s, late %d",
				i.Milestone, i.Forecast, i.AtLeast, i.Expected, i.MovesDays, i.SlackDays, i.WithLagKept, i.Due, i.LateDays))
		}
		return all
	}

	t.Run("it slips", func(t *testing.T) {
		impact := ask("design", "2024-08-01")
		assert.Equal(t, []string{ // in the order of dependencies: build was scheduled after launch
			"build 2024-07-12: at least 2024-08-01, 2024-08-01, moves 20, slack 0, lag kept 2024-08-13, due 2024-07-10, late 22",
			"launch 2024-07-31: at least 2024-08-01, 2024-08-01, moves 1, slack 0, lag kept 2024-09-01, due 2024-07-31, late 1",
			"survey 2024-08-31: at least 2024-08-01, 2024-08-31, moves 0, slack 30, lag kept 2024-10-02, due 2024-08-31, late 0",
		}, lines(impact))
		assert.Equal(t, [2]string{"2024-06-30", "32"}, [2]string{impact.Present.String(), fmt.Sprint(impact.MovesDays)})
		assert.Equal(t, [3]string{"2024-08-31", "2024-08-31", "2024-10-02"}, [3]string{impact.Finish.String(), impact.FinishAfter.String(), impact.FinishLagKept.String()})
	})
	t.Run("it comes earlier", func(t *testing.T) {
		assert.Equal(t, []string{
			"build 2024-07-12: at least 2024-06-20, 2024-07-12, moves 0, slack 22, lag kept 2024-07-02, due 2024-07-10, late 2",
			"launch 2024-07-31: at least 2024-07-20, 2024-07-31, moves 0, slack 11, lag kept 2024-07-31, due 2024-07-31, late 0", // supply keeps it
			"survey 2024-08-31: at least 2024-06-20, 2024-08-31, moves 0, slack 72, lag kept 2024-08-21, due 2024-08-31, late 0",
		}, lines(ask("design", "2024-06-20")))
	})
	t.Run("it moves the project's finish", func(t *testing.T) {
		impact := ask("supply", "2025-01-31")
		assert.Equal(t, []string{"launch 2024-07-31: at least 2025-01-31, 2025-01-31, moves 184, slack 0, lag kept 2025-02-11, due 2024-07-31, late 184"}, lines(impact))
		assert.Equal(t, [3]string{"2024-08-31", "2025-01-31", "2025-02-11"}, [3]string{impact.Finish.String(), impact.FinishAfter.String(), impact.FinishLagKept.String()})
	})
	t.Run("nothing depends on it", func(t *testing.T) {
		impact := ask("survey", "2025-01-01")
		assert.Equal(t, []projections.Impacted{}, impact.Items)
		assert.Equal(t, "2025-01-01", impact.FinishAfter.String())
	})
	t.Run("refused", func(t *testing.T) {
		for _, c := range []struct {
			under, key domain.Key
			forecast   string
			code       string
		}{
			{"iot-base", "nothing", "2024-08-01", domain.CodeNotFound}, {"town", "design", "2024-08-01", domain.CodeNotFound},
			{"iot-base", "early", "2024-08-01", domain.CodeWrongState}, {"iot-base", "gone", "2024-08-01", domain.CodeWrongState},
		} {
			_, err := m.Impact(t.Context(), "framework", c.under, c.key, day(c.forecast), now)
			requireRefused(t, err, c.code)
		}
		_, err := m.Impact(t.Context(), "framework", "iot-base", "design", 0, now)
		requireRefused(t, err, domain.CodeMissingField)
	})
}

// No decision makes a cycle; a log that holds one all the same is answered.
func TestImpactOfACycle(t *testing.T) {
	l, log := inMemory(t)
	l.signed(framework)
	l.started(base)
	l.after("a", "2024-06-30")
	l.after("b", "2024-07-10", "a")
	l.after("c", "2024-07-20", "b")
	for _, e := range []project.DependencyAdded{{MilestoneID: milestone("b"), On: "c"}, {MilestoneID: milestone("a"), On: "c"}} {
		l.record(base.Ref(), e, domain.Meta{Actor: "li.wei"})
	}
	m := models(t, t.TempDir(), at("2024-06-11"))
	_, err := m.Rebuild(t.Context(), log, nil)
	require.NoError(t, err)

	impact, err := m.Impact(t.Context(), "framework", "iot-base", "a", day("2024-08-01"), projections.Point{Seq: l.seq})

	require.NoError(t, err)
	require.Len(t, impact.Items, 2)
	assert.Equal(t, [2]domain.Key{"c", "b"}, [2]domain.Key{impact.Items[0].Milestone, impact.Items[1].Milestone})
	assert.Equal(t, "2024-08-01", impact.Items[1].AtLeast.String(), "b is not met before a")
}

func TestImpactFollowsTheDependencies(t *testing.T) {
	check(t, func(t *rapid.T) {
		// given a random history, and one of its milestones on another date
		l, log := inMemory(t)
		l.advance(t, 80)
		m, done := fresh(t, log)
		defer done()
		ctx, at := context.Background(), projections.Point{Seq: l.seq, Day: day("2025-01-01")}
		list, _, err := m.Milestones(ctx, "framework", "iot-base", at, projections.Page{})
		require.NoError(t, err)
		if len(list) == 0 {
			return
		}
		of := rapid.SampledFrom(list).Draw(t, "milestone")
		date := of.Forecast + domain.Date(rapid.IntRange(-60, 120).Draw(t, "days"))
		fixed := func(m projections.Milestone) bool { return m.State == project.Met || m.State == project.Dropped }
		// when
		impact, err := m.Impact(ctx, "framework", "iot-base", of.Milestone, date, at)
		if fixed(of) {
			require.ErrorContains(t, err, "milestone")
			return
		}
		require.NoError(t, err)
		// then those that wait for it are told of, as a search by rounds finds them
		byKey, waits := map[domain.Key]projections.Milestone{}, map[domain.Key]bool{of.Milestone: true}
		for _, m := range list {
			byKey[m.Milestone] = m
		}
		for range list {
			for _, m := range list {
				if !fixed(m) && slices.ContainsFunc(m.DependsOn, func(on domain.Key) bool { return waits[on] }) {
					waits[m.Milestone] = true
				}
			}
		}
		require.Len(t, impact.Items, len(waits)-1)
		// and none before what it depends on
		then, kept := map[domain.Key]domain.Date{}, map[domain.Key]domain.Date{}
		for _, m := range list {
			then[m.Milestone] = m.Forecast
			if m.MetOn != 0 {
				then[m.Milestone] = m.MetOn
			}
			kept[m.Milestone] = then[m.Milestone]
		}
		then[of.Milestone], kept[of.Milestone] = date, date
		for _, i := range impact.Items {
			require.True(t, waits[i.Milestone])
			then[i.Milestone], kept[i.Milestone] = i.Expected, i.WithLagKept
		}
		told := map[domain.Key]bool{}
		for _, i := range impact.Items {
			row, latest, laggards := byKey[i.Milestone], domain.Date(0), domain.Date(0)
			for _, on := range row.DependsOn {
				if d := byKey[on]; d.State != project.Dropped {
					require.True(t, !waits[on] || on == of.Milestone || told[on], "%s after %s", i.Milestone, on)
					latest, laggards = max(latest, then[on]), max(laggards, kept[on])
				}
			}
			told[i.Milestone] = true
			require.Equal(t, latest, i.AtLeast)
			require.Equal(t, max(row.Forecast, latest), i.Expected)
			require.GreaterOrEqual(t, i.WithLagKept, laggards)
			require.Equal(t, int(i.Expected-row.Forecast), i.MovesDays)
			require.True(t, i.MovesDays == 0 || i.SlackDays == 0)
			require.Equal(t, int(i.Forecast-i.AtLeast), i.SlackDays-i.MovesDays)
			require.Equal(t, max(0, int(i.Expected-row.Due)), i.LateDays)
			if date >= of.Forecast {
				require.GreaterOrEqual(t, i.WithLagKept, i.Expected, "to keep a gap takes no less than to move only what must")
			}
		}
		// and the project's finish is the last of all
		finish, after := domain.Date(0), domain.Date(0)
		for _, m := range list {
			if m.State != project.Dropped {
				after = max(after, then[m.Milestone])
				if m.MetOn != 0 {
					finish = max(finish, m.MetOn)
				} else {
					finish = max(finish, m.Forecast)
				}
			}
		}
		require.Equal(t, [2]domain.Date{finish, after}, [2]domain.Date{impact.Finish, impact.FinishAfter})
		p, err := m.Project(ctx, "framework", "iot-base", at)
		require.NoError(t, err)
		require.Equal(t, p.ForecastFinish, impact.Finish)
	})
}

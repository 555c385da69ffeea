package projections_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/domaintest"
	"github.com/milepost-ledger/milepost/domain/project"
	"github.com/milepost-ledger/milepost/projections"
)

func TestTrend(t *testing.T) {
	// given milestones whose dates move, in a ledger whose day begins eight
	// hours before UTC's
	l, log := inMemory(t)
	l.signed(framework)
	l.started(base)
	l.scheduled("design", "2024-09-30", 1)
	l.scheduled("build", "2025-03-31", 3)
	l.scheduled("pilot", "2025-04-30", 1)
	scheduled := l.seq
	l.do(project.ApproveBaseline{ID: base})
	l.on("2024-06-20")
	l.do(project.Reforecast{MilestoneID: milestone("design"), Forecast: day("2024-10-20")}, domain.Meta{Reason: "supplier-delay", Actor: "wang.fang", ActingFor: domaintest.Group, Effective: day("2024-06-18")})
	late := l.seq
	l.clock = l.clock.Add(9 * time.Hour) // the next day, there
	decided := agreement.DecisionRecorded{ID: framework, Decision: "d-1", Meeting: "coordination-1", On: day("2024-06-20")}
	l.record(framework.Ref(), decided, domain.Meta{Actor: "li.wei"})
	l.world.Evolve(framework.Ref(), decided)
	l.do(project.Reschedule{MilestoneID: milestone("build"), Due: day("2025-05-31"), Decision: "d-1"}, domain.Meta{Reason: "funding-delay"})
	l.do(project.ApproveBaseline{ID: base, Decision: "d-1"})
	l.on("2024-09-21")
	l.metOn("design", "2024-09-20")
	m, err := projections.Open(t.Context(), projections.Options{Dir: t.TempDir(), Ledger: "test", Location: time.FixedZone("CST", 8*3600)})
	require.NoError(t, err)
	defer m.Close()
	_, err = m.Rebuild(t.Context(), log, nil)
	require.NoError(t, err)
	now := projections.Point{Seq: l.seq, Day: day("2024-09-21")}

	// when
	trends, next, err := m.Trend(t.Context(), "framework", "iot-base", now, projections.Page{})

	// then each milestone has its moves in order, with the date on which each was made, whenever it was recorded
	require.NoError(t, err)
	assert.Empty(t, next)
	require.Len(t, trends, 3)
	design, build, pilot := trends[0], trends[1], trends[2]
	type move struct{ madeOn, forecast, due, baseline, metOn, reason, actor string }
	moves := func(t projections.Trend) (all []move) {
		for _, s := range t.Series {
			all = append(all, move{s.MadeOn.String(), s.Forecast.String(), s.Due.String(), s.Baseline.String(), s.MetOn.String(), s.Reason, s.Actor})
		}
		return all
	}
	assert.Equal(t, []move{
		{"2024-06-10", "2024-09-30", "2024-09-30", "", "", "", "li.wei"},
		{"2024-06-10", "2024-09-30", "2024-09-30", "2024-09-30", "", "", "li.wei"},
		{"2024-06-18", "2024-10-20", "2024-09-30", "2024-09-30", "", "supplier-delay", "wang.fang"},
		{"2024-09-21", "2024-10-20", "2024-09-30", "2024-09-30", "2024-09-20", "in any order", "li.wei"},
	}, moves(design))
	assert.Equal(t, []move{
		{"2024-06-10", "2025-03-31", "2025-03-31", "", "", "", "li.wei"},
		{"2024-06-10", "2025-03-31", "2025-03-31", "2025-03-31", "", "", "li.wei"},
		{"2024-06-20", "2025-05-31", "2025-05-31", "2025-03-31", "", "funding-delay", "li.wei"},
		{"2024-06-20", "2025-05-31", "2025-05-31", "2025-05-31", "", "", "li.wei"},
	}, moves(build))
	// and the trend is what became of the first forecast
	assert.Equal(t, [3]string{projections.TrendEarlier, projections.TrendLater, projections.TrendSteady}, [3]string{design.Trend, build.Trend, pilot.Trend})
	assert.Equal(t, [3]int{-10, 61, 0}, [3]int{design.Drift, build.Drift, pilot.Drift})
	assert.Equal(t, -10, *design.SlipDays)
	assert.Equal(t, day("2024-09-30"), design.FirstForecast)
	reforecast := design.Series[2]
	assert.Equal(t, late, reforecast.Seq)
	assert.Equal(t, [2]string{"milepost.project.milestone-reforecast.v1", "cethik"}, [2]string{reforecast.Type, reforecast.Party})
	assert.Equal(t, day("2024-06-20"), reforecast.Recorded, "two days after it was made")

	// and as of an earlier point it is as it was
	trends, _, err = m.Trend(t.Context(), "framework", "iot-base", projections.Point{Seq: late}, projections.Page{Limit: 1})
	require.NoError(t, err)
	assert.Equal(t, projections.TrendLater, trends[0].Trend)
	assert.Equal(t, moves(design)[:3], moves(trends[0]))
	trends, _, err = m.Trend(t.Context(), "framework", "iot-base", projections.Point{Seq: scheduled}, projections.Page{})
	require.NoError(t, err)
	assert.Len(t, trends[2].Series, 1)

	_, _, err = m.Trend(t.Context(), "framework", "town", now, projections.Page{})
	requireRefused(t, err, domain.CodeNotFound)
}

// A milestone's last move has the dates that its row has, and who made which
// move is what the changes say.
func TestTrendsEndAtTheMilestone(t *testing.T) {
	check(t, func(t *rapid.T) {
		l, log := inMemory(t)
		l.advance(t, 60)
		m, done := fresh(t, log)
		defer done()
		ctx, at := context.Background(), projections.Point{Seq: uint64(rapid.IntRange(1, int(l.seq)).Draw(t, "as of")), Day: day("2025-01-01")}
		trends, _, err := m.Trend(ctx, "framework", "iot-base", at, projections.Page{})
		if err != nil {
			require.IsType(t, &domain.Rejected{}, err)
			return
		}
		for _, trend := range trends {
			row, err := m.Milestone(ctx, "framework", "iot-base", trend.Milestone, at)
			require.NoError(t, err)
			last := trend.Series[len(trend.Series)-1]
			require.Equal(t, [4]domain.Date{row.Forecast, row.Due, row.Baseline, row.MetOn}, [4]domain.Date{last.Forecast, last.Due, last.Baseline, last.MetOn})
			changes, err := m.Changes(ctx, projections.ChangeQuery{To: at, Agreement: "framework", Project: "iot-base", Milestone: trend.Milestone, Page: projections.Page{Limit: 1000}})
			require.NoError(t, err)
			var seqs []uint64
			for _, c := range changes.Changes {
				switch c.Field {
				case "forecast", "due", "baseline", "met_on":
					if len(seqs) == 0 || seqs[len(seqs)-1] != c.Seq {
						seqs = append(seqs, c.Seq)
					}
				}
			}
			for i, move := range trend.Series {
				require.Equal(t, seqs[i], move.Seq)
			}
			require.Len(t, trend.Series, len(seqs))
		}
	})
}

// A question about moves costs the moves that it is about: it walks the index
// of changes by entity, and nothing else of theirs or of the register.
func TestMovesAreFoundByTheirIndex(t *testing.T) {
	dir := t.TempDir()
	l, log := inMemory(t)
	l.story()
	m := models(t, dir, at("2024-06-11"))
	_, err := m.Rebuild(t.Context(), log, nil)
	require.NoError(t, err)
	files, err := filepath.Glob(filepath.Join(dir, "read-v*.db"))
	require.NoError(t, err)
	conn, err := sqlite.OpenConn(files[0], sqlite.OpenReadOnly)
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close()) }()

	var plan []string
	require.NoError(t, sqlitex.Execute(conn, "EXPLAIN QUERY PLAN "+projections.SelectChangesOf, &sqlitex.ExecOptions{
		Args: []any{1, 1 << 40, 1, 2, 3, 4},
		ResultFunc: func(stmt *sqlite.Stmt) error {
			plan = append(plan, stmt.ColumnText(3))
			return nil
		},
	}))

	assert.Equal(t, []string{
		"SEARCH c USING INDEX change_entity (entity=? AND field=? AND rowid<?)",
		"SEARCH e USING INTEGER PRIMARY KEY (rowid=?)",
		"USE TEMP B-TREE FOR ORDER BY", // of these moves
	}, plan)
}

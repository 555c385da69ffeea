package projections_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/domaintest"
	"github.com/milepost-ledger/milepost/domain/project"
	"github.com/milepost-ledger/milepost/projections"
)

// on lets it be that day in the ledger.
func (l *ledger) on(date string) { l.clock = day(date).Time(time.UTC).Add(8 * time.Hour) }

// since asks a command that is effective from a date, and records it so.
func (l *ledger) since(effective domain.Date, cmd domain.Command, meta domain.Meta) error {
	l.Helper()
	meta.Actor, meta.Effective = "li.wei", effective
	events, err := l.world.Ask(cmd, meta, domain.DateOf(l.clock, time.UTC))
	if err != nil {
		return err
	}
	for _, e := range events {
		ref, e := domaintest.Locate(cmd.Ref(), e)
		l.versions[ref]++
		l.put(ref, domain.Envelope{
			Type: e.Type(), Version: l.versions[ref], Actor: meta.Actor, Party: meta.ActingFor, Effective: effective,
			Reason: meta.Reason, Data: domain.EncodeEvent(e),
		})
	}
	l.world.Evolve(cmd.Ref(), events...)
	return nil
}

// metOn lets both parties agree that a milestone of base was met.
func (l *ledger) metOn(key domain.Key, date string) {
	l.Helper()
	l.do(project.Claim{MilestoneID: milestone(key), Party: domaintest.Group, MetOn: day(date)}, domain.Meta{Evidence: []domain.Hash{domaintest.File}, Reason: "in any order"})
	for _, p := range []domain.Key{domaintest.City, domaintest.Group} {
		l.do(project.Confirm{MilestoneID: milestone(key), Party: p}, domain.Meta{Reason: "in any order"})
	}
}

// rows are the points of a curve, one a line: date planned earned spi.
func rows(curve projections.SCurve) (lines []string) {
	or := func(d *domain.Decimal) string {
		if d == nil {
			return "-"
		}
		return string(*d)
	}
	for _, p := range curve.Items {
		lines = append(lines, fmt.Sprintf("%s %s %s %s", p.Date, p.Planned, or(p.Earned), or(p.SPI)))
	}
	return lines
}

func TestSCurve(t *testing.T) {
	// given a baseline of three milestones
	l, log := inMemory(t)
	l.signed(framework)
	l.started(base)
	l.scheduled("design", "2024-06-30", 1)
	l.scheduled("build", "2024-07-31", 3)
	l.scheduled("pilot", "2024-08-31", 2)
	agreed := l.seq
	l.do(project.ApproveBaseline{ID: base})
	// and progress, of which some is told late, and some taken back
	l.on("2024-06-20")
	require.NoError(t, l.since(day("2024-06-18"), project.ReportProgress{MilestoneID: milestone("build"), Percent: 20}, domain.Meta{}))
	l.on("2024-07-05")
	l.metOn("design", "2024-07-01")
	met := l.seq
	l.on("2024-07-10")
	require.NoError(t, l.since(day("2024-07-08"), project.Reopen{MilestoneID: milestone("design")}, domain.Meta{Reason: "a defect"}))
	l.on("2024-07-15")
	l.do(project.ReportProgress{MilestoneID: milestone("build"), Percent: 50})
	l.on("2024-07-20")
	l.metOn("design", "2024-07-18")
	// and one milestone cancelled, one scheduled after the baseline
	l.on("2024-07-25")
	l.do(project.CancelMilestone{MilestoneID: milestone("pilot")}, domain.Meta{Reason: "not needed"})
	l.scheduled("extra", "2024-12-31", 4)
	l.on("2024-07-26")
	l.do(project.ReportProgress{MilestoneID: milestone("extra"), Percent: 10})
	m := models(t, t.TempDir(), at("2024-08-11"))
	_, err := m.Rebuild(t.Context(), log, nil)
	require.NoError(t, err)
	ask := func(seq uint64, date string) projections.SCurve {
		t.Helper()
		curve, err := m.SCurve(t.Context(), "framework", "iot-base", projections.Point{Seq: seq, Day: day(date)})
		require.NoError(t, err)
		return curve
	}

	t.Run("by hand", func(t *testing.T) {
		curve := ask(l.seq, "2024-08-10")
		assert.Equal(t, []string{
			"2024-06-18 0 0.6 -", // 20 % of 3
			"2024-06-30 1 0.6 0.6",
			"2024-07-01 1 1.6 1.6", // all of 1, from the date met on
			"2024-07-08 1 0.6 0.6", // and back
			"2024-07-15 1 1.5 1.5", // 50 % of 3
			"2024-07-18 1 2.5 2.5",
			"2024-07-26 1 2.9 2.9", // 10 % of 4, that are not planned
			"2024-07-31 4 2.9 0.725",
			"2024-08-10 4 2.9 0.725", // the day of the point
		}, rows(curve))
		assert.Equal(t, projections.BasisBaseline, curve.Basis)
		assert.Equal(t, 4, curve.BAC, "without the cancelled one")
		assert.Equal(t, 8, curve.Weight)
		last := curve.Items[len(curve.Items)-1]
		assert.JSONEq(t, `{"date": "2024-08-10", "planned": "4", "earned": "2.9", "planned_percent": 100, "earned_percent": 36.25, "spi": "0.725"}`, toJSON(t, last))
		p, err := m.Project(t.Context(), "framework", "iot-base", projections.Point{Seq: l.seq, Day: day("2024-08-10")})
		require.NoError(t, err)
		assert.Equal(t, p.Percent, last.EarnedPercent, "earned is what the project has earned")
	})
	t.Run("earlier", func(t *testing.T) {
		curve := ask(met, "2024-07-06")
		assert.Equal(t, []string{
			"2024-06-18 0 0.6 -", "2024-06-30 1 0.6 0.6", "2024-07-01 1 1.6 1.6", "2024-07-06 1 1.6 1.6",
			"2024-07-31 4 - -", "2024-08-31 6 - -", // planned still, and nothing earned yet
		}, rows(curve))
		assert.JSONEq(t, `{"date": "2024-07-31", "planned": "4", "earned": null, "planned_percent": 66.67, "earned_percent": null, "spi": null}`, toJSON(t, curve.Items[4]))
	})
	t.Run("by the agreed dates before there is a baseline", func(t *testing.T) {
		curve := ask(agreed, "2024-06-10")
		assert.Equal(t, projections.BasisAgreed, curve.Basis)
		assert.Equal(t, []string{"2024-06-10 0 0 -", "2024-06-30 1 - -", "2024-07-31 4 - -", "2024-08-31 6 - -"}, rows(curve))
	})
	t.Run("without milestones", func(t *testing.T) {
		curve := ask(agreed-3, "2024-06-10")
		assert.JSONEq(t, fmt.Sprintf(`{"as_of": {"seq": %d, "at": null}, "agreement": "framework", "project": "iot-base", "basis": "", "day": "2024-06-10",
			"bac": 0, "weight": 0, "items": []}`, agreed-3), toJSON(t, curve))
	})
	t.Run("of what is not there", func(t *testing.T) {
		for _, key := range []domain.Key{"", "town"} {
			_, err := m.SCurve(t.Context(), "nothing", key, projections.Point{Seq: l.seq})
			requireRefused(t, err, domain.CodeNotFound)
		}
		_, err := m.SCurve(t.Context(), "framework", "town", projections.Point{Seq: l.seq})
		requireRefused(t, err, domain.CodeNotFound)
		_, err = m.SCurve(t.Context(), "framework", "iot-base", projections.Point{Seq: 1})
		requireRefused(t, err, domain.CodeNotFound)
	})
}

// What is recorded later holds, also where it takes hold earlier; what takes
// hold later still is not earned yet.
func TestSCurveOfReportsOutOfOrder(t *testing.T) {
	l, log := inMemory(t)
	l.signed(framework)
	l.started(base)
	l.scheduled("design", "2024-06-30", 1)
	l.on("2024-06-20")
	for date, percent := range map[string]int{"2024-06-15": 60} {
		require.NoError(t, l.since(day(date), project.ReportProgress{MilestoneID: milestone("design"), Percent: percent}, domain.Meta{}))
	}
	require.NoError(t, l.since(day("2024-06-12"), project.ReportProgress{MilestoneID: milestone("design"), Percent: 30}, domain.Meta{Reason: "counted wrongly"}))
	require.NoError(t, l.since(day("2024-06-25"), project.ReportProgress{MilestoneID: milestone("design"), Percent: 90}, domain.Meta{}))
	m := models(t, t.TempDir(), at("2024-06-21"))
	_, err := m.Rebuild(t.Context(), log, nil)
	require.NoError(t, err)

	curve, err := m.SCurve(t.Context(), "framework", "iot-base", projections.Point{Seq: l.seq, Day: day("2024-06-20")})

	require.NoError(t, err)
	assert.Equal(t, []string{"2024-06-12 0 0.3 -", "2024-06-20 0 0.3 -", "2024-06-30 1 - -"}, rows(curve))
}

func TestSCurveOfAnAgreement(t *testing.T) {
	// given a project with a baseline, one without, and one that was cancelled
	l, log := inMemory(t)
	before := l.story()
	town := project.ID{Agreement: "framework", Project: "town"}
	l.started(town)
	weight := 5
	l.do(project.Schedule{ID: town, Milestone: "plan", Title: text("Plan"), Due: day("2024-12-31"), Weight: &weight, Confirming: []domain.Key{domaintest.City}})
	mixed := l.seq
	l.do(project.Cancel{ID: town}, domain.Meta{Reason: "no site"})
	m := models(t, t.TempDir(), at("2024-06-11"))
	_, err := m.Rebuild(t.Context(), log, nil)
	require.NoError(t, err)
	for _, c := range []struct {
		seq         uint64
		basis       string
		bac, weight int
	}{{before, projections.BasisBaseline, 4, 4}, {mixed, projections.BasisMixed, 9, 9}, {l.seq, projections.BasisBaseline, 4, 4}} {
		// when
		curve, err := m.SCurve(t.Context(), "framework", "", projections.Point{Seq: c.seq, Day: day("2024-06-11")})
		// then
		require.NoError(t, err)
		assert.Equal(t, c.basis, curve.Basis)
		assert.Equal(t, [2]int{c.bac, c.weight}, [2]int{curve.BAC, curve.Weight})
	}
}

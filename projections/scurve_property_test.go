package projections_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/catalogue"
	"github.com/milepost-ledger/milepost/domain/domaintest"
	"github.com/milepost-ledger/milepost/domain/project"
	"github.com/milepost-ledger/milepost/projections"
)

// advance asks n random commands about the milestones of two projects, most of
// them effective on another day than they are asked. Refused ones leave no
// trace.
func (l *ledger) advance(t *rapid.T, n int) {
	l.signed(framework)
	projects := []project.ID{base, {Agreement: "framework", Project: "town"}}
	decided := agreement.DecisionRecorded{ID: framework, Decision: "d-1", Meeting: "coordination-1", On: day("2024-06-09")}
	l.record(framework.Ref(), decided, domain.Meta{Actor: "li.wei"})
	l.world.Evolve(framework.Ref(), decided)
	keys := []domain.Key{"design", "build", "launch", "pilot", "review"}
	around := func(label string, from, to int) domain.Date {
		return domain.DateOf(l.clock, time.UTC) + domain.Date(rapid.IntRange(from, to).Draw(t, label))
	}
	for _, p := range projects {
		l.started(p)
		for i, key := range keys[:3] { // the others come later
			_ = l.since(around("effective", -20, 5), project.Schedule{
				ID: p, Milestone: key, Title: text("M"), Due: around("due", -20, 200), Confirming: []domain.Key{domaintest.City},
				DependsOn: rapid.SliceOfNDistinct(rapid.SampledFrom(keys[:max(1, i)]), 0, i, rapid.ID).Draw(t, "depends on"),
			}, domain.Meta{})
		}
	}
	for range n {
		l.clock = l.clock.Add(time.Duration(rapid.IntRange(0, 6000).Draw(t, "minutes")) * time.Minute)
		p := rapid.SampledFrom(projects).Draw(t, "project")
		m := project.MilestoneID{Agreement: p.Agreement, Project: p.Project, Milestone: rapid.SampledFrom(keys).Draw(t, "milestone")}
		on := rapid.SliceOfNDistinct(rapid.SampledFrom(keys), 0, 2, rapid.ID).Draw(t, "depends on")
		weight := rapid.IntRange(0, 5).Draw(t, "weight")
		commands := []domain.Command{
			project.Schedule{ID: p, Milestone: m.Milestone, Title: text("M"), Due: around("due", -20, 200), Weight: &weight, Confirming: []domain.Key{domaintest.City}, DependsOn: on},
			project.Reforecast{MilestoneID: m, Forecast: around("forecast", -20, 200)},
			project.Reschedule{MilestoneID: m, Due: around("due", -20, 200), Decision: "d-1"},
			project.ApproveBaseline{ID: p, Decision: "d-1"},
			project.ReportProgress{MilestoneID: m, Percent: rapid.IntRange(0, 100).Draw(t, "percent")},
			project.ReportProgress{MilestoneID: m, Percent: rapid.IntRange(0, 100).Draw(t, "percent")},
			project.Claim{MilestoneID: m, Party: domaintest.Group, MetOn: around("met", -30, 0)},
			project.Judge{MilestoneID: m, Outcome: "partially-met"}, project.CancelMilestone{MilestoneID: m},
			project.Reopen{MilestoneID: m}, project.Reopen{MilestoneID: m},
			project.AddDependency{MilestoneID: m, On: keys[weight%5]},
		}
		cmd := rapid.SampledFrom(commands).Draw(t, "command")
		meta := domain.Meta{Reason: "correction", Evidence: []domain.Hash{domaintest.File}}
		err := l.since(around("effective", -20, 5), cmd, meta)
		if _, claimed := cmd.(project.Claim); claimed && err == nil && weight > 0 {
			var answer domain.Command = project.Confirm{MilestoneID: m, Party: domaintest.City}
			if weight == 1 {
				answer = project.Dispute{MilestoneID: m, Party: domaintest.City}
			}
			_ = l.since(around("effective", -20, 5), answer, meta)
		}
	}
}

// said is what an event said of a milestone: a date from which it holds, and
// the percent reported or whether it is met.
type said struct {
	from    domain.Date
	percent *int
	met     *bool
}

// naive folds the log up to a sequence, and returns the projects, and by
// project and milestone what was said, in the order of recording.
func naive(t tb, log *memory, seq uint64) (states map[domain.Key]*project.State, all map[domain.Key]map[domain.Key][]said) {
	states, all = map[domain.Key]*project.State{}, map[domain.Key]map[domain.Key][]said{}
	for _, rec := range log.until(seq).records {
		env, e, err := catalogue.Decode(rec.Data)
		require.NoError(t, err)
		if env.Ref.Kind != project.Kind {
			continue
		}
		key := env.Ref.Key
		if all[key] == nil {
			all[key] = map[domain.Key][]said{}
		}
		before := states[key]
		after := project.Aggregate.Evolve(before, e).(*project.State)
		states[key] = after
		for milestone, is := range after.Milestones.All() {
			was := project.Milestone{}
			if before != nil {
				was, _ = before.Milestones.Get(milestone)
			}
			if is.Percent != was.Percent {
				all[key][milestone] = append(all[key][milestone], said{from: env.Effective, percent: &is.Percent})
			}
			if is.MetOn != was.MetOn {
				met, from := is.MetOn != 0, env.Effective
				if met {
					from = is.MetOn
				}
				all[key][milestone] = append(all[key][milestone], said{from: from, met: &met})
			}
		}
	}
	return states, all
}

// worth is planned and earned value on a date by brute force; planned in
// weights, earned in percents of weight.
func worth(s *project.State, all map[domain.Key][]said, date domain.Date) (planned, earned int) {
	baselined := false
	for _, m := range s.Milestones.All() {
		baselined = baselined || m.Baseline != 0 && m.State != project.Dropped
	}
	for key, m := range s.Milestones.All() {
		if m.State == project.Dropped {
			continue
		}
		due := m.Due
		if baselined {
			due = m.Baseline
		}
		if due != 0 && due <= date {
			planned += m.Weight
		}
		percent, met := 0, false
		for _, x := range all[key] {
			switch {
			case x.from > date:
			case x.percent != nil:
				percent = *x.percent
			default:
				met = *x.met
			}
		}
		if met {
			percent = 100
		}
		earned += m.Weight * percent
	}
	return planned, earned
}

// value is a curve on a date: of the last point that is not after it.
func value(curve projections.SCurve, date domain.Date) (planned domain.Decimal, earned *domain.Decimal) {
	zero := domain.Decimal("0")
	planned, earned = zero, &zero
	for _, p := range curve.Items {
		if p.Date <= date {
			planned, earned = p.Planned, p.Earned
		}
	}
	return planned, earned
}

func hundredths(n int) domain.Decimal {
	return domain.MustDecimal(fmt.Sprintf("%d.%02d", n/100, n%100))
}

func TestSCurvesEqualAFoldOfTheLog(t *testing.T) {
	check(t, func(t *rapid.T) {
		// given a random history and a point in it
		l, log := inMemory(t)
		l.advance(t, 80)
		m, done := fresh(t, log)
		defer done()
		at := projections.Point{Seq: uint64(rapid.IntRange(1, int(l.seq)).Draw(t, "as of")), Day: day("2024-05-01") + domain.Date(rapid.IntRange(0, 600).Draw(t, "day"))}
		ctx := context.Background()
		states, all := naive(t, log, at.Seq)
		sum := map[domain.Date][2]int{}
		dates := map[domain.Date]bool{day("2024-01-01"): true, day("2026-12-31"): true, at.Day: true}
		curves := map[domain.Key]projections.SCurve{}
		for key := range states {
			curve, err := m.SCurve(ctx, "framework", key, at)
			require.NoError(t, err)
			curves[key] = curve
			for _, p := range curve.Items {
				dates[p.Date], dates[p.Date-1] = true, true
			}
		}
		for key, s := range states {
			curve := curves[key]
			bac, weight := 0, 0
			for date := range dates {
				planned, earned := worth(s, all[key], date)
				bac = max(bac, planned)
				sum[date] = [2]int{sum[date][0] + planned, sum[date][1] + earned}
				// then planned and earned value are what a fold of the log gives
				pv, ev := value(curve, date)
				require.Equal(t, hundredths(planned*100), pv, "planned on %s", date)
				if date <= at.Day {
					require.Equal(t, hundredths(earned), *ev, "earned on %s", date)
				}
			}
			for _, m := range s.Milestones.All() {
				if m.State != project.Dropped {
					weight += m.Weight
				}
			}
			require.Equal(t, [2]int{bac, weight}, [2]int{curve.BAC, curve.Weight})
			requireCurve(t, curve)
			if len(curve.Items) == 0 {
				continue
			}
			// and at the end what the project has earned, and all that is planned
			later := projections.Point{Seq: at.Seq, Day: day("2028-01-01")}
			p, err := m.Project(ctx, "framework", key, later)
			require.NoError(t, err)
			whole, err := m.SCurve(ctx, "framework", key, later)
			require.NoError(t, err)
			end := whole.Items[len(whole.Items)-1]
			require.Equal(t, later.Day, end.Date)
			require.Equal(t, hundredths(p.Earned), *end.Earned)
			require.Equal(t, p.Percent, end.EarnedPercent)
			require.Equal(t, hundredths(whole.BAC*100), end.Planned)
		}
		if len(states) == 0 {
			return
		}
		// and an agreement's are the sums of its projects'
		curve, err := m.SCurve(ctx, "framework", "", at)
		require.NoError(t, err)
		requireCurve(t, curve)
		for date, want := range sum {
			pv, ev := value(curve, date)
			require.Equal(t, hundredths(want[0]*100), pv)
			if date <= at.Day {
				require.Equal(t, hundredths(want[1]), *ev)
			}
		}
	})
}

// requireCurve requires what holds for every curve.
func requireCurve(t tb, curve projections.SCurve) {
	t.Helper()
	for i, p := range curve.Items {
		require.True(t, i == 0 || curve.Items[i-1].Date < p.Date, "in order, each date once")
		require.Equal(t, p.Date > curve.Day, p.Earned == nil)
		if i > 0 && p.Date != curve.Day {
			was := curve.Items[i-1]
			require.False(t, was.Planned == p.Planned && (p.Earned == nil || *was.Earned == *p.Earned), "%s: nothing changes", p.Date)
		}
		if p.Earned != nil && p.Planned != "0" {
			spi, _ := p.Earned.Per(p.Planned, 4)
			require.Equal(t, spi, *p.SPI)
		} else {
			require.Nil(t, p.SPI)
		}
	}
	require.True(t, len(curve.Items) == 0 || slices.ContainsFunc(curve.Items, func(p projections.CurvePoint) bool { return p.Date == curve.Day }))
}

// progress is all that the progress read models answer as of a point, as JSON.
func progress(t tb, m *projections.Models, at projections.Point) map[string]string {
	t.Helper()
	ctx, answers := context.Background(), map[string]string{}
	put := func(name string, v any, err error) {
		t.Helper()
		b, e := json.Marshal(v)
		require.NoError(t, e)
		answers[name] = fmt.Sprintf("%s %v", b, err)
	}
	for _, key := range []domain.Key{"", "iot-base", "town"} {
		curve, err := m.SCurve(ctx, "framework", key, at)
		put("s-curve "+string(key), curve, err)
		if key == "" {
			continue
		}
		trends, next, err := m.Trend(ctx, "framework", key, at, projections.Page{})
		put("trend "+string(key), trends, err)
		require.Empty(t, next)
		for _, trend := range trends {
			impact, err := m.Impact(ctx, "framework", key, trend.Milestone, trend.Forecast+30, at)
			put("impact "+string(key)+" "+string(trend.Milestone), impact, err)
		}
	}
	pace, err := m.Pace(ctx, "framework", at)
	put("pace", pace, err)
	return answers
}

func TestProgressAsOfEqualsARebuildUpToThere(t *testing.T) {
	t.Parallel()
	check(t, func(t *rapid.T) {
		l, log := inMemory(t)
		l.advance(t, 60)
		m, done := live(t, log)
		defer done()
		at := projections.Point{Seq: uint64(rapid.IntRange(0, int(l.seq)).Draw(t, "as of")), Day: day("2024-06-01") + domain.Date(rapid.IntRange(0, 300).Draw(t, "day"))}
		then, closed := fresh(t, log.until(at.Seq))
		defer closed()
		want := progress(t, then, at)
		require.Equal(t, slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(progress(t, m, at))))
		require.Equal(t, want, progress(t, m, at))
	})
}

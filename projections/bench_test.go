package projections_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/domaintest"
	"github.com/milepost-ledger/milepost/domain/project"
	"github.com/milepost-ledger/milepost/eventstore"
	"github.com/milepost-ledger/milepost/projections"
)

// synthetic is a log of n events: agreements with 10 projects of 10 milestones
// each, whose dates and progress then move at random.
func synthetic(n, agreements int) *memory { return portfolio(n, agreements, 10, 10, 0) }

// portfolio is a log of n events at least: agreements with projects of milestones,
// of which those due before met are then met, and the dates and progress of all
// move at random. It is written without deciding, which is not what is measured.
func portfolio(n, agreements, projects, milestones int, met domain.Date) *memory {
	l, log := inMemory(nil)
	random := rand.New(rand.NewPCG(1, 2))
	type place struct {
		project.MilestoneID
	}
	var places []place
	meta := func() domain.Meta {
		return domain.Meta{Actor: fmt.Sprintf("person-%d", random.IntN(50)), ActingFor: domaintest.City, Reason: "supplier-delay"}
	}
	quiet := &ledger{tb: nobody{}, versions: l.versions, last: l.last, clock: l.clock, idPrefix: l.idPrefix, write: l.write}
	for a := range agreements {
		id := agreement.ID{Agreement: domain.Key(fmt.Sprintf("agreement-%d", a))}
		quiet.record(id.Ref(), agreement.Drafted{
			ID: id, Kind: "framework", Title: domain.Text{"en": fmt.Sprintf("Agreement %d", a), "zh": "协议"}, Parties: []domain.Key{domaintest.City, domaintest.Group},
		}, meta())
		for p := range projects {
			pid := project.ID{Agreement: id.Agreement, Project: domain.Key(fmt.Sprintf("project-%d", p))}
			quiet.record(pid.Ref(), project.Proposed{ID: pid, Title: domain.Text{"en": "Project", "zh": "项目"}, Kind: "town", Areas: []domain.Key{"iot"}}, meta())
			for k := range milestones {
				mid := project.MilestoneID{Agreement: id.Agreement, Project: pid.Project, Milestone: domain.Key(fmt.Sprintf("milestone-%d", k))}
				scheduled := project.MilestoneScheduled{
					MilestoneID: mid, Title: domain.Text{"en": fmt.Sprintf("Milestone %d of project %d", k, p), "zh": "里程碑"},
					Due: day("2025-01-01") + domain.Date(random.IntN(700)), Weight: 1 + random.IntN(5), MilestoneType: "delivery",
					Confirming: []domain.Key{domaintest.City, domaintest.Group},
				}
				quiet.record(pid.Ref(), scheduled, meta())
				places = append(places, place{mid})
				if scheduled.Due < met {
					quiet.record(pid.Ref(), project.MilestoneMet{MilestoneID: mid, MetOn: scheduled.Due}, meta())
				}
			}
		}
	}
	for len(log.records) < n {
		quiet.clock = quiet.clock.Add(time.Minute)
		at := places[random.IntN(len(places))].MilestoneID
		if random.IntN(3) == 0 {
			quiet.record(at.Ref(), project.ProgressReported{MilestoneID: at, Percent: random.IntN(101)}, meta())
		} else {
			quiet.record(at.Ref(), project.MilestoneReforecast{MilestoneID: at, Forecast: day("2025-01-01") + domain.Date(random.IntN(900))}, meta())
		}
	}
	return log
}

// nobody is told of failures while a log is made: there are none.
type nobody struct{}

func (nobody) Helper()                   {}
func (nobody) Errorf(f string, a ...any) { panic(fmt.Sprintf(f, a...)) }
func (nobody) FailNow()                  { panic("failed") }
func (nobody) Fatalf(f string, a ...any) { panic(fmt.Sprintf(f, a...)) }

const manyEvents = 200_000

var many = sync.OnceValue(func() *memory { return synthetic(manyEvents, 200) })

// BenchmarkRebuild makes the read models of 200,000 events, and then lets them
// follow 10,000 that came one chunk of 100 at a time.
func BenchmarkRebuild(b *testing.B) {
	log := many()
	for b.Loop() {
		m, err := projections.Open(context.Background(), projections.Options{Dir: b.TempDir(), Ledger: "test"})
		require.NoError(b, err)
		start := time.Now()
		_, err = m.Rebuild(context.Background(), log, nil)
		require.NoError(b, err)
		b.ReportMetric(manyEvents/time.Since(start).Seconds(), "events/s")
		require.NoError(b, m.Close())
	}
}

// BenchmarkReplay folds and checks 200,000 events, and does not read the tables.
func BenchmarkReplay(b *testing.B) {
	log := many()
	m, err := projections.Open(context.Background(), projections.Options{Dir: b.TempDir(), Ledger: "test"})
	require.NoError(b, err)
	defer m.Close()
	_, err = m.Rebuild(context.Background(), log, nil)
	require.NoError(b, err)
	for b.Loop() {
		start := time.Now()
		r, err := m.Replay(context.Background(), log, projections.ReplayOptions{LogOnly: true})
		require.NoError(b, err)
		require.True(b, r.Identical)
		b.ReportMetric(manyEvents/time.Since(start).Seconds(), "events/s")
	}
}

// written is a real log with the events of one in memory.
func written(b *testing.B, log *memory) *eventstore.Store {
	store, err := eventstore.Open(context.Background(), eventstore.Config{Dir: b.TempDir(), Ledger: "test"})
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, store.Close()) })
	last := map[string]uint64{}
	for chunk := range slices.Chunk(log.records, 1000) {
		messages := make([]eventstore.Message, len(chunk))
		for i, r := range chunk {
			messages[i] = eventstore.Message{Subject: r.Subject, Data: r.Data, Expect: last[r.Subject]}
		}
		for _, r := range chunk {
			last[r.Subject] = r.Seq
		}
		_, err := store.Append(context.Background(), messages)
		require.NoError(b, err)
	}
	return store
}

// BenchmarkRebuildStore does it from a real log, after counting it raw.
func BenchmarkRebuildStore(b *testing.B) {
	store := written(b, many())
	b.ResetTimer()
	for b.Loop() {
		start := time.Now()
		n := 0
		for chunk, err := range store.ReadChunks(context.Background(), 1, 0, "") {
			require.NoError(b, err)
			n += len(chunk)
		}
		raw := float64(n) / time.Since(start).Seconds()
		m, err := projections.Open(context.Background(), projections.Options{Dir: b.TempDir(), Ledger: "test"})
		require.NoError(b, err)
		start = time.Now()
		_, err = m.Rebuild(context.Background(), store, nil)
		require.NoError(b, err)
		ours := manyEvents / time.Since(start).Seconds()
		b.ReportMetric(raw, "raw/s")
		b.ReportMetric(ours, "events/s")
		b.ReportMetric(ours/raw, "ratio")
		require.NoError(b, m.Close())
	}
}

// BenchmarkOverview asks for what an overview of a portfolio shows, as of the end
// of the log and as of its middle: the agreements with their progress, and the
// first 20 milestones due, of which four fifths of all are met.
func BenchmarkOverview(b *testing.B) {
	for _, shape := range []struct{ agreements, projects, milestones int }{{500, 20, 5}, {1, 10_000, 5}, {1, 500, 5}, {500, 1, 5}} {
		n := shape.agreements * shape.projects * shape.milestones
		m, err := projections.Open(context.Background(), projections.Options{Dir: b.TempDir(), Ledger: "test"})
		require.NoError(b, err)
		log := portfolio(4*n, shape.agreements, shape.projects, shape.milestones, day("2026-07-15"))
		_, err = m.Rebuild(context.Background(), log, nil)
		require.NoError(b, err)
		last := uint64(len(log.records))
		for name, at := range map[string]projections.Point{"now": {Seq: last, Day: day("2026-08-01")}, "then": {Seq: last * 3 / 4, Day: day("2026-08-01")}} {
			ask := func(what string, f func() (int, error)) {
				b.Run(fmt.Sprintf("%s of %d agreements of %d projects, %s", what, shape.agreements, shape.projects, name), func(b *testing.B) {
					var took []time.Duration
					for b.Loop() {
						start := time.Now()
						found, err := f()
						took = append(took, time.Since(start))
						require.NoError(b, err)
						require.NotZero(b, found)
					}
					slices.Sort(took)
					b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
					b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
				})
			}
			ask("due", func() (int, error) {
				items, _, err := m.Due(context.Background(), "", at, 0, projections.Page{Limit: 20})
				return len(items), err
			})
			ask("agreements", func() (int, error) {
				items, _, err := m.Agreements(context.Background(), at, projections.Page{Limit: 1000})
				return len(items), err
			})
			ask("projects", func() (int, error) {
				items, _, err := m.Projects(context.Background(), "agreement-0", at, projections.Page{Limit: 500})
				return len(items), err
			})
		}
		require.NoError(b, m.Close())
	}
}

// BenchmarkChanges asks for 100 changes of one agreement out of 200,000 events.
func BenchmarkChanges(b *testing.B) {
	m, err := projections.Open(context.Background(), projections.Options{Dir: b.TempDir(), Ledger: "test"})
	require.NoError(b, err)
	defer m.Close()
	_, err = m.Rebuild(context.Background(), many(), nil)
	require.NoError(b, err)
	ctx, now := context.Background(), projections.Point{Seq: manyEvents, Day: day("2025-06-01")}
	from := projections.Point{Seq: manyEvents / 2}
	measure := func(name string, ask func(i int) int) {
		b.Run(name, func(b *testing.B) {
			var took []time.Duration
			for i := 0; b.Loop(); i++ {
				start := time.Now()
				require.NotZero(b, ask(i))
				took = append(took, time.Since(start))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-us")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-us")
		})
	}
	of := func(i int) domain.Key { return domain.Key(fmt.Sprintf("agreement-%d", i%200)) }
	measure("100 of an agreement", func(i int) int {
		c, err := m.Changes(ctx, projections.ChangeQuery{From: from, To: now, Agreement: of(i)})
		require.NoError(b, err)
		return len(c.Changes)
	})
	measure("of a project", func(i int) int {
		c, err := m.Changes(ctx, projections.ChangeQuery{From: from, To: now, Agreement: of(i), Project: "project-3"})
		require.NoError(b, err)
		return len(c.Changes)
	})
	measure("of a milestone", func(i int) int {
		c, err := m.Changes(ctx, projections.ChangeQuery{To: now, Agreement: of(i), Project: "project-3", Milestone: "milestone-4"})
		require.NoError(b, err)
		return len(c.Changes)
	})
	measure("milestones of a project, then", func(i int) int {
		items, _, err := m.Milestones(ctx, of(i), "project-3", from, projections.Page{})
		require.NoError(b, err)
		return len(items)
	})
	measure("200 agreements, then", func(i int) int {
		items, _, err := m.Agreements(ctx, from, projections.Page{Limit: 1000})
		require.NoError(b, err)
		return len(items)
	})
	measure("resolve an instant", func(i int) int {
		p, err := m.Resolve(ctx, projections.AsOf(epoch.Add(time.Duration(i%20_000)*time.Minute+time.Hour).Format(time.RFC3339)))
		require.NoError(b, err)
		return int(p.Seq)
	})
}

// BenchmarkEffective asks, of a real log, what is effective by a date: the first
// question of an agreement, which puts its events in order, and the second one.
func BenchmarkEffective(b *testing.B) {
	for name, log := range map[string]func() *memory{
		"1,000 events of 200,000": many,
		"50,000 events of 50,000": func() *memory { return synthetic(50_000, 1) },
	} {
		b.Run(name, func(b *testing.B) {
			store := written(b, log())
			m, err := projections.Open(context.Background(), projections.Options{Dir: b.TempDir(), Ledger: "test"})
			require.NoError(b, err)
			defer m.Close()
			_, err = m.Rebuild(context.Background(), store, nil)
			require.NoError(b, err)
			last, err := store.Last(context.Background())
			require.NoError(b, err)
			ask := func(seq uint64, date string) time.Duration {
				start := time.Now()
				at := projections.Point{Seq: seq, Day: day(date), Effective: day(date), Agreement: "agreement-0"}
				_, _, err := m.Milestones(context.Background(), at.Agreement, "project-3", at, projections.Page{})
				require.NoError(b, err)
				return time.Since(start)
			}
			size, err := m.TreeSize(context.Background(), "agreement-0", last)
			require.NoError(b, err)
			var first, second []time.Duration
			for seq := last; b.Loop(); seq -= 1000 { // each is another file
				first = append(first, ask(seq, "2024-07-15"))
				second = append(second, ask(seq, "2024-08-15"))
			}
			slices.Sort(first)
			slices.Sort(second)
			b.ReportMetric(float64(first[len(first)/2].Microseconds()), "first-us")
			b.ReportMetric(float64(second[len(second)/2].Microseconds()), "second-us")
			b.ReportMetric(float64(size)/first[len(first)/2].Seconds(), "events/s")
		})
	}
}

package projections_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/projections"
)

// benchViews are views of the synthetic ledger of 200 agreements.
func benchViews() map[string]projections.View {
	half := projections.View{}
	for a := range 100 {
		half.Agreements = append(half.Agreements, domain.Key(fmt.Sprintf("agreement-%d", a)))
	}
	restricted := projections.View{}
	for a := range 200 {
		restricted.Restricted = append(restricted.Restricted, projections.Restriction{Agreement: domain.Key(fmt.Sprintf("agreement-%d", a)), Project: "project-3"})
	}
	return map[string]projections.View{"one agreement": {Agreements: []domain.Key{"agreement-7"}}, "half": half, "a tenth restricted": restricted}
}

// BenchmarkView makes views of 200,000 events.
func BenchmarkView(b *testing.B) {
	log := many()
	for name, view := range benchViews() {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				m, err := projections.Open(context.Background(), projections.Options{Dir: b.TempDir(), Ledger: "test", View: &view})
				require.NoError(b, err)
				ctx, cancel := context.WithCancel(context.Background())
				ended := make(chan error, 1)
				start := time.Now()
				go func() { ended <- m.Follow(ctx, log) }()
				require.NoError(b, m.Wait(ctx, manyEvents))
				b.ReportMetric(time.Since(start).Seconds(), "s/view")
				cancel()
				require.NoError(b, <-ended)
				info, err := os.Stat(m.Dir() + "/read-v" + fmt.Sprint(projections.SchemaVersion) + "-000001.db")
				require.NoError(b, err)
				b.ReportMetric(float64(info.Size())/1e6, "MB")
				require.NoError(b, m.Close())
			}
		})
	}
}

// BenchmarkFollowedViews lets 10,000 events come, 100 at a time, to the main
// models and to views that are open beside them.
func BenchmarkFollowedViews(b *testing.B) {
	const before, come = 20_000, 10_000
	all := synthetic(before+come, 200)
	var views []projections.View
	for a := range 4 {
		views = append(views, projections.View{Restricted: []projections.Restriction{{Agreement: domain.Key(fmt.Sprintf("agreement-%d", a)), Project: "project-3"}}})
	}
	for _, n := range []int{0, 1, 4} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				log := all.until(before)
				main, err := projections.Open(context.Background(), projections.Options{Dir: b.TempDir(), Ledger: "test"})
				require.NoError(b, err)
				ctx, cancel := context.WithCancel(context.Background())
				ended := make(chan error, 1)
				go func() { ended <- main.Follow(ctx, log) }()
				require.NoError(b, main.Wait(ctx, before))
				v := projections.NewViews(main, log, projections.ViewsOptions{})
				models := []*projections.Models{main}
				for _, view := range views[:n] {
					m, err := v.Of(ctx, view)
					require.NoError(b, err)
					models = append(models, m)
				}
				start := time.Now()
				for i, r := range all.records[before:] {
					log.append(r.Subject, r.Data, 0)
					if i%100 < 99 {
						continue
					}
					for _, m := range models {
						require.NoError(b, m.Wait(ctx, r.Seq))
					}
				}
				b.ReportMetric(float64(time.Since(start).Microseconds())/come, "µs/event")
				require.NoError(b, v.Close())
				cancel()
				require.NoError(b, <-ended)
				require.NoError(b, main.Close())
			}
		})
	}
}

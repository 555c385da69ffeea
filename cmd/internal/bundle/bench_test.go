package bundle_test

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/bundle"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/domaintest"
	"github.com/milepost-ledger/milepost/domain/project"
)

// BenchmarkVerify verifies an agreement of 50,000 events: reforecasts of 5,000
// milestones in 500 projects.
func BenchmarkVerify(b *testing.B) {
	l := newLedger(b).given(domaintest.Active()...)
	const projects, milestones, rounds = 500, 10, 9
	on := domain.MustDate("2024-09-30")
	for p := range projects {
		id := project.ID{Agreement: "framework", Project: domain.Key(fmt.Sprint("p-", p))}
		l.record(id.Ref(), project.Proposed{ID: id, Title: domaintest.En("Project"), Kind: "town", Areas: []domain.Key{"iot"}})
		for m := range milestones {
			l.record(id.Ref(), project.MilestoneScheduled{MilestoneID: milestone(id, m), Title: domaintest.En("Milestone"), Due: on, Weight: 1,
				MilestoneType: "delivery", Confirming: []domain.Key{domaintest.City, domaintest.Group}})
		}
	}
	for round := range rounds {
		for p := range projects {
			id := project.ID{Agreement: "framework", Project: domain.Key(fmt.Sprint("p-", p))}
			for m := range milestones {
				l.record(id.Ref(), project.MilestoneReforecast{MilestoneID: milestone(id, m), Forecast: on + domain.Date(round)})
			}
		}
	}
	for name, of := range map[string]domain.Key{"agreement": "framework", "ledger": ""} {
		b.Run(name, func(b *testing.B) {
			file := l.bundled(of)
			b.SetBytes(int64(len(file)))
			b.ReportAllocs()
			for b.Loop() {
				r, err := bundle.Verify(context.Background(), bytes.NewReader(file), bundle.Options{})
				require.NoError(b, err)
				require.True(b, r.OK)
			}
			b.ReportMetric(float64(b.N)*float64(len(l.records))/b.Elapsed().Seconds(), "events/s")
		})
	}
}

func milestone(id project.ID, m int) project.MilestoneID {
	return project.MilestoneID{Agreement: id.Agreement, Project: id.Project, Milestone: domain.Key(fmt.Sprint("m-", m))}
}

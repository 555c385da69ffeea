package projections_test

import (
	"context"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/domaintest"
	"github.com/milepost-ledger/milepost/domain/project"
	"github.com/milepost-ledger/milepost/projections"
)

// What is due is what the lists have that is open, as of every sequence, whether it
// was asked for while the models followed or is read whole.
func TestDueIsWhatListsHave(t *testing.T) {
	domaintest.Check(t, 10, func(t *rapid.T) {
		// given a random history in two agreements
		l, log := inMemory(t)
		l.inTwoAgreements()
		l.wander(t, 60)
		until := func() domain.Date {
			if rapid.Bool().Draw(t, "everything") {
				return 0
			}
			return anyDay(t)
		}
		limit := func() int { return rapid.IntRange(1, 20).Draw(t, "limit") }
		// and read models that were asked while they followed it
		m, done := scratch(t)
		defer done()
		for seq := uint64(0); seq < l.seq; {
			seq = min(l.seq, seq+uint64(rapid.IntRange(1, 40).Draw(t, "chunk")))
			followTo(t, m, log, seq)
			requireDue(t, m, "", projections.Point{Seq: seq, Day: anyDay(t)}, until(), limit())
		}
		// then each point has what is in the lists
		for seq := range l.seq + 1 {
			at := projections.Point{Seq: seq, Day: anyDay(t)}
			requireDue(t, m, "", at, until(), limit())
			if _, err := m.Agreement(context.Background(), "framework", at); err == nil {
				requireDue(t, m, "framework", at, until(), limit())
			}
		}
		// and on the effective axis
		on := anyDay(t)
		at := projections.Point{Seq: l.seq, Day: on, Effective: on, Agreement: "framework"}
		if _, err := m.Agreement(context.Background(), "framework", at); err == nil {
			requireDue(t, m, "framework", at, until(), limit())
		}
	})
}

// So many milestones that they are in several blocks, which are met, due on other days
// and cancelled with their projects in no order, while others are scheduled; then
// most are met.
func TestDueOfManyMilestones(t *testing.T) {
	domaintest.Check(t, 2, func(t *rapid.T) {
		l, log := inMemory(t)
		of := func(a, p, m int) project.MilestoneID {
			return milestoneOf(domain.Key(fmt.Sprint("agreement-", a)), domain.Key(fmt.Sprint("project-", p)), domain.Key(fmt.Sprint("milestone-", m)))
		}
		anyOne := func(n int) project.MilestoneID {
			return of(rapid.IntRange(0, 1).Draw(t, "agreement"), rapid.IntRange(0, 2).Draw(t, "project"), rapid.IntRange(0, n).Draw(t, "milestone"))
		}
		due := func() domain.Date { return day("2024-07-01") + domain.Date(rapid.IntRange(0, 200).Draw(t, "due")) }
		begin := func(a, p int) {
			id := of(a, p, 0).Ref()
			l.record(id, project.Proposed{ID: project.ID{Agreement: id.Agreement, Project: id.Key}, Title: text("P"), Kind: "town"}, domain.Meta{})
		}
		for a := range 2 {
			id := agreement.ID{Agreement: of(a, 0, 0).Agreement}
			l.record(id.Ref(), agreement.Drafted{ID: id, Kind: "framework", Title: text("A"), Parties: []domain.Key{domaintest.City}}, domain.Meta{})
			for p := range 3 {
				begin(a, p)
			}
		}
		const milestones = 150
		for m := range milestones {
			for i := range 6 {
				id := of(i%2, i/2, m)
				d := due()
				l.record(id.Ref(), project.MilestoneScheduled{MilestoneID: id, Title: text("M"), Due: d, Weight: 1, Confirming: []domain.Key{domaintest.City}}, domain.Meta{})
			}
			for range 4 {
				switch id := anyOne(m); rapid.IntRange(0, 2).Draw(t, "what") {
				case 0:
					d := due()
					l.record(id.Ref(), project.MilestoneRescheduled{MilestoneID: id, Due: d, Forecast: d}, domain.Meta{})
				default:
					l.record(id.Ref(), project.MilestoneMet{MilestoneID: id, MetOn: day("2024-06-30")}, domain.Meta{})
				}
			}
		}
		for m := range milestones { // of whole blocks, nothing is left in the end
			for i := range 6 {
				if id := of(i%2, i/2, m); m%10 != 0 || i > 0 {
					l.record(id.Ref(), project.MilestoneMet{MilestoneID: id, MetOn: day("2024-06-30")}, domain.Meta{})
				}
			}
		}
		gone := anyOne(0)
		l.record(gone.Ref(), project.Cancelled{ID: project.ID{Agreement: gone.Agreement, Project: gone.Project}, On: day("2024-06-30")}, domain.Meta{})
		m, done := fresh(t, log)
		defer done()
		for i := range uint64(31) {
			at := projections.Point{Seq: l.seq * i / 30, Day: day("2024-07-01") + domain.Date(10*i)}
			requireDue(t, m, "", at, 0, 300)
			requireDue(t, m, "", at, due(), 37)
			if _, err := m.Agreement(context.Background(), "agreement-1", at); err == nil {
				requireDue(t, m, "agreement-1", at, due(), 1000)
			}
		}
	})
}

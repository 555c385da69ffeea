package projections_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/amendment"
	"github.com/milepost-ledger/milepost/domain/domaintest"
	"github.com/milepost-ledger/milepost/domain/indicator"
	"github.com/milepost-ledger/milepost/domain/meeting"
	"github.com/milepost-ledger/milepost/domain/party"
	"github.com/milepost-ledger/milepost/domain/project"
	"github.com/milepost-ledger/milepost/projections"
)

// awaits is what waits by the states of everything, written down as the rules
// are told and not as the read models keep it.
func awaits(w domaintest.World, party domain.Key, until domain.Date) (items []projections.Awaited) {
	for ref, state := range w {
		of := func(kind, part string, title domain.Text, due domain.Date) {
			items = append(items, projections.Awaited{Kind: kind, Agreement: ref.Agreement, Entity: ref.Path() + part, Title: title, Due: due})
		}
		switch s := state.(type) {
		case *agreement.State:
			signature, _ := s.Signatures.Get(party)
			if s.State == "under-consultation" && slices.Contains(s.Parties, party) && signature.Date == 0 {
				of("signature", "", s.Title, 0)
			}
			for key, o := range s.Obligations.All() {
				part := "/obligation/" + string(key)
				if o.Debtor == party && (o.State == "open" || o.State == "breached") {
					of("action", part, o.Title, o.Due)
				}
				if o.Beneficiary == party && o.State == "fulfilment-claimed" {
					of("confirmation", part, o.Title, o.Due)
				}
			}
		case *amendment.State:
			if s.State == "proposed" && slices.Contains(s.Parties, party) && !s.Signatures.Has(party) {
				of("signature", "", s.Title, 0)
			}
		case *meeting.State:
			if s.State == "held" && s.Minutes != "" && slices.Contains(s.Members, party) && !slices.Contains(s.ConfirmedBy, party) {
				of("confirmation", "", s.Title, 0)
			}
			for key, a := range s.Actions.All() {
				if a.Owner == party && a.State == "open" {
					of("action", "/action/"+string(key), a.Title, a.Due)
				}
			}
		case *project.State:
			if s.State == "closed" || s.State == "cancelled" {
				continue
			}
			for key, m := range s.Milestones.All() {
				part := "/milestone/" + string(key)
				if m.State == "achievement-claimed" && slices.Contains(m.Confirming, party) && !slices.Contains(m.ConfirmedBy, party) {
					of("confirmation", part, m.Title, m.Due)
				}
				underWay := s.State == "implementation" || s.State == "completion"
				if underWay && s.Lead == party && m.State == "scheduled" && m.Due <= until {
					of("action", part, m.Title, m.Due)
				}
			}
		case *indicator.State:
			for key, p := range s.Periods.All() {
				part := "/period/" + string(key)
				if s.Reporter == party && p.State == "planned" && (p.Target != "" || p.TargetText != nil) && p.End <= until {
					of("report", part, s.Title, p.End)
				}
				if s.Reporter == party && p.State == "returned" {
					of("report", part, s.Title, p.End)
				}
				if s.Verifier == party && p.State == "reported" {
					of("confirmation", part, s.Title, 0)
				}
			}
		}
	}
	return items
}

// never is later than any day that is asked for.
const never = domain.Date(1 << 30)

// awaitedAsOf is all that waits for a party after the first seq events, with
// the sequence since which it does.
func awaitedAsOf(events []happened, at projections.Point, party domain.Key, within int) []projections.Awaited {
	type name struct{ agreement, kind, entity any }
	nameOf := func(i projections.Awaited) name { return name{i.Agreement, i.Kind, i.Entity} }
	w, since := domaintest.World{}, map[name]uint64{}
	for n, e := range events[:at.Seq] {
		w.Evolve(e.ref, domain.On(e.ref, e.event))
		now := map[name]uint64{}
		for _, i := range awaits(w, party, never) {
			if now[nameOf(i)] = uint64(n + 1); since[nameOf(i)] != 0 {
				now[nameOf(i)] = since[nameOf(i)]
			}
		}
		since = now
	}
	items := awaits(w, party, at.Day+domain.Date(within))
	for i := range items {
		items[i].SinceSeq = since[nameOf(items[i])]
		items[i].Overdue = items[i].Due != 0 && items[i].Due < at.Day
	}
	return items
}

// urgency orders what waits: by day, what has none last, then by how long.
func urgency(a, b projections.Awaited) int {
	due := func(i projections.Awaited) domain.Date {
		if i.Due == 0 {
			return never
		}
		return i.Due
	}
	return cmp.Or(cmp.Compare(due(a), due(b)), cmp.Compare(a.SinceSeq, b.SinceSeq))
}

// waitsMove draws what makes things wait for others, more often than anything.
var waitsMove = rapid.OneOf(
	anything, domaintest.Obligations, domaintest.Meetings, domaintest.Indicators, domaintest.Amendments,
	rapid.Custom(func(t *rapid.T) domain.Command {
		return rapid.SampledFrom([]domain.Command{
			project.ChangeScope{ID: base, Lead: domaintest.City}, project.ChangeScope{ID: base, Lead: domaintest.Group}, project.Suspend{ID: base}, project.Resume{ID: base},
		}).Draw(t, "project")
	}),
)

// What waits for a party, as of any point, is what the states say, most urgent
// first, since the event that began it; page by page, nothing twice.
func TestAwaitingIsWhatTheStatesSay(t *testing.T) {
	kinds := map[string]int{}
	check(t, func(t *rapid.T) {
		// given a random history, and read models that followed it
		l, log := inMemory(t)
		l.wander(t, 0)
		l.do(project.ChangeScope{ID: base, Lead: domaintest.City})
		l.ask(t, waitsMove, 100)
		m, done := live(t, log)
		defer done()
		for range 3 {
			// when a party asks, as of some point
			at := projections.Point{Seq: uint64(rapid.IntRange(5, int(l.seq)).Draw(t, "as of")), Day: day("2024-01-01") + domain.Date(rapid.IntRange(0, 300).Draw(t, "day"))}
			who := rapid.SampledFrom([]domain.Key{domaintest.City, domaintest.Group}).Draw(t, "party")
			within := rapid.IntRange(0, 90).Draw(t, "within")
			page := projections.Page{Limit: rapid.IntRange(1, 5).Draw(t, "limit")}
			items := []projections.Awaited{}
			for {
				part, next, err := m.Awaiting(context.Background(), who, at, within, page)
				require.NoError(t, err)
				items = append(items, part...)
				if page.Cursor = next; next == "" {
					break
				}
			}
			// then
			require.ElementsMatch(t, linesOf(awaitedAsOf(l.events, at, who, within)), linesOf(items))
			require.True(t, slices.IsSortedFunc(items, urgency))
			for _, i := range items {
				kinds[i.Kind]++
				require.False(t, i.SinceAt.IsZero())
				require.Equal(t, domain.DateOf(i.SinceAt, time.UTC), i.Since)
			}
		}
	})
	for _, kind := range []string{"signature", "confirmation", "action", "report"} {
		domaintest.Reached(t, kinds[kind], kind)
	}
}

// linesOf is a line for each item.
func linesOf(items []projections.Awaited) (lines []string) {
	for _, i := range items {
		lines = append(lines, fmt.Sprintf("%s %s %s %v %s overdue=%v since=%d", i.Kind, i.Agreement, i.Entity, i.Title, i.Due, i.Overdue, i.SinceSeq))
	}
	return lines
}

// A list of what waits is found again from those that were written on the way,
// at every point; whoever follows writes the same as a load.
func TestAwaitingThroughManyChanges(t *testing.T) {
	// given 20 milestones that wait for one lead, then for the other, or for nobody
	l, log := inMemory(t)
	l.signed(framework)
	l.started(base)
	for i := range 20 {
		l.scheduled(domain.Key(fmt.Sprint("milestone-", i)), "2024-06-30", 1)
	}
	for range 3 {
		l.do(project.ChangeScope{ID: base, Lead: domaintest.Group})
		l.do(project.Suspend{ID: base}, domain.Meta{Reason: "talks"})
		l.do(project.Resume{ID: base})
		l.do(project.Reschedule{MilestoneID: milestone("milestone-7"), Due: day("2024-07-01") + domain.Date(l.seq), Decision: l.decided()}, domain.Meta{Reason: "scope-change"})
		l.do(project.ChangeScope{ID: base, Lead: domaintest.City})
	}
	followed := models(t, t.TempDir(), nil)
	for at := uint64(1); at <= l.seq; at += 7 { // it forgets everything in between
		stop := follow(t, followed, log.until(at))
		reach(t, followed, at)
		require.NoError(t, stop())
	}
	stop := follow(t, followed, log)
	reach(t, followed, l.seq)
	require.NoError(t, stop())
	loaded, done := fresh(t, log)
	defer done()
	assert.Equal(t, loaded.Position().Digest, followed.Position().Digest)
	for seq := uint64(3); seq <= l.seq; seq++ {
		at := projections.Point{Seq: seq, Day: day("2024-06-20")}
		for _, who := range []domain.Key{domaintest.City, domaintest.Group} {
			// when
			items, _, err := followed.Awaiting(t.Context(), who, at, 90, projections.Page{})
			// then
			require.NoError(t, err)
			require.ElementsMatch(t, linesOf(awaitedAsOf(l.events, at, who, 90)), linesOf(items), "%s as of %d", who, seq)
		}
	}
}

func TestAwaiting(t *testing.T) {
	// given a project with a milestone that is claimed, and one due later, that the city leads
	l, log := inMemory(t)
	l.signed(framework)
	l.started(base)
	l.scheduled("design", "2024-06-30", 1)
	l.scheduled("build", "2024-09-30", 1)
	l.do(project.Claim{MilestoneID: milestone("design"), Party: domaintest.Group, MetOn: day("2024-06-09")}, domain.Meta{Evidence: []domain.Hash{domaintest.File}})
	claimed := l.seq
	l.clock = l.clock.Add(24 * time.Hour)
	m := models(t, t.TempDir(), nil)
	follow(t, m, log)
	reach(t, m, l.seq)
	ask := func(party domain.Key, at projections.Point, within int) []projections.Awaited {
		items, next, err := m.Awaiting(t.Context(), party, at, within, projections.Page{})
		require.NoError(t, err)
		assert.Empty(t, next)
		return items
	}
	now := projections.Point{Seq: l.seq, Day: day("2024-07-02")}

	t.Run("a claim waits for who has to confirm it", func(t *testing.T) {
		assert.JSONEq(t, `[{"kind": "confirmation", "agreement": "framework", "entity": "project/iot-base/milestone/design",
			"title": {"en": "Milestone design"}, "due": "2024-06-30", "overdue": true, "since": "2024-06-10",
			"since_at": "2024-06-10T08:00:00Z", "since_seq": `+fmt.Sprint(claimed)+`}]`, toJSON(t, ask(domaintest.Group, now, 30)))
	})
	t.Run("the lead sees its milestones when they come near", func(t *testing.T) {
		assert.Len(t, ask(domaintest.City, now, 89), 1)
		items := ask(domaintest.City, now, 90)
		require.Len(t, items, 2)
		assert.Equal(t, [2]string{"action", "project/iot-base/milestone/build"}, [2]string{items[1].Kind, items[1].Entity})
	})
	t.Run("before the claim it waited for the lead", func(t *testing.T) {
		items := ask(domaintest.City, projections.Point{Seq: claimed - 1, Day: day("2024-06-10")}, 30)
		require.Len(t, items, 1)
		assert.Equal(t, [2]string{"action", "project/iot-base/milestone/design"}, [2]string{items[0].Kind, items[0].Entity})
		assert.Empty(t, ask(domaintest.Group, projections.Point{Seq: claimed - 1, Day: day("2024-06-10")}, 30))
	})
	t.Run("what was done waits no longer", func(t *testing.T) {
		reach(t, m, l.do(project.Confirm{MilestoneID: milestone("design"), Party: domaintest.Group}))
		assert.Empty(t, ask(domaintest.Group, projections.Point{Seq: l.seq, Day: now.Day}, 30))
	})
	t.Run("what is disputed and claimed anew waits since then", func(t *testing.T) {
		l.do(project.Dispute{MilestoneID: milestone("design"), Party: domaintest.City}, domain.Meta{Reason: "not seen"})
		again := l.do(project.Claim{MilestoneID: milestone("design"), Party: domaintest.Group, MetOn: day("2024-06-10")}, domain.Meta{Evidence: []domain.Hash{domaintest.File}})
		reach(t, m, again)
		items := ask(domaintest.Group, projections.Point{Seq: again, Day: now.Day}, 30)
		require.Len(t, items, 1)
		assert.Equal(t, again, items[0].SinceSeq)
		assert.Equal(t, day("2024-06-11"), items[0].Since)
	})
	t.Run("nobody knows a stranger", func(t *testing.T) {
		_, _, err := m.Awaiting(t.Context(), "nobody", now, 30, projections.Page{})
		var r *domain.Rejected
		require.ErrorAs(t, err, &r)
		assert.Equal(t, domain.CodeNotFound, r.Code)
		_, _, err = m.Awaiting(t.Context(), domaintest.City, now, -1, projections.Page{})
		require.ErrorAs(t, err, &r)
		assert.Equal(t, [2]string{projections.CodeInvalidWithin, "within"}, [2]string{r.Code, r.Field})
	})
}

// BenchmarkAwaiting asks what waits for a party that 20,000 milestones in 400
// projects once waited for; 19,000 are met, and 1,000 are claimed or to be done.
func BenchmarkAwaiting(b *testing.B) {
	l, log := inMemory(nobody{})
	meta := domain.Meta{Actor: "li.wei"}
	for _, p := range []domain.Key{domaintest.City, domaintest.Group} {
		l.record(party.Ref(p), party.Registered{Party: p, Title: text(string(p)), Kind: "other"}, meta)
	}
	l.record(framework.Ref(), agreement.Drafted{ID: framework, Kind: "framework", Title: text("F"), Parties: []domain.Key{domaintest.City, domaintest.Group}}, meta)
	for p := range 400 {
		id := project.ID{Agreement: framework.Agreement, Project: domain.Key(fmt.Sprintf("project-%d", p))}
		l.record(id.Ref(), project.Proposed{ID: id, Title: text("P"), Kind: "town", Lead: domaintest.City}, meta)
		l.record(id.Ref(), project.Started{ID: id, On: day("2024-01-01")}, meta)
		for k := range 50 {
			mid := project.MilestoneID{Agreement: id.Agreement, Project: id.Project, Milestone: domain.Key(fmt.Sprintf("milestone-%d", k))}
			l.record(id.Ref(), project.MilestoneScheduled{MilestoneID: mid, Title: text(fmt.Sprint("M ", k)), Due: day("2024-01-01") + domain.Date(p+k), Weight: 1, Confirming: []domain.Key{domaintest.City}}, meta)
			if p%20 == 0 {
				continue
			}
			l.record(id.Ref(), project.AchievementClaimed{MilestoneID: mid, Party: domaintest.Group, MetOn: day("2024-01-01")}, meta)
			l.record(id.Ref(), project.AchievementConfirmed{MilestoneID: mid, Party: domaintest.City}, meta)
			l.record(id.Ref(), project.MilestoneMet{MilestoneID: mid, MetOn: day("2024-01-01")}, meta)
		}
	}
	m, err := projections.Open(context.Background(), projections.Options{Dir: b.TempDir(), Ledger: "test"})
	require.NoError(b, err)
	defer m.Close()
	_, err = m.Rebuild(context.Background(), log, nil)
	require.NoError(b, err)
	now := projections.Point{Seq: l.seq, Day: day("2026-01-01")}
	b.ResetTimer()
	for b.Loop() {
		items, _, err := m.Awaiting(context.Background(), domaintest.City, now, 30, projections.Page{})
		require.NoError(b, err)
		require.Len(b, items, projections.DefaultLimit)
	}
}

package projections_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/domaintest"
	"github.com/milepost-ledger/milepost/domain/party"
	"github.com/milepost-ledger/milepost/domain/project"
	"github.com/milepost-ledger/milepost/projections"
)

// Net changes between two points are the difference of the states as of those
// two points: neither less nor more.
func TestNetChangesAreTheDifferenceOfTwoStates(t *testing.T) {
	check(t, func(t *rapid.T) {
		// given a random history and two points in it
		l, log := inMemory(t)
		l.wander(t, 60)
		m, done := live(t, log)
		defer done()
		one := projections.Point{Seq: uint64(rapid.IntRange(0, int(l.seq)).Draw(t, "from"))}
		two := projections.Point{Seq: uint64(rapid.IntRange(int(one.Seq), int(l.seq)).Draw(t, "to"))}
		// when
		net := map[string][2]string{}
		for _, c := range allChanges(t, m, projections.ChangeQuery{From: one, To: two, Net: true, Page: projections.Page{Limit: rapid.IntRange(1, 50).Draw(t, "limit")}}) {
			require.True(t, c.Seq > one.Seq && c.Seq <= two.Seq)
			require.NotEqual(t, string(c.Old), string(c.New))
			name := c.Agreement + ":" + c.Entity + "." + c.Field
			require.NotContains(t, net, name)
			net[name] = [2]string{jsonOr(c.Old), jsonOr(c.New)}
		}
		// then
		was, is := fieldsAsOf(t, m, one), fieldsAsOf(t, m, two)
		for name, value := range is {
			before, there := was[name]
			if !there && strings.HasSuffix(name, ".percent") { // it is not among those of a milestone that was met
				continue
			}
			change, moved := net[name]
			if value == before {
				require.Equal(t, change[0], change[1], name)
				continue
			}
			require.True(t, moved, name)
			require.Equal(t, [2]string{before, value}, change, name)
		}
	})
}

// crowd records n events of two agreements with two projects of three
// milestones each, without deciding. Some people, reasons and fields are
// common and some rare, so that lists of every length meet.
func (l *ledger) crowd(t *rapid.T, n int) {
	rare := func(name string, often ...string) string {
		return often[max(0, rapid.IntRange(-20, len(often)-1).Draw(t, name))]
	}
	var places []project.MilestoneID
	for _, a := range []domain.Key{"a", "b"} {
		for _, p := range []domain.Key{"p", "q"} {
			id := project.ID{Agreement: a, Project: p}
			l.record(id.Ref(), project.Proposed{ID: id, Title: text("P"), Kind: "town"}, domain.Meta{Actor: "ann"})
			for _, k := range []domain.Key{"one", "two", "three"} {
				place := project.MilestoneID{Agreement: a, Project: p, Milestone: k}
				l.record(id.Ref(), project.MilestoneScheduled{MilestoneID: place, Title: text("M"), Due: day("2025-01-01"), Weight: 1}, domain.Meta{Actor: "ann"})
				places = append(places, place)
			}
		}
	}
	l.record(party.Ref("wuxi"), party.Registered{Party: "wuxi", Title: text("Wuxi"), Kind: "other"}, domain.Meta{Actor: "ann"})
	for range n {
		l.clock = l.clock.Add(time.Hour)
		meta := domain.Meta{
			Actor: rare("actor", "ann", "bob", "cyd"), ActingFor: domain.Key(rare("party", "", "wuxi", "cethik")),
			Reason: rare("reason", "supplier-delay", "", "other"), Note: "a note",
			Effective: domain.DateOf(l.clock, time.UTC) - domain.Date(max(0, rapid.IntRange(-20, 3).Draw(t, "days late"))),
		}
		if rapid.IntRange(0, 15).Draw(t, "correction") == 15 {
			meta.Corrects = eventID(uint64(rapid.IntRange(1, int(l.seq)+1).Draw(t, "corrects"))) // the last is not there yet, and is itself
		}
		at := places[max(0, rapid.IntRange(-20, len(places)-1).Draw(t, "place"))]
		id := project.ID{Agreement: at.Agreement, Project: at.Project}
		switch rare("what", "forecast", "percent", "state", "baseline") {
		case "forecast":
			l.record(at.Ref(), project.MilestoneReforecast{MilestoneID: at, Forecast: day("2025-01-01") + domain.Date(rapid.IntRange(0, 5).Draw(t, "days"))}, meta)
		case "percent":
			l.record(at.Ref(), project.ProgressReported{MilestoneID: at, Percent: rapid.IntRange(0, 5).Draw(t, "percent")}, meta)
		case "state":
			l.record(at.Ref(), project.Suspended{ID: id}, meta)
		case "baseline":
			e := project.BaselineApproved{ID: id, Number: int(l.seq)}
			for _, k := range []domain.Key{"one", "two", "three"} {
				e.Milestones = append(e.Milestones, project.Frozen{Milestone: k, Due: day("2025-01-01"), Weight: 1})
			}
			l.record(at.Ref(), e, meta)
		}
	}
}

// condition is a condition of a question: how it is asked, what meets it, and
// in how many lists that is.
type condition struct {
	name    string
	ask     func(q *projections.ChangeQuery)
	meets   func(c *projections.Change) bool
	lists   int
	changes bool // they are of changes and not of events
}

// eventsAsChanges are the events of the register, those that changed nothing
// too, with what a condition looks at.
func eventsAsChanges(t tb, m *projections.Models) (events []projections.Change) {
	t.Helper()
	items, _, err := m.Events(context.Background(), projections.EventQuery{Page: projections.Page{Limit: projections.MaxLimit}})
	require.NoError(t, err)
	for _, e := range items {
		events = append(events, projections.Change{
			Seq: e.Seq, Type: e.Type, Agreement: e.Agreement, Entity: e.Aggregate, Actor: e.Actor, Party: e.Party,
			Reason: e.Reason, Corrects: e.Corrects, Effective: e.Effective, RecordedAt: e.RecordedAt,
		})
	}
	return events
}

// conditionsOf are the conditions that a history can be asked with.
func conditionsOf(t *rapid.T, l *ledger, all []projections.Change) []condition {
	sample := rapid.SampledFrom(all).Draw(t, "like")
	project, _, _ := strings.Cut(strings.TrimPrefix(sample.Entity, "project/"), "/")
	project = "project/" + project
	if !strings.HasPrefix(sample.Entity, "project/") {
		project = sample.Entity
	}
	of := func(c *projections.Change) bool { return c.Agreement == sample.Agreement }
	fields := map[string]bool{}
	for _, c := range all {
		if of(&c) && c.Entity == sample.Entity {
			fields[c.Field] = true
		}
	}
	entity := func(path string, own bool) func(q *projections.ChangeQuery) {
		return func(q *projections.ChangeQuery) {
			q.Agreement, q.Entity, q.Own = domain.Key(sample.Agreement), path, own
		}
	}
	type query = projections.ChangeQuery
	type change = projections.Change
	where := []condition{
		{"aggregate", entity(project, false), func(c *change) bool {
			return of(c) && (c.Entity == project || strings.HasPrefix(c.Entity, project+"/"))
		}, 1, false},
		{"entity", entity(sample.Entity, true), func(c *change) bool { return of(c) && c.Entity == sample.Entity }, len(fields), true},
		{"none", func(*query) {}, nil, 0, false},
	}
	if sample.Agreement != "" {
		where = append(where, condition{"agreement", func(q *query) { q.Agreement = domain.Key(sample.Agreement) }, of, 1, false})
	}
	field := condition{"field", func(q *query) { q.Field = sample.Field }, func(c *change) bool { return c.Field == sample.Field }, 1, true}
	chosen := []condition{rapid.SampledFrom(where).Draw(t, "where")}
	if rapid.Bool().Draw(t, "field") {
		if chosen[0].name == "entity" { // one list of both
			meets := chosen[0].meets
			chosen[0].ask, chosen[0].lists = func(q *query) { entity(sample.Entity, true)(q); q.Field = sample.Field }, 1
			chosen[0].meets = func(c *change) bool { return meets(c) && c.Field == sample.Field }
		} else {
			chosen = append(chosen, field)
		}
	}
	for _, c := range []condition{
		{"actor", func(q *query) { q.Actor = sample.Actor }, func(c *change) bool { return c.Actor == sample.Actor }, 1, false},
		{"party", func(q *query) { q.Party = "cethik" }, func(c *change) bool { return c.Party == "cethik" }, 1, false},
		{"type", func(q *query) { q.Type = sample.Type }, func(c *change) bool { return c.Type == sample.Type }, 1, false},
		{"reason", func(q *query) { q.Reason = "other" }, func(c *change) bool { return c.Reason == "other" }, 1, false},
		{"backdated", func(q *query) { q.Backdated = true }, func(c *change) bool { return c.Effective < domain.DateOf(c.RecordedAt, time.UTC) }, 1, false},
		{"corrections", func(q *query) { q.Corrections = true }, func(c *change) bool { return c.Corrects != "" }, 1, false},
	} {
		if rapid.IntRange(0, 2).Draw(t, c.name) == 0 {
			chosen = append(chosen, c)
		}
	}
	return slices.DeleteFunc(chosen, func(c condition) bool { return c.meets == nil })
}

// Any question about changes gives what a search through all of them gives,
// and comes to no more rows than the shortest of its lists has, times the
// lists: however many the longest has.
func TestChangesCostWhatTheirShortestListHas(t *testing.T) {
	check(t, func(t *rapid.T) {
		// given a random history with all its changes
		l, log := inMemory(t)
		l.crowd(t, rapid.IntRange(50, 300).Draw(t, "events"))
		m, done := fresh(t, log)
		defer done()
		end := projections.Point{Seq: l.seq}
		all := allChanges(t, m, projections.ChangeQuery{To: end, Page: projections.Page{Limit: 1000}})
		events := eventsAsChanges(t, m)
		for range 10 {
			// when it is asked something
			q := projections.ChangeQuery{Page: projections.Page{Limit: projections.MaxLimit}}
			q.From.Seq = uint64(rapid.IntRange(0, int(l.seq)).Draw(t, "from"))
			q.To.Seq = uint64(rapid.IntRange(int(q.From.Seq), int(l.seq)).Draw(t, "to"))
			conditions := conditionsOf(t, l, all)
			lists, shortest := 0, len(events)
			for _, c := range conditions {
				c.ask(&q)
				lists += c.lists
				list := events
				if c.changes {
					list = all
				}
				length := 0
				for _, x := range list {
					length += btoi(x.Seq > q.From.Seq && x.Seq <= q.To.Seq && c.meets(&x))
				}
				shortest = min(shortest, length)
			}
			var want []projections.Change
			for _, x := range all {
				if x.Seq > q.From.Seq && x.Seq <= q.To.Seq && !slices.ContainsFunc(conditions, func(c condition) bool { return !c.meets(&x) }) {
					want = append(want, x)
				}
			}
			answer, err := m.Changes(context.Background(), q)
			require.NoError(t, err)
			// then it answers what a search through all would, at the cost of its lists
			require.True(t, answer.Complete)
			if len(want) == 0 {
				require.Empty(t, answer.Changes)
			} else {
				require.Equal(t, want, answer.Changes)
			}
			// each change of the answer, the row after it, and what its event corrects
			cost := max(1, lists)*(shortest+2) + 3*len(want)
			require.LessOrEqual(t, answer.Visited(), cost, "%d lists, the shortest of %d, %d changes", lists, shortest, len(want))

			// and in net mode the same, by field
			q.Net = true
			got := allChanges(t, m, q)
			require.Equal(t, netOf(all, want, q), got)
		}
	})
}

// netOf collapses the changes that were asked for.
func netOf(all, asked []projections.Change, q projections.ChangeQuery) (net []projections.Change) {
	name := func(c *projections.Change) string { return c.Agreement + ":" + c.Entity + "." + c.Field }
	lines := map[string]*projections.Change{}
	var order []string
	for _, c := range asked {
		moves := 1
		if l := lines[name(&c)]; l != nil {
			moves = l.Moves + 1
		} else {
			order = append(order, name(&c))
		}
		c.Moves = moves
		lines[name(&c)] = &c
	}
	for _, n := range order {
		l := lines[n]
		first := true
		for _, c := range all {
			if c.Seq > q.From.Seq && c.Seq <= q.To.Seq && name(&c) == n {
				if first {
					l.Old, first = c.Old, false
				}
				l.New = c.New
			}
		}
		l.Op = "replace"
		if l.Old == nil {
			l.Op = "add"
		}
		if l.New == nil {
			l.Op = "remove"
		}
		if string(l.Old) != string(l.New) {
			net = append(net, *l)
		}
	}
	return net
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// What a question costs does not grow with the log around its answer.
func TestChangesCostTheSameInALongLog(t *testing.T) {
	// given few events of somebody, for a reason, between many of others; and an
	// event that changes hundreds of fields
	cost := func(noise int) map[string]int {
		l, log := inMemory(t)
		id := project.ID{Agreement: "a", Project: "p"}
		baseline := project.BaselineApproved{ID: id, Number: 1}
		place := func(k int) project.MilestoneID {
			return project.MilestoneID{Agreement: "a", Project: "p", Milestone: domain.Key(fmt.Sprintf("m-%d", k))}
		}
		for k := range 300 {
			l.record(id.Ref(), project.MilestoneScheduled{MilestoneID: place(k), Title: text("M"), Due: day("2025-01-01"), Weight: 1}, domain.Meta{Actor: "ann"})
			baseline.Milestones = append(baseline.Milestones, project.Frozen{Milestone: place(k).Milestone, Due: day("2025-01-01"), Weight: 1})
		}
		l.record(id.Ref(), baseline, domain.Meta{Actor: "ann"})
		for i := range 5 {
			for k := range noise {
				e := project.MilestoneReforecast{MilestoneID: place(1 + k%299), Forecast: day("2025-01-01") + domain.Date(i*noise+k)}
				l.record(id.Ref(), e, domain.Meta{Actor: "ann", Reason: "supplier-delay", ActingFor: domaintest.City})
			}
			e := project.MilestoneReforecast{MilestoneID: place(0), Forecast: day("2025-01-01") + domain.Date(i+1)}
			l.record(id.Ref(), e, domain.Meta{Actor: "bob", Reason: "correction", ActingFor: domaintest.Group, Corrects: eventID(1), Effective: day("2024-06-01")})
		}
		m, done := fresh(t, log)
		defer done()
		visited := map[string]int{}
		for name, q := range map[string]projections.ChangeQuery{
			"actor": {Actor: "bob"}, "party": {Party: domaintest.Group}, "reason": {Reason: "correction"}, "backdated": {Backdated: true},
			"corrections": {Corrections: true}, "entity": {Agreement: "a", Entity: "project/p/milestone/m-0"},
			"one field of an event of many":        {Agreement: "a", Entity: "project/p/milestone/m-0", Field: "baseline"},
			"a rare actor of a common agreement":   {Agreement: "a", Actor: "bob"},
			"a rare actor and a common field":      {Actor: "bob", Field: "forecast"},
			"an entity and a common field and all": {Agreement: "a", Entity: "project/p", Field: "forecast", Actor: "bob", Type: "milepost.project.milestone-reforecast.v1", Corrections: true, Backdated: true},
			"an actor without this party":          {Actor: "bob", Party: domaintest.City},
			"an actor who never said this":         {Actor: "bob", Field: "weight"},
			"nobody":                               {Actor: "nobody", Agreement: "a"},
			"net":                                  {Agreement: "a", Actor: "bob", Net: true},
			"one page":                             {Agreement: "a", Field: "forecast", Page: projections.Page{Limit: 5}},
		} {
			q.To.Seq = l.seq
			answer, err := m.Changes(t.Context(), q)
			require.NoError(t, err)
			visited[name] = answer.Visited()
		}
		return visited
	}
	// when
	short, long := cost(10), cost(400)
	// then
	for name, n := range short {
		assert.LessOrEqual(t, n, 60, name)
		assert.LessOrEqual(t, long[name], n+5, name)
	}
}

// Each list is walked along its index and in its order: nothing is sorted or
// searched through, of which the rows visited would not tell.
func TestChangesWalkTheirIndexes(t *testing.T) {
	l, log := inMemory(t)
	l.corrected()
	m, done := fresh(t, log)
	defer done()
	build := projections.ChangeQuery{Agreement: "framework", Entity: "project/iot-base/milestone/build"}
	field := build
	field.Field = "forecast"
	for name, q := range map[string]projections.ChangeQuery{
		"everything": {}, "agreement": {Agreement: "framework"}, "aggregate": {Agreement: "framework", Entity: "project/iot-base"}, "part": build,
		"field of a part": field, "field": {Field: "title"}, "actor": {Actor: "li.wei"}, "party": {Party: "wuxi"}, "reason": {Reason: "other"},
		"type": {Type: "milepost.project.approved.v1"}, "backdated": {Backdated: true}, "corrections": {Corrections: true},
		"several": {
			Agreement: "framework", Field: "forecast", Actor: "li.wei", Party: "wuxi", Reason: "correction",
			Type: "milepost.project.milestone-reforecast.v1", Backdated: true, Corrections: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			q.To.Seq = l.seq
			plans, err := m.Plans(t.Context(), q)
			require.NoError(t, err)
			require.NotEmpty(t, plans)
			for _, step := range plans {
				assert.Regexp(t, `^SEARCH . USING (COVERING )?(INDEX|INTEGER PRIMARY KEY) `, step)
			}
		})
	}
}

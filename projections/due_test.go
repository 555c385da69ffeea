package projections_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/domaintest"
	"github.com/milepost-ledger/milepost/domain/project"
	"github.com/milepost-ledger/milepost/projections"
)

// openOf is what Due lists, made of the lists of agreements, projects and
// milestones.
func openOf(t tb, m *projections.Models, key domain.Key, at projections.Point, until domain.Date) (items []projections.DueMilestone) {
	t.Helper()
	ctx, page := context.Background(), projections.Page{Limit: 1000}
	var agreements []projections.Agreement
	var err error
	if key == "" {
		agreements, _, err = m.Agreements(ctx, at, page)
	} else {
		agreements = make([]projections.Agreement, 1)
		agreements[0], err = m.Agreement(ctx, key, at)
	}
	require.NoError(t, err)
	for _, a := range agreements {
		projects, _, err := m.Projects(ctx, a.Agreement, at, page)
		require.NoError(t, err)
		var first domain.Date
		for _, p := range projects {
			if p.State == "closed" || p.State == "cancelled" {
				require.Zero(t, p.NextDue)
				continue
			}
			milestones, _, err := m.Milestones(ctx, a.Agreement, p.Project, at, page)
			require.NoError(t, err)
			for _, i := range milestones {
				if i.State != "scheduled" && i.State != "achievement-claimed" || i.Due == 0 { // on the effective axis, before it is scheduled
					continue
				}
				if first == 0 || i.Due < first {
					first = i.Due
				}
				if until == 0 || i.Due <= until {
					items = append(items, projections.DueMilestone{
						Agreement: a.Agreement, AgreementTitle: a.Title, Project: p.Project, ProjectTitle: p.Title, Milestone: i.Milestone, Title: i.Title,
						Due: i.Due, Forecast: i.Forecast, SlipDays: i.SlipDays, RAG: i.RAG, Overdue: i.Overdue, State: i.State,
					})
				}
			}
		}
		require.Equal(t, first, a.NextDue)
	}
	slices.SortStableFunc(items, func(a, b projections.DueMilestone) int { return cmp.Compare(a.Due, b.Due) })
	return items
}

// requireDue requires that Due lists what is open, in one piece and in pages.
func requireDue(t tb, m *projections.Models, of domain.Key, at projections.Point, until domain.Date, limit int) {
	t.Helper()
	want := openOf(t, m, of, at, until)
	var got []projections.DueMilestone
	for page := (projections.Page{Limit: limit}); ; {
		items, next, err := m.Due(context.Background(), of, at, until, page)
		require.NoError(t, err)
		got = append(got, items...)
		if page.Cursor = next; next == "" {
			break
		}
	}
	require.Equal(t, want, got)
	requireDueAround(t, m, of, at, limit)
}

// requireDueAround requires that DueAround says of what is open what is overdue, and
// the first of that and of the rest.
func requireDueAround(t tb, m *projections.Models, of domain.Key, at projections.Point, limit int) {
	t.Helper()
	want := projections.DueAround{Overdue: []projections.DueMilestone{}, Coming: []projections.DueMilestone{}}
	for _, i := range openOf(t, m, of, at, 0) {
		if i.Overdue {
			want.Late++
			want.Overdue = append(want.Overdue, i)
		} else {
			want.Coming = append(want.Coming, i)
		}
	}
	want.Overdue, want.Coming = want.Overdue[:min(limit, len(want.Overdue))], want.Coming[:min(limit+1, len(want.Coming))]
	got, err := m.DueAround(context.Background(), of, at, limit, limit+1)
	require.NoError(t, err)
	require.Equal(t, want, got)
}

// inTwoAgreements is two agreements with two projects each, of which milestones
// are due on days that lie between those of the others, and some on the same.
func (l *ledger) inTwoAgreements() {
	for a, of := range []agreement.ID{framework, {Agreement: "second"}} {
		l.signed(of)
		for p := range 2 {
			id := project.ID{Agreement: of.Agreement, Project: domain.Key(fmt.Sprint("p", p))}
			l.started(id)
			for i := range 3 {
				l.do(project.Schedule{
					ID: id, Milestone: domain.Key(fmt.Sprint("m", i)), Title: text(fmt.Sprint("M", i)), Due: day("2024-07-01") + domain.Date(10*i+3*p+a*(1-p)),
					Confirming: []domain.Key{"wuxi"},
				})
			}
		}
	}
}

// What is due on the same day is in the order in which agreements and projects were
// begun, and milestones scheduled, whatever of it was written first.
func TestDueOnOneDay(t *testing.T) {
	l, log := inMemory(t)
	for _, of := range []domain.Key{"a", "b"} {
		l.signed(agreement.ID{Agreement: of})
	}
	for _, id := range []project.ID{{Agreement: "b", Project: "p0"}, {Agreement: "a", Project: "p0"}, {Agreement: "a", Project: "p1"}} {
		l.started(id)
	}
	var want []string
	for _, place := range []string{"b/p0", "a/p1", "a/p0"} {
		of, key, _ := strings.Cut(place, "/")
		for i := range 12 {
			m := fmt.Sprint("m", i*7%12)
			l.do(project.Schedule{ID: project.ID{Agreement: domain.Key(of), Project: domain.Key(key)}, Milestone: domain.Key(m), Title: text("M"), Due: day("2024-07-01"), Confirming: []domain.Key{"wuxi"}})
			want = append(want, place+"/"+m)
		}
	}
	want = slices.Concat(want[24:], want[12:24], want[:12])
	m := models(t, t.TempDir(), at("2024-06-11"))
	_, err := m.Rebuild(t.Context(), log, nil)
	require.NoError(t, err)
	items, _, err := m.Due(t.Context(), "", projections.Point{Seq: l.seq, Day: day("2024-06-11")}, 0, projections.Page{})
	require.NoError(t, err)
	var got []string
	for _, i := range items {
		got = append(got, fmt.Sprintf("%s/%s/%s", i.Agreement, i.Project, i.Milestone))
	}
	require.Equal(t, want, got)
}

// claimedMetAndCancelled claims two of the milestones that inTwoAgreements makes, has
// the first of them met, and cancels a third.
func (l *ledger) claimedMetAndCancelled() {
	for _, m := range []domain.Key{"m0", "m1"} {
		l.do(project.Claim{MilestoneID: milestoneOf("framework", "p0", m), Party: "cethik", MetOn: day("2024-06-09")}, domain.Meta{Evidence: []domain.Hash{domaintest.File}})
	}
	l.do(project.Confirm{MilestoneID: milestoneOf("framework", "p0", "m0"), Party: "wuxi"})
	l.do(project.CancelMilestone{MilestoneID: milestoneOf("framework", "p1", "m0")}, domain.Meta{Reason: "no"})
}

func milestoneOf(a, p, m domain.Key) project.MilestoneID {
	return project.MilestoneID{Agreement: a, Project: p, Milestone: m}
}

func TestDueIsInTheOrderOfDates(t *testing.T) {
	l, log := inMemory(t)
	l.inTwoAgreements()
	begun := l.seq
	// given that one is claimed, one met, one cancelled, one rescheduled, and a project cancelled
	l.claimedMetAndCancelled()
	l.do(project.Reforecast{MilestoneID: milestoneOf("second", "p0", "m1"), Forecast: day("2024-09-01")}, domain.Meta{Reason: "supplier-delay"})
	cancelled := l.seq
	l.do(project.Cancel{ID: project.ID{Agreement: "second", Project: "p1"}}, domain.Meta{Reason: "no"})
	m := models(t, t.TempDir(), at("2024-06-11"))
	_, err := m.Rebuild(t.Context(), log, nil)
	require.NoError(t, err)

	on := func(seq uint64) projections.Point { return projections.Point{Seq: seq, Day: day("2024-07-12")} }
	list := func(of domain.Key, at projections.Point, until domain.Date) (list []string) {
		items, next, err := m.Due(t.Context(), of, at, until, projections.Page{})
		require.NoError(t, err)
		require.Empty(t, next)
		for _, i := range items {
			list = append(list, fmt.Sprintf("%s %s/%s/%s", i.Due.String()[5:], i.Agreement, i.Project, i.Milestone))
		}
		return list
	}
	// then as of any point they are in the order of dates, and where those are the same, of what was begun first
	assert.Equal(t, []string{
		"07-01 framework/p0/m0", "07-02 second/p0/m0", "07-04 framework/p1/m0", "07-04 second/p1/m0",
		"07-11 framework/p0/m1", "07-12 second/p0/m1", "07-14 framework/p1/m1", "07-14 second/p1/m1",
		"07-21 framework/p0/m2", "07-22 second/p0/m2", "07-24 framework/p1/m2", "07-24 second/p1/m2",
	}, list("", on(begun), 0))
	assert.Equal(t, []string{"07-02 second/p0/m0", "07-12 second/p0/m1", "07-22 second/p0/m2"}, list("second", on(l.seq), 0))
	assert.Equal(t, []string{"07-01 framework/p0/m0", "07-02 second/p0/m0"}, list("", on(begun), day("2024-07-02")))
	assert.Equal(t, []string{"07-02 second/p0/m0", "07-11 framework/p0/m1", "07-12 second/p0/m1", "07-14 framework/p1/m1"}, list("", on(l.seq), day("2024-07-20")))
	for seq := range l.seq + 1 {
		requireDue(t, m, "", on(seq), day("2024-07-21"), 2)
	}
	assert.Equal(t, []string{"07-02 second/p0/m0", "07-04 second/p1/m0", "07-11 framework/p0/m1", "07-12 second/p0/m1"}, list("", on(cancelled), day("2024-07-13")))

	// and each says what a list needs
	items, _, err := m.Due(t.Context(), "second", on(l.seq), 0, projections.Page{Limit: 2})
	require.NoError(t, err)
	assert.Equal(t, projections.DueMilestone{
		Agreement: "second", AgreementTitle: text("Framework"), Project: "p0", ProjectTitle: text("IoT base"), Milestone: "m1", Title: text("M1"),
		Due: day("2024-07-12"), Forecast: day("2024-09-01"), RAG: "red", State: "scheduled",
	}, items[1])
	assert.True(t, items[0].Overdue)

	_, _, err = m.Due(t.Context(), "nobody", on(l.seq), 0, projections.Page{})
	requireRefused(t, err, domain.CodeNotFound)
	_, next, err := m.Due(t.Context(), "", on(l.seq), 0, projections.Page{Limit: 2})
	require.NoError(t, err)
	_, _, err = m.Due(t.Context(), "second", on(l.seq), 0, projections.Page{Cursor: next})
	requireRefused(t, err, projections.CodeInvalidCursor)
}

// Who reads on and fails throws away what was read; never from under another.
func TestWhatIsCountedIsHeldWhileItIsLookedAt(t *testing.T) {
	l, log := inMemory(t)
	l.inTwoAgreements()
	m := models(t, t.TempDir(), nil)
	_, err := m.Rebuild(t.Context(), log, nil)
	require.NoError(t, err)
	for range 2 { // read, and read before
		held, err := m.HoldsWhatItRead(t.Context())
		require.NoError(t, err)
		require.True(t, held)
	}
}

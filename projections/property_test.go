package projections_test

import (
	"context"
	"encoding/json"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/domaintest"
	"github.com/milepost-ledger/milepost/domain/meeting"
	"github.com/milepost-ledger/milepost/domain/project"
	"github.com/milepost-ledger/milepost/projections"
)

// scratch opens read models that there are none of yet, until done.
func scratch(t tb) (m *projections.Models, done func()) {
	t.Helper()
	dir, err := os.MkdirTemp("", "read-models-")
	require.NoError(t, err)
	m, err = projections.Open(context.Background(), projections.Options{Dir: dir, Ledger: "test"})
	require.NoError(t, err)
	return m, func() {
		require.NoError(t, m.Close())
		require.NoError(t, os.RemoveAll(dir))
	}
}

// fresh makes read models from log in one go.
func fresh(t tb, log projections.Log) (m *projections.Models, done func()) {
	t.Helper()
	m, done = scratch(t)
	_, err := m.Rebuild(context.Background(), log, nil)
	require.NoError(t, err)
	return m, done
}

// digestOf is the digest of read models made from log in one go.
func digestOf(t tb, log *memory) string {
	t.Helper()
	m, done := fresh(t, log)
	defer done()
	return m.Position().Digest
}

// anything draws commands of every kind about a few aggregates, which the
// fixtures of domaintest begin.
var anything = rapid.OneOf(
	domaintest.Commands, domaintest.Commands, domaintest.Commands, domaintest.Funds, domaintest.Indicators,
	domaintest.Meetings, domaintest.Mechanisms, domaintest.Obligations, domaintest.Amendments, domaintest.Keys, domaintest.Access,
)

// wander lets an agreement be in effect, with a project, a fund and an
// indicator under it, and asks n random commands.
func (l *ledger) wander(t *rapid.T, n int) {
	l.given(domaintest.Funded()...)
	l.given(domaintest.Measured()[len(domaintest.Running()):]...)
	l.do(agreement.EstablishMechanism{
		ID: framework, Mechanism: "coordination", Kind: "coordination", Title: text("Coordination"), Cadence: "quarterly",
		Members: []domain.Key{domaintest.City, domaintest.Group},
	})
	l.do(meeting.Schedule{Agreement: framework.Agreement, Meeting: "m-1", Mechanism: "coordination", Title: text("Spring"), On: day("2024-06-10")})
	l.ask(t, anything, n)
}

// ask asks n random commands. Refused ones leave no trace.
func (l *ledger) ask(t *rapid.T, commands *rapid.Generator[domain.Command], n int) {
	for range n {
		l.clock = l.clock.Add(time.Duration(rapid.IntRange(-600, 3000).Draw(t, "minutes")) * time.Minute)
		meta := domain.Meta{
			Actor:  rapid.SampledFrom([]string{"li.wei", "wang.fang"}).Draw(t, "actor"),
			Reason: rapid.SampledFrom([]string{"scope-change", "supplier-delay", "correction"}).Draw(t, "reason"), Note: "a note",
			Evidence: []domain.Hash{domaintest.File},
		}
		if rapid.IntRange(0, 4).Draw(t, "correction") == 4 {
			meta.Corrects = "01900000-0000-7000-8000-000000000001"
		}
		if rapid.IntRange(0, 2).Draw(t, "dated") == 2 { // it holds from another day on than the one it is recorded on
			meta.Effective = domain.DateOf(l.clock, time.UTC) + domain.Date(rapid.IntRange(-60, 30).Draw(t, "effective"))
		}
		_, _ = l.try(commands.Draw(t, "command"), meta)
	}
}

// everything is all that the read models answer as of a point, as JSON.
func everything(t tb, m *projections.Models, at projections.Point) map[string]string {
	t.Helper()
	ctx, all := context.Background(), map[string]string{}
	put := func(name string, v any, err error) {
		t.Helper()
		require.NoError(t, err)
		b, err := json.Marshal(v)
		require.NoError(t, err)
		all[name] = string(b)
	}
	parties, _, err := m.Parties(ctx, at, projections.Page{})
	put("parties", parties, err)
	agreements, _, err := m.Agreements(ctx, at, projections.Page{})
	put("agreements", agreements, err)
	due, _, err := m.Due(ctx, "", at, 0, projections.Page{})
	put("due", due, err)
	portfolio, err := m.Portfolio(ctx, "", at)
	put("portfolio", portfolio, err)
	keyring, err := m.Keyring(ctx, at)
	put("keyring", keyring, err)
	for _, a := range agreements {
		everythingUnder(ctx, m, a.Agreement, at, func(what string, v any, err error) { put(what+" of "+string(a.Agreement), v, err) })
	}
	for _, p := range parties {
		awaited, _, err := m.Awaiting(ctx, p.Party, at, 60, projections.Page{})
		put("awaiting "+string(p.Party), awaited, err)
	}
	return all
}

// everythingUnder puts all that the read models answer of an agreement and what
// is below it.
func everythingUnder(ctx context.Context, m *projections.Models, of domain.Key, at projections.Point, put func(string, any, error)) {
	page := projections.Page{}
	a, err := m.Agreement(ctx, of, at)
	put("agreement", a, err)
	pace, err := m.Pace(ctx, of, at)
	put("pace", pace, err)
	curve, err := m.SCurve(ctx, of, "", at)
	put("s-curve", curve.Items, err)
	due, _, err := m.Due(ctx, of, at, 0, page)
	put("due", due, err)
	portfolio, err := m.Portfolio(ctx, of, at)
	put("portfolio", portfolio.Items, err)
	projects, _, err := m.Projects(ctx, of, at, page)
	put("projects", projects, err)
	for _, p := range projects {
		put := func(what string, v any, err error) { put(what+" of "+string(p.Project), v, err) }
		milestones, _, err := m.Milestones(ctx, of, p.Project, at, page)
		put("milestones", milestones, err)
		gates, _, err := m.Gates(ctx, of, p.Project, at, page)
		put("gates", gates, err)
		trend, _, err := m.Trend(ctx, of, p.Project, at, page)
		put("trend", trend, err)
		curve, err := m.SCurve(ctx, of, p.Project, at)
		put("s-curve", curve.Items, err)
		for _, i := range milestones {
			if i.State == project.Scheduled {
				impact, err := m.Impact(ctx, of, p.Project, i.Milestone, i.Forecast+30, at)
				put("impact of "+string(i.Milestone), impact.Items, err)
			}
		}
	}
	cooperation(ctx, m, of, at, put)
	results(ctx, m, of, at, put)
}

// cooperation puts what an agreement's parties do together.
func cooperation(ctx context.Context, m *projections.Models, of domain.Key, at projections.Point, put func(string, any, error)) {
	page := projections.Page{}
	mechanisms, _, err := m.Mechanisms(ctx, of, at, page)
	put("mechanisms", mechanisms, err)
	obligations, _, err := m.Obligations(ctx, of, at, page)
	put("obligations", obligations, err)
	amendments, _, err := m.Amendments(ctx, of, at, page)
	put("amendments", amendments, err)
	decisions, _, err := m.Decisions(ctx, of, "", at, page)
	put("decisions", decisions, err)
	actions, _, err := m.Actions(ctx, of, "", at, page)
	put("actions", actions, err)
	meetings, _, err := m.Meetings(ctx, of, at, page)
	put("meetings", meetings, err)
	for _, x := range meetings {
		decisions, _, err := m.Decisions(ctx, of, x.Meeting, at, page)
		put("decisions of "+string(x.Meeting), decisions, err)
		actions, _, err := m.Actions(ctx, of, x.Meeting, at, page)
		put("actions of "+string(x.Meeting), actions, err)
	}
}

// results puts an agreement's funds, indicators and their sums.
func results(ctx context.Context, m *projections.Models, of domain.Key, at projections.Point, put func(string, any, error)) {
	page := projections.Page{}
	funds, _, err := m.Funds(ctx, of, at, page)
	put("funds", funds, err)
	for _, f := range funds {
		pledges, _, err := m.Pledges(ctx, of, f.Fund, at, page)
		put("pledges of "+string(f.Fund), pledges, err)
		commitments, _, err := m.Commitments(ctx, of, f.Fund, at, page)
		put("commitments of "+string(f.Fund), commitments, err)
		disbursements, _, err := m.Disbursements(ctx, of, f.Fund, at, page)
		put("disbursements of "+string(f.Fund), disbursements, err)
		expenditures, _, err := m.Expenditures(ctx, of, f.Fund, at, page)
		put("expenditures of "+string(f.Fund), expenditures, err)
	}
	indicators, _, err := m.Indicators(ctx, of, at, page)
	put("indicators", indicators, err)
	for _, i := range indicators {
		periods, _, err := m.Periods(ctx, of, i.Indicator, at, page)
		put("periods of "+string(i.Indicator), periods, err)
	}
	for _, by := range []string{projections.ByPeriod, projections.ByArea, projections.ByProject, projections.ByBeneficiary} {
		results, _, err := m.Results(ctx, of, by, at, page)
		put("results by "+by, results, err)
	}
	for _, by := range []string{projections.ByParty, projections.ByProject} {
		funding, _, err := m.Funding(ctx, of, by, at, page)
		put("funding by "+by, funding, err)
	}
	balance, _, err := m.Balance(ctx, of, at, page)
	put("balance", balance, err)
}

// live makes read models that follow the first part of log by a load and the
// rest in small chunks, with caches that hold next to nothing.
func live(t *rapid.T, log *memory) (m *projections.Models, done func()) {
	dir, err := os.MkdirTemp("", "read-models-")
	require.NoError(t, err)
	m, err = projections.Open(context.Background(), projections.Options{Dir: dir, Ledger: "test", CacheParts: rapid.SampledFrom([]int{1, 4, 0}).Draw(t, "cache")})
	require.NoError(t, err)
	last, _ := log.Last(context.Background())
	for at := uint64(rapid.IntRange(0, int(last)).Draw(t, "loaded")); ; at = min(last, at+uint64(rapid.IntRange(1, 20).Draw(t, "chunk"))) {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		ended := make(chan error, 1)
		go func() { ended <- m.Follow(ctx, log.until(at)) }()
		require.NoError(t, m.Wait(ctx, at))
		cancel()
		require.NoError(t, <-ended)
		if at == last {
			break
		}
	}
	return m, func() {
		require.NoError(t, m.Close())
		require.NoError(t, os.RemoveAll(dir))
	}
}

// Every table as of a sequence is what read models made from the log up to
// there hold; and those that followed equal those made in one go.
func TestAsOfEqualsARebuildUpToThere(t *testing.T) {
	t.Parallel()
	check(t, func(t *rapid.T) {
		// given a random history, and read models that followed it
		l, log := inMemory(t)
		l.wander(t, 60)
		m, done := live(t, log)
		defer done()
		// then they are what a rebuild makes
		require.NoError(t, m.VerifyTables(context.Background()))
		require.Equal(t, digestOf(t, log), m.Position().Digest)
		// and as of any sequence what a rebuild up to there makes
		for range 3 {
			seq := uint64(rapid.IntRange(0, int(l.seq)).Draw(t, "as of"))
			at := projections.Point{Seq: seq, Day: day("2024-05-01") + domain.Date(rapid.IntRange(0, 300).Draw(t, "day"))}
			then, done := fresh(t, log.until(seq))
			require.Equal(t, everything(t, then, at), everything(t, m, at))
			done()
			requireRolledUp(t, m, at)
			requireDue(t, m, "", at, at.Day, 2)
		}
	})
}

// requireRolledUp requires that the progress of agreements is that of their
// projects, and the colour the worst of them.
func requireRolledUp(t tb, m *projections.Models, at projections.Point) {
	t.Helper()
	ctx, worse := context.Background(), []string{"", "green", "amber", "red"}
	agreements, _, err := m.Agreements(ctx, at, projections.Page{})
	require.NoError(t, err)
	for _, a := range agreements {
		projects, _, err := m.Projects(ctx, a.Agreement, at, projections.Page{})
		require.NoError(t, err)
		sum, earned, weight := projections.Agreement{}, 0, 0
		for _, p := range projects {
			if p.State == project.StatusCancelled {
				continue
			}
			sum.Projects++
			sum.Milestones += p.Milestones
			sum.MilestonesMet += p.MilestonesMet
			earned, weight = earned+p.Earned, weight+p.Weight
			sum.RAG = worse[max(slices.Index(worse, sum.RAG), slices.Index(worse, p.RAG))]
		}
		require.Equal(t, [4]any{sum.Projects, sum.Milestones, sum.MilestonesMet, sum.RAG}, [4]any{a.Projects, a.Milestones, a.MilestonesMet, a.RAG})
		if weight == 0 {
			require.Nil(t, a.Percent)
		} else {
			require.InDelta(t, 100*float64(earned)/float64(weight), float64(*a.Percent), 0.5)
		}
	}
}

// What changed between two points is the difference of the states as of those
// two points: the changes, applied to the first, give the second.
func TestChangesLeadFromOnePointToTheOther(t *testing.T) {
	check(t, func(t *rapid.T) {
		// given a random history and two points in it
		l, log := inMemory(t)
		l.wander(t, 60)
		m, done := live(t, log)
		defer done()
		one := projections.Point{Seq: uint64(rapid.IntRange(0, int(l.seq)).Draw(t, "from"))}
		two := projections.Point{Seq: uint64(rapid.IntRange(int(one.Seq), int(l.seq)).Draw(t, "to"))}
		// when the changes between are applied to the fields as of the first
		fields := fieldsAsOf(t, m, one)
		q := projections.ChangeQuery{From: one, To: two, Page: projections.Page{Limit: rapid.IntRange(1, 50).Draw(t, "limit")}}
		last := one.Seq
		for {
			answer, err := m.Changes(context.Background(), q)
			require.NoError(t, err)
			for _, c := range answer.Changes {
				require.LessOrEqual(t, last, c.Seq)
				require.True(t, c.Seq > one.Seq && c.Seq <= two.Seq)
				last = c.Seq
				name := c.Agreement + ":" + c.Entity + "." + c.Field
				if was, known := fields[name]; known {
					require.Equal(t, was, jsonOr(c.Old), "old value of %s", name)
				}
				fields[name] = jsonOr(c.New)
			}
			if answer.Complete {
				break
			}
			q.Page.Cursor = answer.Next
		}
		// then they are the fields as of the second
		for name, value := range fieldsAsOf(t, m, two) {
			require.Equal(t, value, fields[name], name)
		}
	})
}

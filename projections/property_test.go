package projections_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/domaintest"
	"github.com/milepost-ledger/milepost/domain/party"
	"github.com/milepost-ledger/milepost/domain/project"
	"github.com/milepost-ledger/milepost/projections"
)

// fresh makes read models from log in one go.
func fresh(t tb, log projections.Log) (m *projections.Models, done func()) {
	t.Helper()
	dir, err := os.MkdirTemp("", "read-models-")
	require.NoError(t, err)
	m, err = projections.Open(context.Background(), projections.Options{Dir: dir, Ledger: "test"})
	require.NoError(t, err)
	_, err = m.Rebuild(context.Background(), log, nil)
	require.NoError(t, err)
	return m, func() {
		require.NoError(t, m.Close())
		require.NoError(t, os.RemoveAll(dir))
	}
}

// digestOf is the digest of read models made from log in one go.
func digestOf(t tb, log *memory) string {
	t.Helper()
	m, done := fresh(t, log)
	defer done()
	return m.Position().Digest
}

// wander asks n random commands over two agreements, three projects and a few
// milestones. Refused ones leave no trace.
func (l *ledger) wander(t *rapid.T, n int) {
	second := agreement.ID{Agreement: "renewal"}
	l.signed(framework)
	projects := []project.ID{base, {Agreement: "framework", Project: "town"}, {Agreement: "renewal", Project: "platform"}}
	keys := []domain.Key{"design", "build", "launch"}
	parties := []domain.Key{domaintest.City, domaintest.Group}
	reasons := []string{"scope-change", "supplier-delay", "correction"}
	date := func(label string) domain.Date {
		return day("2024-05-01") + domain.Date(rapid.IntRange(0, 200).Draw(t, label))
	}
	for range n {
		l.clock = l.clock.Add(time.Duration(rapid.IntRange(-600, 3000).Draw(t, "minutes")) * time.Minute)
		p := rapid.SampledFrom(projects).Draw(t, "project")
		m := project.MilestoneID{Agreement: p.Agreement, Project: p.Project, Milestone: rapid.SampledFrom(keys).Draw(t, "milestone")}
		who := rapid.SampledFrom(parties).Draw(t, "party")
		weight := rapid.IntRange(0, 3).Draw(t, "weight")
		commands := []domain.Command{
			party.Change{Party: who, Title: text(fmt.Sprintf("Name %d", weight))},
			agreement.Draft{Agreement: second.Agreement, Kind: "framework", Title: text("Renewal"), Parties: parties, Document: domaintest.Text2, Renews: "framework"},
			agreement.AddArea{ID: second, Area: "iot", Title: text("Things")},
			agreement.OpenConsultation{ID: second},
			agreement.Revise{ID: second, Title: text("Renewed"), Document: []domain.Hash{domaintest.Text1, domaintest.Text2}[weight%2]},
			agreement.Sign{ID: second, Party: who, Signatory: "B. Person", Date: day("2024-06-01"), Document: []domain.Hash{domaintest.Text1, domaintest.Text2}[weight%2]},
			agreement.RecordPrior{ID: framework, Entry: domain.Key(fmt.Sprintf("prior-%d", weight)), Title: text("Early"), Date: "199X"},
			project.Propose{Agreement: p.Agreement, Project: p.Project, Title: text("Project"), Kind: "town", Areas: []domain.Key{"iot"}},
			project.Approve{ID: p}, project.Start{ID: p}, project.Suspend{ID: p}, project.Resume{ID: p},
			project.Complete{ID: p}, project.Cancel{ID: p},
			project.SetTolerance{ID: p, Amber: weight * 5, Red: weight*5 + 10},
			project.ApproveBaseline{ID: p, Decision: "decision-1"},
			project.Schedule{ID: p, Milestone: m.Milestone, Title: text("M " + string(m.Milestone)), Due: date("due"), Weight: &weight, Confirming: []domain.Key{domaintest.City}},
			project.Reforecast{MilestoneID: m, Forecast: date("forecast")},
			project.Reschedule{MilestoneID: m, Due: date("due"), Decision: "decision-2"},
			project.ReportProgress{MilestoneID: m, Percent: rapid.IntRange(0, 100).Draw(t, "percent")},
			project.Claim{MilestoneID: m, Party: domaintest.Group, MetOn: day("2024-06-05")},
			project.Confirm{MilestoneID: m, Party: domaintest.City},
			project.Dispute{MilestoneID: m, Party: domaintest.City},
			project.Judge{MilestoneID: m, Outcome: "partially-met"},
			project.Reopen{MilestoneID: m}, project.CancelMilestone{MilestoneID: m},
			project.AddDependency{MilestoneID: m, On: keys[weight%3]},
		}
		cmd := rapid.SampledFrom(commands).Draw(t, "command")
		_, _ = l.try(cmd, domain.Meta{
			Actor: rapid.SampledFrom([]string{"li.wei", "wang.fang"}).Draw(t, "actor"), Reason: rapid.SampledFrom(reasons).Draw(t, "reason"),
			Evidence: []domain.Hash{domaintest.File}, Note: "a note",
		})
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
	for _, a := range agreements {
		projects, _, err := m.Projects(ctx, a.Agreement, at, projections.Page{})
		put("projects of "+string(a.Agreement), projects, err)
		for _, p := range projects {
			milestones, _, err := m.Milestones(ctx, a.Agreement, p.Project, at, projections.Page{})
			put("milestones of "+string(a.Agreement)+" "+string(p.Project), milestones, err)
		}
	}
	return all
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
	rapid.Check(t, func(t *rapid.T) {
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
	rapid.Check(t, func(t *rapid.T) {
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

// jsonOr is a value's JSON, in which a list that is empty, a number that is 0
// and nothing are the same.
func jsonOr(raw json.RawMessage) string {
	switch s := string(raw); s {
	case "null", `""`, "[]", "0", "false":
		return ""
	default:
		return s
	}
}

// fieldsAsOf are the fields of the read models that are fields of the states.
func fieldsAsOf(t tb, m *projections.Models, at projections.Point) map[string]string {
	t.Helper()
	fields := map[string]string{}
	add := func(entity string, item any, names string) {
		b, err := json.Marshal(item)
		require.NoError(t, err)
		var all map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(b, &all))
		for name := range strings.FieldsSeq(names) {
			require.Contains(t, all, name)
			fields[entity+"."+name] = jsonOr(all[name])
		}
	}
	ctx := context.Background()
	parties, _, err := m.Parties(ctx, at, projections.Page{})
	require.NoError(t, err)
	for _, p := range parties {
		add(":party/"+string(p.Party), p, "party title kind parent")
	}
	agreements, _, err := m.Agreements(ctx, at, projections.Page{})
	require.NoError(t, err)
	for _, a := range agreements {
		of := string(a.Agreement)
		add(of+":agreement/"+of, a, "agreement title kind state parties parent renews renewed_by document effective_on ended_on first_project_on")
		projects, _, err := m.Projects(ctx, a.Agreement, at, projections.Page{})
		require.NoError(t, err)
		for _, p := range projects {
			path := of + ":project/" + string(p.Project)
			add(path, p, "project agreement title kind state areas lead baseline started_on ended_on")
			milestones, _, err := m.Milestones(ctx, a.Agreement, p.Project, at, projections.Page{})
			require.NoError(t, err)
			for _, i := range milestones {
				names := "title state baseline due forecast met_on weight type confirming depends_on claimed_by confirmed_by"
				if i.State != "met" { // all of one that is met is done
					names += " percent"
				}
				add(path+"/milestone/"+string(i.Milestone), i, names)
			}
		}
	}
	return fields
}

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
	"github.com/milepost-ledger/milepost/domain/domaintest"
	"github.com/milepost-ledger/milepost/domain/project"
	"github.com/milepost-ledger/milepost/projections"
)

// countedOf is what Portfolio answers, counted in the lists of agreements, projects
// and milestones; without the states of which there are none.
func countedOf(t tb, m *projections.Models, of domain.Key, at projections.Point) []projections.PortfolioCount {
	t.Helper()
	ctx, page := context.Background(), projections.Page{Limit: 1000}
	lines := map[[2]string]*projections.PortfolioCount{{"all", ""}: {By: "all"}}
	count := func(areas []domain.Key, state, rag string, counters func(*projections.PortfolioCount) map[string]*int) {
		places := [][2]string{{"all", ""}, {"state", state}}
		for _, area := range areas {
			places = append(places, [2]string{"area", string(area)})
		}
		for _, place := range places {
			if lines[place] == nil {
				lines[place] = &projections.PortfolioCount{By: place[0], Value: place[1]}
			}
			to := counters(lines[place])
			*to["all"]++
			if rag != "" {
				*to[rag]++
			}
		}
	}
	agreements, _, err := m.Agreements(ctx, at, page)
	if at.Effective != 0 {
		agreements, err = []projections.Agreement{{Agreement: of}}, nil
	}
	require.NoError(t, err)
	for _, a := range agreements {
		if of != "" && a.Agreement != of {
			continue
		}
		projects, _, err := m.Projects(ctx, a.Agreement, at, page)
		require.NoError(t, err)
		for _, p := range projects {
			count(p.Areas, p.State, p.RAG, func(c *projections.PortfolioCount) map[string]*int {
				return map[string]*int{"all": &c.Projects, "green": &c.ProjectsGreen, "amber": &c.ProjectsAmber, "red": &c.ProjectsRed}
			})
			milestones, _, err := m.Milestones(ctx, a.Agreement, p.Project, at, page)
			require.NoError(t, err)
			for _, i := range milestones {
				count(p.Areas, i.State, i.RAG, func(c *projections.PortfolioCount) map[string]*int {
					return map[string]*int{"all": &c.Milestones, "green": &c.MilestonesGreen, "amber": &c.MilestonesAmber, "red": &c.MilestonesRed}
				})
			}
		}
	}
	var counts []projections.PortfolioCount
	for _, line := range lines {
		counts = append(counts, *line)
	}
	return sorted(counts)
}

func sorted(counts []projections.PortfolioCount) []projections.PortfolioCount {
	order := []string{"all", "state", "area"}
	slices.SortFunc(counts, func(a, b projections.PortfolioCount) int {
		return cmp.Or(cmp.Compare(slices.Index(order, a.By), slices.Index(order, b.By)), cmp.Compare(a.Value, b.Value))
	})
	return counts
}

// requireCounted requires that Portfolio counts what is in the lists.
func requireCounted(t tb, m *projections.Models, of domain.Key, at projections.Point) {
	t.Helper()
	answer, err := m.Portfolio(context.Background(), of, at)
	require.NoError(t, err)
	got := slices.DeleteFunc(slices.Clone(answer.Items), func(c projections.PortfolioCount) bool {
		return c == projections.PortfolioCount{By: "state", Value: c.Value}
	})
	require.Equal(t, countedOf(t, m, of, at), sorted(got), "portfolio of %q as of %+v", of, at)
}

// A portfolio is what the lists have, as of every sequence and on any day, whether
// it was asked for while the models followed or is read whole.
func TestAPortfolioCountsWhatListsHave(t *testing.T) {
	domaintest.Check(t, 10, func(t *rapid.T) {
		// given a random history in two agreements
		l, log := inMemory(t)
		l.inTwoAgreements()
		l.wander(t, 60)
		// and read models that were asked while they followed it
		m, done := scratch(t)
		defer done()
		for seq := uint64(0); seq < l.seq; {
			seq = min(l.seq, seq+uint64(rapid.IntRange(1, 40).Draw(t, "chunk")))
			followTo(t, m, log, seq)
			requireCounted(t, m, "", projections.Point{Seq: seq, Day: anyDay(t)})
		}
		// then each point has what is in the lists
		for seq := range l.seq + 1 {
			at := projections.Point{Seq: seq, Day: anyDay(t)}
			requireCounted(t, m, "", at)
			if _, err := m.Agreement(context.Background(), "framework", at); err == nil {
				requireCounted(t, m, "framework", at)
			}
		}
		// and on the effective axis
		on := anyDay(t)
		at := projections.Point{Seq: l.seq, Day: on, Effective: on, Agreement: "framework"}
		if _, err := m.Agreement(context.Background(), "framework", at); err == nil {
			requireCounted(t, m, "framework", at)
		}
	})
}

func anyDay(t *rapid.T) domain.Date {
	return day("2024-05-01") + domain.Date(rapid.IntRange(0, 300).Draw(t, "day"))
}

// followTo has m follow the log up to a sequence.
func followTo(t tb, m *projections.Models, log *memory, seq uint64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	ended := make(chan error, 1)
	go func() { ended <- m.Follow(ctx, log.until(seq)) }()
	require.NoError(t, m.Wait(ctx, seq))
	cancel()
	require.NoError(t, <-ended)
}

// A log that is long enough for marks, of all and of an agreement.
func TestAPortfolioOfALongLog(t *testing.T) {
	log := portfolio(12_000, 2, 5, 6, day("2025-06-01"))
	m, done := fresh(t, log)
	defer done()
	for i := range uint64(25) {
		at := projections.Point{Seq: i * 500, Day: day("2024-12-01") + domain.Date(40*i)}
		requireCounted(t, m, "", at)
		if i > 0 {
			requireCounted(t, m, "agreement-1", at)
		}
	}
}

func TestPortfolio(t *testing.T) {
	// given two agreements, in which milestones are claimed, met and cancelled, and a project is cancelled
	l, log := inMemory(t)
	l.inTwoAgreements()
	begun := l.seq
	l.claimedMetAndCancelled()
	l.do(project.Cancel{ID: project.ID{Agreement: "second", Project: "p1"}}, domain.Meta{Reason: "no"})
	l.signed(agreement.ID{Agreement: "empty"})
	m := models(t, t.TempDir(), at("2024-06-11"))
	_, err := m.Rebuild(t.Context(), log, nil)
	require.NoError(t, err)

	lines := func(of domain.Key, seq uint64, on string) (lines []string) {
		answer, err := m.Portfolio(t.Context(), of, projections.Point{Seq: seq, Day: day(on)})
		require.NoError(t, err)
		for _, c := range answer.Items {
			if c != (projections.PortfolioCount{By: "state", Value: c.Value}) {
				lines = append(lines, fmt.Sprintf("%s %s %d: %d %d %d, %d: %d %d %d", c.By, c.Value, c.Projects, c.ProjectsGreen, c.ProjectsAmber, c.ProjectsRed,
					c.Milestones, c.MilestonesGreen, c.MilestonesAmber, c.MilestonesRed))
			}
		}
		return lines
	}
	// then everything is green at first
	assert.Equal(t, []string{
		"all  4: 4 0 0, 12: 12 0 0", "state implementation 4: 4 0 0, 0: 0 0 0", "state scheduled 0: 0 0 0, 12: 12 0 0", "area iot 4: 4 0 0, 12: 12 0 0",
	}, lines("", begun, "2024-06-11"))
	// and what is late turns amber and red as days pass
	assert.Equal(t, "all  4: 0 4 0, 12: 8 4 0", lines("", begun, "2024-07-20")[0])
	assert.Equal(t, "all  4: 0 0 4, 12: 0 4 8", lines("", begun, "2024-08-19")[0])
	// and what was met does not, and what is cancelled has no colour
	assert.Equal(t, []string{
		"all  4: 0 1 3, 12: 2 4 5", "state implementation 3: 0 1 2, 0: 0 0 0", "state scheduled 0: 0 0 0, 9: 0 4 5", "state achievement-claimed 0: 0 0 0, 1: 1 0 0",
		"state met 0: 0 0 0, 1: 1 0 0", "state cancelled 1: 0 0 1, 1: 0 0 0", "area iot 4: 0 1 3, 12: 2 4 5",
	}, lines("", l.seq, "2024-08-19"))
	// and one agreement has its own
	assert.Equal(t, "all  2: 0 1 1, 6: 2 2 1", lines("framework", l.seq, "2024-08-19")[0])
	assert.Equal(t, []string{"all  0: 0 0 0, 0: 0 0 0"}, lines("empty", l.seq, "2024-08-19"))
	assert.Equal(t, []string{"all  0: 0 0 0, 0: 0 0 0"}, lines("", 0, "2024-08-19"))

	_, err = m.Portfolio(t.Context(), "nobody", projections.Point{Seq: l.seq})
	requireRefused(t, err, domain.CodeNotFound)
	_, err = m.Portfolio(t.Context(), "empty", projections.Point{Seq: begun})
	requireRefused(t, err, domain.CodeNotFound)
}

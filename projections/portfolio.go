package projections

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/project"
)

// Portfolio counts the projects and milestones of all agreements or of one: in
// all, in each state, and in each area, and in what colours they are.
//
// Everything counts that lists show, also what is closed or cancelled. Cancelled
// milestones and projects without milestones have no colour. A milestone is of the
// areas of its project; what is of several areas counts in each.
type Portfolio struct {
	AsOf      Point            `json:"as_of"`
	Agreement domain.Key       `json:"agreement"` // "" for all
	Day       domain.Date      `json:"day"`       // of the point: on which the colours are
	Items     []PortfolioCount `json:"items"`     // in all, by states, by areas
}

// PortfolioCount is one line of a portfolio.
type PortfolioCount struct {
	By              string `json:"by" enum:"all,state,area"`
	Value           string `json:"value" doc:"The state, or the key of the area."`
	Projects        int    `json:"projects"`
	ProjectsGreen   int    `json:"projects_green"`
	ProjectsAmber   int    `json:"projects_amber"`
	ProjectsRed     int    `json:"projects_red"`
	Milestones      int    `json:"milestones"`
	MilestonesGreen int    `json:"milestones_green"`
	MilestonesAmber int    `json:"milestones_amber"`
	MilestonesRed   int    `json:"milestones_red"`
}

// What a line of a portfolio counts by.
const (
	InAll   = "all"
	ByState = "state"
)

// The states of projects and of milestones, in the order in which they are shown.
var portfolioStates = []string{
	project.StatusProposed, project.StatusApproved, project.StatusImplementation, project.StatusSuspended, project.StatusCompletion, project.StatusClosed,
	project.Scheduled, project.Claimed, project.Met, project.PartiallyMet, project.NotMet,
	project.StatusCancelled, // both
}

// Portfolio answers for an agreement, or refuses with not-found; for all with "".
// It costs the same however long the log is and however much there is to count.
// The first answer of a file takes as long as it takes to read its projects and
// milestones.
func (m *Models) Portfolio(ctx context.Context, of domain.Key, at Point) (answer Portfolio, err error) {
	answer = Portfolio{AsOf: at, Agreement: of, Day: at.Day}
	err = m.read(ctx, at, func(q *query) error {
		var e found
		if of != "" {
			e, err = q.aggregate(agreement.Ref(of))
		} else {
			err = q.covers("")
		}
		if err != nil {
			return err
		}
		counts, classes, err := q.line.at(q, e.id)
		if err == nil {
			answer.Items, err = q.portfolio(counts, classes)
		}
		return err
	})
	return answer, err
}

// portfolio sums up what is in each class.
func (q *query) portfolio(counts []colours, classes []class) ([]PortfolioCount, error) {
	all := PortfolioCount{By: InAll}
	states, areas := map[string]*PortfolioCount{}, map[string]*PortfolioCount{}
	line := func(of map[string]*PortfolioCount, by, value string) *PortfolioCount {
		if of[value] == nil {
			of[value] = &PortfolioCount{By: by, Value: value}
		}
		return of[value]
	}
	for _, state := range portfolioStates {
		line(states, ByState, state)
	}
	for i, n := range counts {
		if i == 0 || n == (colours{}) {
			continue
		}
		c := classes[i]
		state, of, err := q.said(c)
		if err != nil {
			return nil, fmt.Errorf("read a portfolio: %w", err)
		}
		all.add(c, n)
		line(states, ByState, state).add(c, n)
		for _, area := range of {
			line(areas, ByArea, area).add(c, n)
		}
	}
	items := []PortfolioCount{all}
	for _, state := range portfolioStates {
		items = append(items, *states[state])
		delete(states, state)
	}
	for _, rest := range []map[string]*PortfolioCount{states, areas} {
		for _, value := range slices.Sorted(maps.Keys(rest)) {
			items = append(items, *rest[value])
		}
	}
	return items, nil
}

// said are the state and the areas of a class.
func (q *query) said(c class) (state string, areas []string, err error) {
	if c.state != 0 {
		state, err = q.words.text(c.state)
	}
	if c.areas != 0 && err == nil {
		var list string
		if list, err = q.words.text(c.areas); err == nil {
			err = json.Unmarshal([]byte(list), &areas)
		}
	}
	return state, areas, err
}

// add adds what is in a class.
func (p *PortfolioCount) add(c class, n colours) {
	of := [4]*int{&p.Projects, &p.ProjectsGreen, &p.ProjectsAmber, &p.ProjectsRed}
	if c.milestone {
		of = [4]*int{&p.Milestones, &p.MilestonesGreen, &p.MilestonesAmber, &p.MilestonesRed}
	}
	for i, count := range n {
		*of[0] += count
		if c.coloured {
			*of[i+1] += count
		}
	}
}

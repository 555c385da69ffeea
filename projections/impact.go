package projections

import (
	"context"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/project"
)

// Impact is what follows along the dependencies if a milestone is met on a
// date: the forward pass of the critical path method over the forecasts, in
// calendar days. Nothing is recorded.
//
// Milestones that are met stay where they are, and cancelled ones keep nobody
// waiting.
type Impact struct {
	AsOf      Point       `json:"as_of"`
	Agreement domain.Key  `json:"agreement"`
	Project   domain.Key  `json:"project"`
	Milestone domain.Key  `json:"milestone"`
	Present   domain.Date `json:"present"`    // its forecast
	Forecast  domain.Date `json:"forecast"`   // the date that is asked about
	MovesDays int         `json:"moves_days"` // from the one to the other

	Finish        domain.Date `json:"forecast_finish"`          // of the project: the latest forecast or date met
	FinishAfter   domain.Date `json:"forecast_finish_after"`    // if only what has to moves
	FinishLagKept domain.Date `json:"forecast_finish_lag_kept"` // if the present gaps are kept

	Items []Impacted `json:"items"` // what depends on it, directly or not, each after what it depends on
}

// Impacted is a milestone that depends on the one asked about.
type Impacted struct {
	Milestone   domain.Key  `json:"milestone"`
	Title       domain.Text `json:"title"`
	State       string      `json:"state"`
	Forecast    domain.Date `json:"forecast"`      // at present
	AtLeast     domain.Date `json:"at_least"`      // it cannot be met before: what it depends on is met last on this date
	Expected    domain.Date `json:"expected"`      // the later of the two
	MovesDays   int         `json:"moves_days"`    // from forecast to expected, 0 where it need not move
	SlackDays   int         `json:"slack_days"`    // from at_least to forecast, 0 where it moves
	WithLagKept domain.Date `json:"with_lag_kept"` // if it keeps its present gap to what it depends on
	Due         domain.Date `json:"due"`
	LateDays    int         `json:"late_days"` // from due to expected, 0 where it is in time
}

// Impact answers what follows if a milestone is met on forecast. It refuses
// with not-found, and with wrong-state for a milestone that is met or
// cancelled, whose date cannot move.
func (m *Models) Impact(ctx context.Context, of, under, key domain.Key, forecast domain.Date, at Point) (answer Impact, err error) {
	answer = Impact{AsOf: at, Agreement: of, Project: under, Milestone: key, Forecast: forecast, Items: []Impacted{}}
	if forecast == 0 {
		return answer, domain.Refuse(domain.CodeMissingField, "forecast", "say on which date the milestone would be met")
	}
	err = m.read(ctx, at, func(q *query) error {
		p, err := q.aggregate(project.Ref(of, under))
		if err != nil {
			return err
		}
		n := &network{of: key, milestones: map[domain.Key]*Milestone{}}
		err = everyBelow(q, milestoneTable, p.id, func(m *Milestone, e found) {
			m.Milestone = keyOf(e.path)
			n.milestones[m.Milestone] = m
			n.order = append(n.order, m.Milestone)
		})
		if err != nil {
			return err
		}
		asked, ok := n.milestones[key]
		switch {
		case !ok:
			return domain.NotFound("milestone", "milestone", key)
		case settled(asked):
			return domain.WrongState("milestone", key, asked.State, "ask about one that is still to be met",
				project.Scheduled, project.Claimed, project.PartiallyMet, project.NotMet)
		}
		answer.Present, answer.MovesDays = asked.Forecast, int(forecast-asked.Forecast)
		n.spread(&answer)
		return nil
	})
	return answer, err
}

// settled reports whether a milestone's date cannot move any more.
func settled(m *Milestone) bool { return m.State == project.Met || m.State == project.Dropped }

// network is the milestones of a project and what they depend on.
type network struct {
	of         domain.Key // the one asked about
	milestones map[domain.Key]*Milestone
	order      []domain.Key           // as they were scheduled
	then       map[domain.Key]*whatIf // of those that are done
}

// whatIf is when a milestone is met if the one asked about is on its date.
type whatIf struct{ expected, lagKept domain.Date }

// spread fills in what follows.
func (n *network) spread(answer *Impact) {
	n.then = map[domain.Key]*whatIf{n.of: {answer.Forecast, answer.Forecast}}
	depends := n.dependents()
	begun := map[domain.Key]bool{}
	for _, key := range n.order {
		n.visit(key, depends, begun, &answer.Items)
	}
	for key, m := range n.milestones {
		if m.State == project.Dropped {
			continue
		}
		answer.Finish = max(answer.Finish, dateOf(m))
		then := n.at(key)
		answer.FinishAfter, answer.FinishLagKept = max(answer.FinishAfter, then.expected), max(answer.FinishLagKept, then.lagKept)
	}
}

// dependents returns the milestones that depend on the one asked about, by way
// of milestones that are still to be met.
func (n *network) dependents() map[domain.Key]bool {
	waiting := map[domain.Key][]domain.Key{}
	for _, key := range n.order {
		for _, on := range n.milestones[key].DependsOn {
			waiting[on] = append(waiting[on], key)
		}
	}
	depends := map[domain.Key]bool{n.of: true}
	for next := []domain.Key{n.of}; len(next) > 0; next = next[1:] {
		for _, key := range waiting[next[0]] {
			if !depends[key] && !settled(n.milestones[key]) {
				depends[key] = true
				next = append(next, key)
			}
		}
	}
	delete(depends, n.of)
	return depends
}

// visit works out a dependent milestone after those that it depends on. One
// that is begun and not done depends on itself: a fold of events out of their
// order may hold such a cycle, and there it counts as it is at present.
func (n *network) visit(key domain.Key, depends, begun map[domain.Key]bool, items *[]Impacted) {
	if !depends[key] || begun[key] {
		return
	}
	begun[key] = true
	m := n.milestones[key]
	var atLeast, lagKept domain.Date
	for _, on := range m.DependsOn {
		d, ok := n.milestones[on]
		if !ok || d.State == project.Dropped {
			continue
		}
		n.visit(on, depends, begun, items)
		then := n.at(on)
		atLeast = max(atLeast, then.expected)
		lagKept = max(lagKept, then.lagKept+max(0, m.Forecast-dateOf(d)))
	}
	x := Impacted{
		Milestone: key, Title: m.Title, State: m.State, Forecast: m.Forecast, AtLeast: atLeast, Expected: max(m.Forecast, atLeast),
		WithLagKept: lagKept, Due: m.Due, SlackDays: int(max(0, m.Forecast-atLeast)),
	}
	x.MovesDays, x.LateDays = int(x.Expected-m.Forecast), int(max(0, x.Expected-m.Due))
	n.then[key] = &whatIf{x.Expected, lagKept}
	*items = append(*items, x)
}

// at is when a milestone is met then.
func (n *network) at(key domain.Key) whatIf {
	if s, ok := n.then[key]; ok {
		return *s
	}
	now := dateOf(n.milestones[key])
	return whatIf{now, now}
}

// dateOf is when a milestone is met as is known at present.
func dateOf(m *Milestone) domain.Date {
	if m.MetOn != 0 {
		return m.MetOn
	}
	return m.Forecast
}

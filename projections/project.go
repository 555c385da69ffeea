package projections

import (
	"context"
	"math"
	"strconv"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/project"
)

// Project is a project as of a point, with the progress of its milestones
// rolled up. Cancelled milestones count nowhere.
type Project struct {
	Project       domain.Key        `json:"project" sql:"-"`
	Agreement     domain.Key        `json:"agreement" sql:"-"`
	Title         domain.Text       `json:"title"`
	Kind          string            `json:"kind"`
	State         string            `json:"state"`
	Areas         []domain.Key      `json:"areas"`
	Lead          domain.Key        `json:"lead"`
	Tolerance     project.Tolerance `json:"tolerance"` // as in force: defaults filled in
	Baseline      int               `json:"baseline"`  // number of the effective one, 0 for none
	StartedOn     domain.Date       `json:"started_on"`
	EndedOn       domain.Date       `json:"ended_on"`
	TRL           int               `json:"trl"` // technology readiness level 1 to 9; 0 before the first assessment
	TRLOn         domain.Date       `json:"trl_on"`
	GatesPassed   int               `json:"gates_passed"`
	GatesFailed   int               `json:"gates_failed"` // by their last review
	Milestones    int               `json:"milestones"`
	MilestonesMet int               `json:"milestones_met"`

	Percent        *Percent    `json:"percent" sql:"-"`     // earned / weight; null without weight
	RAG            string      `json:"rag" sql:"-"`         // on the day of the point; "" without milestones
	Weight         int         `json:"weight"`              // sum of the milestones' weights
	Earned         int         `json:"earned"`              // sum of weight times percent
	BaselineFinish domain.Date `json:"baseline_finish"`     // latest baseline date
	ForecastFinish domain.Date `json:"forecast_finish"`     // latest forecast or date met
	NextDue        domain.Date `json:"next_due"`            // earliest agreed date of a milestone that is neither met nor cancelled; none in a project that has ended
	AmberOn        domain.Date `json:"-" sql:"as=amber_on"` // first day on which the worst milestone is amber or red, if nothing happens
	RedOn          domain.Date `json:"-" sql:"as=red_on"`   // and red
	Version        uint64      `json:"version" sql:"-"`
}

var projectTable = newTable[Project](orderProject, "project", versionLead...)

// sums are what a project's row says of its milestones and gates.
type sums struct {
	milestones, met, weight, earned    int
	baseline, forecast, amberOn, redOn domain.Date
	nextDue                            domain.Date
	gatesPassed, gatesFailed           int
}

// add adds what one milestone comes to.
func (x *sums) add(m *sums) {
	x.milestones, x.met, x.weight, x.earned = x.milestones+m.milestones, x.met+m.met, x.weight+m.weight, x.earned+m.earned
	x.baseline, x.forecast = max(x.baseline, m.baseline), max(x.forecast, m.forecast)
	x.amberOn, x.redOn = earlier(x.amberOn, m.amberOn), earlier(x.redOn, m.redOn)
	x.nextDue = earlier(x.nextDue, m.nextDue)
}

func sumOfMilestone(m *project.Milestone, t project.Tolerance) (x sums) {
	if m.State == project.Dropped {
		return x
	}
	x.milestones, x.baseline, x.forecast = 1, m.Baseline, m.Forecast
	if openMilestone(m.State) {
		x.nextDue = m.Due
	}
	if m.MetOn != 0 {
		x.met, x.forecast = 1, m.MetOn
	}
	x.earned, x.weight = m.Progress()
	x.amberOn, x.redOn = m.RAGDates(t)
	return x
}

// projectSums are the sums of a project while events come. A milestone is looked
// at again only when it changed: states share the others in memory.
type projectSums struct {
	sums
	tolerance  project.Tolerance
	milestones []milestoneSums // in the order of the list
}

type milestoneSums struct {
	of *project.Milestone
	sums
}

// update takes the sums on to a state.
func (p *projectSums) update(s *project.State) {
	if p.tolerance != s.Tolerance {
		p.tolerance, p.milestones = s.Tolerance, p.milestones[:0]
	}
	p.sums = sums{}
	n := 0
	for _, m := range s.Milestones.Values() {
		if n == len(p.milestones) {
			p.milestones = append(p.milestones, milestoneSums{})
		}
		of := &p.milestones[n]
		if of.of != m {
			*of = milestoneSums{m, sumOfMilestone(m, s.Tolerance)}
		}
		p.add(&of.sums)
		n++
	}
	p.milestones = p.milestones[:n]
	for _, g := range s.Gates.Values() {
		p.gatesPassed += btoi(g.Outcome == project.Passed)
		p.gatesFailed += btoi(g.Outcome == project.Failed)
	}
}

func projectOf(s *project.State, x sums) *Project {
	if s.State == project.StatusClosed || s.State == project.StatusCancelled {
		x.nextDue = 0
	}
	return &Project{
		Title: s.Title, Kind: s.Kind, State: s.State, Areas: s.Areas, Lead: s.Lead,
		Tolerance: s.Tolerance.OrDefault(), Baseline: s.Baseline, StartedOn: s.StartedOn, EndedOn: s.EndedOn,
		TRL: s.TRL, TRLOn: s.TRLOn, GatesPassed: x.gatesPassed, GatesFailed: x.gatesFailed,
		Milestones: x.milestones, MilestonesMet: x.met, Weight: x.weight, Earned: x.earned,
		BaselineFinish: x.baseline, ForecastFinish: x.forecast, NextDue: x.nextDue, AmberOn: x.amberOn, RedOn: x.redOn,
	}
}

// earlier returns the earlier of two days, of which either may be never (0).
func earlier(a, b domain.Date) domain.Date {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// ragOf says how something stands on day, that turns amber and red on the days
// given.
func ragOf(milestones int, amber, red, day domain.Date) string {
	if milestones == 0 {
		return ""
	}
	return [...]string{project.Green, project.Amber, project.Red}[colourOn(day, amber, red)]
}

// colourOn is 0, 1 or 2 for what is green, amber or red on a day.
func colourOn(day, amber, red domain.Date) int {
	switch {
	case red != 0 && day >= red:
		return 2
	case amber != 0 && day >= amber:
		return 1
	}
	return 0
}

// Percent is a share in hundredths of a percent; in JSON 0 to 100 with at most
// two decimals.
type Percent int

// MarshalJSON writes 12.5 for 1250.
func (p Percent) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, float64(p)/100, 'f', -1, 64), nil
}

// UnmarshalJSON reads what MarshalJSON writes.
func (p *Percent) UnmarshalJSON(b []byte) error {
	f, err := strconv.ParseFloat(string(b), 64)
	*p = Percent(math.Round(f * 100))
	return err
}

// percentOf returns earned of weight, where earned counts percents of weight;
// none where there is no weight.
func percentOf(earned, weight int) *Percent {
	if weight == 0 {
		return nil
	}
	p := Percent((earned*100 + weight/2) / weight)
	return &p
}

// Projects lists the projects of an agreement in the order in which they were
// proposed, or refuses with not-found.
func (m *Models) Projects(ctx context.Context, of domain.Key, at Point, page Page) ([]Project, string, error) {
	return listOf(ctx, m, projectTable, agreement.Ref(of), at, page, (*query).project)
}

// Project returns one project, or refuses with not-found.
func (m *Models) Project(ctx context.Context, of, key domain.Key, at Point) (Project, error) {
	return itemOf(ctx, m, projectTable, project.Ref(of, key), at, (*query).project)
}

func (q *query) project(p *Project, e found) (err error) {
	p.Project, p.Agreement = keyOf(e.path), e.agreement
	p.Percent, p.RAG = percentOf(p.Earned, p.Weight), ragOf(p.Milestones, p.AmberOn, p.RedOn, q.at.Day)
	p.Version, err = q.version(e.id)
	return err
}

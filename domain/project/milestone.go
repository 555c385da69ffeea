package project

import (
	"slices"

	"github.com/milepost-ledger/milepost/domain"
)

// States of a milestone. Only cancelled is final: the others can be reopened.
const (
	Scheduled    = "scheduled"
	Claimed      = "achievement-claimed"
	Met          = "met"
	PartiallyMet = "partially-met"
	NotMet       = "not-met"
	Dropped      = "cancelled"
)

// Milestone is a dated result of a project that parties confirm. Its dates are
// three: what was signed (Baseline), what is agreed now (Due), and what is
// expected (Forecast).
type Milestone struct {
	Title       domain.Text  `json:"title"`
	State       string       `json:"state"`
	Type        string       `json:"type"` // an OCDS milestone type
	Weight      int          `json:"weight"`
	Baseline    domain.Date  `json:"baseline"` // of the effective baseline, 0 for none
	Due         domain.Date  `json:"due"`
	Forecast    domain.Date  `json:"forecast"` // equal to Due until it is forecast
	MetOn       domain.Date  `json:"met_on"`
	Percent     int          `json:"percent"`        // as reported last; see PercentComplete
	Moves       int          `json:"moves" diff:"-"` // of a date, told by the dates themselves
	Confirming  []domain.Key `json:"confirming"`     // parties that have to confirm
	DependsOn   []domain.Key `json:"depends_on"`
	ClaimedBy   domain.Key   `json:"claimed_by"`
	ClaimedOn   domain.Date  `json:"claimed_on"` // the date met that is claimed
	Despite     []domain.Key `json:"despite"`    // dependencies not met in time, which a reason explains
	ConfirmedBy []domain.Key `json:"confirmed_by"`
}

// Open reports whether it is still to be achieved: scheduled or claimed.
func (m Milestone) Open() bool { return m.State == Scheduled || m.State == Claimed }

// moved is m with other dates. In the order of effective dates an event may say
// what holds already: then nothing moves.
func (m Milestone) moved(due, forecast domain.Date) Milestone {
	if m.Due != due || m.Forecast != forecast {
		m.Due, m.Forecast = due, forecast
		m.Moves++
	}
	return m
}

// noClaim is m with nothing claimed or confirmed.
func (m Milestone) noClaim() Milestone {
	m.ClaimedBy, m.ClaimedOn, m.Despite, m.ConfirmedBy, m.MetOn = "", 0, nil, nil, 0
	return m
}

// MilestoneID names a milestone in commands and events.
type MilestoneID struct {
	Agreement domain.Key `json:"agreement" required:"true" doc:"Key of the agreement."`
	Project   domain.Key `json:"project" required:"true" doc:"Key of the project."`
	Milestone domain.Key `json:"milestone" required:"true" doc:"Key of the milestone."`
}

// Ref names the project as an aggregate.
func (id MilestoneID) Ref() domain.Ref { return Ref(id.Agreement, id.Project) }

// path names the milestone within its agreement, as decisions do.
func (id MilestoneID) path() string {
	return id.Ref().Path() + "/milestone/" + string(id.Milestone)
}

// of returns the milestone of a project that has not ended, and refuses unless
// there is one and its state is one of wanted.
func (id MilestoneID) of(s *State, wanted ...string) (Milestone, error) {
	if err := (ID{id.Agreement, id.Project}).open(s); err != nil {
		return Milestone{}, err
	}
	m, ok := s.Milestones.Get(id.Milestone)
	switch {
	case !ok:
		return m, domain.NotFound("milestone", "milestone", id.Milestone)
	case !slices.Contains(wanted, m.State):
		return m, domain.WrongState("milestone", id.Milestone, m.State, milestoneHint(m.State), wanted...)
	}
	return m, nil
}

func milestoneHint(state string) string {
	switch state {
	case Scheduled:
		return "claim its achievement with claim-achievement"
	case Claimed:
		return "confirm or dispute the claim"
	case Dropped:
		return "schedule another one in its place"
	}
	return "reopen it with reopen-milestone"
}

// edit replaces the milestone by what f makes of it. An event may come before
// the one that scheduled the milestone; there is one from then on.
func (s *State) edit(id MilestoneID, f func(m Milestone) Milestone) {
	s.ID = ID{id.Agreement, id.Project}
	s.Milestones = s.Milestones.Edit(id.Milestone, func(m *Milestone) {
		if m.State == "" {
			m.State = Scheduled
		}
		*m = f(*m)
	})
}

// Package project holds projects under an agreement: their life cycle, their
// milestones with dependencies, the baselines approved for them, and every move
// of a date since.
//
//   - A forecast never changes a baseline; an agreed date changes only by a
//     cited decision or amendment; each move carries a reason code.
//   - A milestone is met only by a claim with evidence, of a date that is not
//     in the future, which every confirming party has confirmed; who claims
//     never confirms alone.
//   - Dependencies have no cycle.
//   - No project starts or resumes unless its agreement is in effect.
//   - A decision that is cited was taken, and about what it is cited for; an
//     amendment that is cited is in effect.
//   - No project comes to completion, or is closed, while its last word on a
//     stage gate is that it failed; its TRL rests on evidence.
//
// Slip, colour and progress are computed (slip.go), never stored.
package project

import (
	"slices"

	"github.com/milepost-ledger/milepost/domain"
)

// Kind of the aggregate, as in subjects and paths.
const Kind = "project"

// States of a project, in the order of its life; the last two are final.
const (
	StatusProposed       = "proposed"
	StatusApproved       = "approved"
	StatusSuspended      = "suspended"
	StatusImplementation = "implementation"
	StatusCompletion     = "completion"
	StatusClosed         = "closed"
	StatusCancelled      = "cancelled"
)

// State is what is known of one project.
type State struct {
	ID
	Title     domain.Text  `json:"title"`
	Kind      string       `json:"kind"`
	State     string       `json:"state"`
	Areas     []domain.Key `json:"areas"` // of the agreement
	Lead      domain.Key   `json:"lead"`  // the party that leads it
	StartedOn domain.Date  `json:"started_on"`
	EndedOn   domain.Date  `json:"ended_on"`
	Tolerance Tolerance    `json:"tolerance"`
	Baseline  int          `json:"baseline"` // number of the effective one, 0 for none
	TRL       int          `json:"trl"`      // technology readiness level 1 to 9, 0 for none assessed
	TRLOn     domain.Date  `json:"trl_on"`   // since when

	Milestones domain.List[Milestone] `part:"milestone"`
	Baselines  domain.List[Baseline]  `part:"baseline"` // by number, "1"
	Gates      domain.List[Gate]      `part:"gate"`
}

// ID names a project in commands and events.
type ID struct {
	Agreement domain.Key `json:"agreement" required:"true" doc:"Key of the agreement."`
	Project   domain.Key `json:"project" required:"true" doc:"Key of the project."`
}

// Ref names the project as an aggregate.
func (id ID) Ref() domain.Ref { return Ref(id.Agreement, id.Project) }

// Ref names the project key under an agreement.
func Ref(agreement, key domain.Key) domain.Ref {
	return domain.Ref{Agreement: agreement, Kind: Kind, Key: key}
}

// Load returns the state of the project key under an agreement, and refuses in
// the name of field when there is none.
func Load(w domain.World, field string, agreement, key domain.Key) (*State, error) {
	s, err := w.State(Ref(agreement, key))
	if err != nil {
		return nil, err
	}
	if p, ok := s.(*State); ok && p != nil {
		return p, nil
	}
	return nil, domain.NotFound(field, Kind, key)
}

// in refuses unless there is a project and its state is one of wanted.
func (id ID) in(s *State, wanted ...string) error {
	switch {
	case s == nil:
		return domain.NotFound(Kind, Kind, id.Project)
	case slices.Contains(wanted, s.State):
		return nil
	}
	return domain.WrongState(Kind, id.Project, s.State, hint(s.State, wanted), wanted...)
}

// open refuses unless there is a project and it has not ended.
func (id ID) open(s *State) error {
	return id.in(s, StatusProposed, StatusApproved, StatusSuspended, StatusImplementation, StatusCompletion)
}

// hint says what leads on from a state, when that is towards one of wanted.
func hint(state string, wanted []string) string {
	switch {
	case state == StatusProposed:
		return "approve it with approve-project"
	case state == StatusApproved && !slices.Contains(wanted, StatusProposed):
		return "start it with start-project"
	case state == StatusSuspended:
		return "resume it with resume-project"
	case state == StatusImplementation && slices.Contains(wanted, StatusCompletion):
		return "complete it with complete-project"
	}
	return ""
}

// Aggregate lists the commands and events of projects.
var Aggregate = domain.NewAggregate[State](Kind, "A project under an agreement, with its milestones and baselines.",
	[]domain.CommandType{
		domain.CommandOf[State, Propose]("Propose a project in one or more areas of an agreement."),
		domain.CommandOf[State, Approve]("Approve a proposed project."),
		domain.CommandOf[State, Start]("Start an approved project; its agreement must be in effect."),
		domain.CommandOf[State, Suspend]("Suspend a project under way."),
		domain.CommandOf[State, Resume]("Resume a suspended project; its agreement must be in effect."),
		domain.CommandOf[State, Complete]("Bring a project to completion: what remains is to settle its milestones."),
		domain.CommandOf[State, Close]("Close a project in completion, with no milestone left open."),
		domain.CommandOf[State, Cancel]("Cancel a project for good."),
		domain.CommandOf[State, ChangeScope]("Change a project's title, kind, areas or lead."),
		domain.CommandOf[State, SetTolerance]("Set how many days of slip turn a milestone amber and red."),
		domain.CommandOf[State, Schedule]("Schedule a milestone with an agreed due date and the parties that confirm it."),
		domain.CommandOf[State, ApproveBaseline]("Approve a numbered baseline: it freezes every milestone's due date and weight."),
		domain.CommandOf[State, Reforecast]("Say when a milestone is now expected; neither its due date nor its baseline moves."),
		domain.CommandOf[State, Reschedule]("Agree another due date, by a decision or an amendment."),
		domain.CommandOf[State, ReportProgress]("Report how much of a milestone is done, in percent."),
		domain.CommandOf[State, Claim]("Claim that a milestone was achieved, with the date and evidence."),
		domain.CommandOf[State, Confirm]("Confirm a claimed achievement; the last confirming party makes the milestone met."),
		domain.CommandOf[State, Dispute]("Dispute a claimed achievement: the milestone is scheduled again."),
		domain.CommandOf[State, Judge]("Judge at review that a milestone was met partially or not at all."),
		domain.CommandOf[State, Reopen]("Reopen a milestone that was met or judged."),
		domain.CommandOf[State, CancelMilestone]("Cancel a milestone: it counts no more."),
		domain.CommandOf[State, AddDependency]("Make a milestone depend on another."),
		domain.CommandOf[State, RemoveDependency]("Let a milestone no longer depend on another."),
		domain.CommandOf[State, PassGate]("Let a project pass a stage gate."),
		domain.CommandOf[State, FailGate]("Let a project fail a stage gate: it does not come to completion until it passes."),
		domain.CommandOf[State, AssessTRL]("Assess the technology readiness level of what a project develops, with evidence."),
	},
	[]domain.EventType{
		domain.EventOf[State, Proposed]("A project was proposed."),
		domain.EventOf[State, Approved]("The project was approved."),
		domain.EventOf[State, Started]("The project started."),
		domain.EventOf[State, Suspended]("The project was suspended."),
		domain.EventOf[State, Resumed]("The project is under way again."),
		domain.EventOf[State, FundsReceived]("A fund disbursed funds to the project."),
		domain.EventOf[State, Completed]("The project came to completion."),
		domain.EventOf[State, Closed]("The project was closed."),
		domain.EventOf[State, Cancelled]("The project was cancelled."),
		domain.EventOf[State, ScopeChanged]("The project's title, kind, areas or lead changed."),
		domain.EventOf[State, ToleranceSet]("The project's tolerance was set."),
		domain.EventOf[State, MilestoneScheduled]("A milestone was scheduled."),
		domain.EventOf[State, BaselineApproved]("A baseline was approved."),
		domain.EventOf[State, MilestoneReforecast]("A milestone is expected on another date."),
		domain.EventOf[State, MilestoneRescheduled]("Another due date was agreed for a milestone."),
		domain.EventOf[State, ProgressReported]("Progress on a milestone was reported."),
		domain.EventOf[State, AchievementClaimed]("A party claimed that a milestone was achieved."),
		domain.EventOf[State, AchievementConfirmed]("A party confirmed the claim."),
		domain.EventOf[State, MilestoneMet]("Every confirming party has confirmed: the milestone is met."),
		domain.EventOf[State, AchievementDisputed]("A party disputed the claim, which is void with all its confirmations."),
		domain.EventOf[State, MilestoneJudged]("A review judged the milestone partially met or not met."),
		domain.EventOf[State, MilestoneReopened]("The milestone is scheduled again."),
		domain.EventOf[State, MilestoneCancelled]("The milestone was cancelled."),
		domain.EventOf[State, DependencyAdded]("A milestone depends on another."),
		domain.EventOf[State, DependencyRemoved]("A milestone no longer depends on another."),
		domain.EventOf[State, GatePassed]("The project passed a stage gate."),
		domain.EventOf[State, GateFailed]("The project failed a stage gate."),
		domain.EventOf[State, TRLAssessed]("The project's technology readiness level was assessed."),
	})

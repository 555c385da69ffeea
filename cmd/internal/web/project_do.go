package web

import (
	"github.com/milepost-ledger/milepost/domain/project"
	"github.com/milepost-ledger/milepost/projections"
)

// commands are those that make sense for something, by its state; the rules of the
// domain say the same, and are the ones that hold.
type commands map[string][]string

// inTable are those of a milestone that stand in its row, onPage all of them.
var (
	inTable = commands{
		project.Scheduled: {"report-progress", "reforecast-milestone", "claim-achievement"},
		project.Claimed:   {"confirm-achievement", "dispute-achievement"},
	}
	onPage = commands{
		project.Scheduled: {
			"report-progress", "reforecast-milestone", "reschedule-milestone", "claim-achievement", "judge-milestone",
			"add-dependency", "remove-dependency", "cancel-milestone",
		},
		project.Claimed:      {"confirm-achievement", "dispute-achievement", "report-progress", "judge-milestone", "cancel-milestone"},
		project.Met:          {"reopen-milestone"},
		project.PartiallyMet: {"reopen-milestone"},
		project.NotMet:       {"reopen-milestone"},
	}
	ofProject = commands{
		project.StatusProposed:       append([]string{"approve-project"}, whileOpen...),
		project.StatusApproved:       append([]string{"start-project"}, whileOpen...),
		project.StatusImplementation: append([]string{"complete-project", "suspend-project"}, whileOpen...),
		project.StatusSuspended:      append([]string{"resume-project"}, whileOpen...),
		project.StatusCompletion:     append([]string{"close-project"}, whileOpen...),
	}
)

// whileOpen are the commands of a project that has not ended.
var whileOpen = []string{
	"schedule-milestone", "approve-baseline", "pass-gate", "fail-gate", "assess-trl", "set-tolerance", "change-scope", "cancel-project",
}

// commandsOf leads to the forms for a milestone that its viewer may use. Nothing of a
// project that has ended changes.
func (v *visit) commandsOf(p projections.Project, m projections.Milestone, by commands) (dos []*doLink) {
	if len(ofProject[p.State]) == 0 {
		return nil
	}
	for _, command := range by[m.State] {
		if command == "remove-dependency" && len(m.DependsOn) == 0 {
			continue
		}
		if d := v.Do(command, "agreement", m.Agreement, "project", m.Project, "milestone", m.Milestone); d != nil {
			dos = append(dos, d)
		}
	}
	return dos
}

// Dos leads to the forms for the project.
func (a projectAnswer) Dos() (dos []*doLink) {
	for _, command := range ofProject[a.Of.State] {
		if d := a.Do(command, "agreement", a.Agreement, "project", a.Of.Project); d != nil {
			dos = append(dos, d)
		}
	}
	return dos
}

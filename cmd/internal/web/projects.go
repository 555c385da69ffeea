package web

import (
	"context"
	"slices"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/project"
	"github.com/milepost-ledger/milepost/projections"
)

// projectsPage lists the projects of an agreement, and those of a state, a RAG or an
// area.
var projectsPage = page{"GET /agreements/{agreement}/projects", "projects", projectsAnswer{}, of((*site).projects)}

type projectsAnswer struct {
	*visit
	Of       projections.Agreement
	Filter   projectFilter
	Projects []projectRow
	Next     string // cursor of more projects
}

// projectFilter is which projects are asked for; what is "" asks for nothing.
type projectFilter struct {
	State, RAG string
	Area       domain.Key
}

type projectRow struct {
	projections.Project
	Entity string
}

// fewProjects is how many projects that a filter lets pass end a page.
const fewProjects = 50

func (s *site) projects(ctx context.Context, v *visit) (projectsAnswer, error) {
	a, err := v.agreementCrumbs(ctx, "projects")
	if err != nil {
		return projectsAnswer{}, err
	}
	v.Title = v.Say("Projects")
	query := v.request.URL.Query()
	answer := projectsAnswer{
		visit: v, Of: a,
		Filter: projectFilter{State: query.Get("state"), RAG: query.Get("rag"), Area: domain.Key(query.Get("area"))},
	}
	asked := v.page()
	for len(answer.Projects) < fewProjects {
		found, next, err := v.models.Projects(ctx, v.Agreement, v.At, asked)
		if err != nil {
			return answer, err
		}
		for _, p := range found {
			if answer.Filter.passes(p) {
				answer.Projects = append(answer.Projects, projectRow{p, project.Ref(v.Agreement, p.Project).Path()})
			}
		}
		if answer.Next = next; next == "" {
			break
		}
		asked.Cursor = next
	}
	return answer, nil
}

func (f projectFilter) passes(p projections.Project) bool {
	return (f.State == "" || f.State == p.State) && (f.RAG == "" || f.RAG == p.RAG) && (f.Area == "" || slices.Contains(p.Areas, f.Area))
}

// Any reports whether a filter is set.
func (f projectFilter) Any() bool { return f != projectFilter{} }

// States lists the states of projects, to choose from.
func (projectsAnswer) States() []string {
	return []string{
		project.StatusProposed, project.StatusApproved, project.StatusImplementation, project.StatusSuspended,
		project.StatusCompletion, project.StatusClosed, project.StatusCancelled,
	}
}

// RAGs lists what a project can be, the worst first.
func (projectsAnswer) RAGs() []string { return []string{project.Red, project.Amber, project.Green} }

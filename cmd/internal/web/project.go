package web

import (
	"context"
	"html/template"
	"slices"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/project"
	"github.com/milepost-ledger/milepost/projections"
)

// projectPage is a project: how it stands, when what of it is to be met, how that
// moved and why, and what shows it.
var projectPage = page{"GET /agreements/{agreement}/projects/{project}", "project", projectAnswer{}, of((*site).project)}

type projectAnswer struct {
	*visit
	Of   projections.Project
	Self string // its path

	Schedule  schedule
	Earned    earnedValue
	Trend     trend
	Moves     []dateMove
	MoreMoves int // that are not shown
	Gates     []projections.Gate
	Decisions []projections.Decision     // that affect it
	decisions map[domain.Key]domain.Text // titles of all
	Money     []projections.Funding
	Evidence  []namedFiles
	FilesOf   int  // of how many events
	MoreFiles bool // there are more events
}

// fewMoves is how many moves are shown unless all are asked for.
const fewMoves = 30

func (s *site) project(ctx context.Context, v *visit) (answer projectAnswer, err error) {
	_, err = v.agreementCrumbs(ctx, "projects", crumb{v.Say("Projects"), agreementPath(v.Agreement, "projects")})
	if err != nil {
		return answer, err
	}
	key := domain.Key(v.request.PathValue("project"))
	p, err := v.models.Project(ctx, v.Agreement, key, v.At)
	if err != nil {
		return answer, err
	}
	v.Title = v.Plain(p.Title)
	answer = projectAnswer{visit: v, Of: p, Self: project.Ref(v.Agreement, key).Path()}

	trends, err := everyIn(ctx, v.Agreement, key, v.At, v.models.Trend)
	if err != nil {
		return answer, err
	}
	milestones, err := everyIn(ctx, v.Agreement, key, v.At, v.models.Milestones)
	if err != nil {
		return answer, err
	}
	curve, err := v.models.SCurve(ctx, v.Agreement, key, v.At)
	if err != nil {
		return answer, err
	}
	answer.Schedule = v.schedule(p, milestones)
	answer.Earned = v.earnedValue(curve)
	answer.Trend = v.trend(trends)
	answer.Moves, answer.MoreMoves = few(dateMoves(trends), v.asksForAll("moves"))
	if err := answer.explain(ctx, answer.Moves); err != nil {
		return answer, err
	}
	if err := answer.files(ctx, milestones); err != nil {
		return answer, err
	}
	return answer, answer.review(ctx, key)
}

// review finds the gates of the project, the decisions that affect it, and its money.
func (a *projectAnswer) review(ctx context.Context, key domain.Key) (err error) {
	a.Gates, err = everyIn(ctx, a.Agreement, key, a.At, a.models.Gates)
	if err != nil {
		return err
	}
	decisions, err := everyIn(ctx, a.Agreement, "", a.At, a.models.Decisions)
	if err != nil {
		return err
	}
	a.decisions = map[domain.Key]domain.Text{}
	for _, d := range decisions {
		a.decisions[d.Decision] = d.Title
	}
	a.Decisions = slices.DeleteFunc(decisions, func(d projections.Decision) bool {
		return !slices.ContainsFunc(d.Affects, func(path string) bool { return within(path, a.Self) })
	})
	money, err := everyIn(ctx, a.Agreement, projections.ByProject, a.At, a.models.Funding)
	a.Money = slices.DeleteFunc(money, func(f projections.Funding) bool { return f.Key != key })
	return err
}

// DecisionTitle shows a decision by its title, or else its key, and a dash for none.
func (a projectAnswer) DecisionTitle(key domain.Key) template.HTML {
	switch title, known := a.decisions[key]; {
	case known:
		return a.Text(title)
	case key == "":
		return none
	}
	return escaped(string(key))
}

// SlipDays is how many days after its baseline the project is expected to end; nil
// where there is no baseline.
func (a projectAnswer) SlipDays() *int {
	return daysBetween(a.Of.BaselineFinish, a.Of.ForecastFinish)
}

// asksForAll reports whether all of a list that is shown in part is asked for.
func (v *visit) asksForAll(list string) bool { return v.request.URL.Query().Get(list) == "all" }

// few returns the first of a list, and how many it leaves out.
func few[T any](all []T, whole bool) ([]T, int) {
	if whole || len(all) <= fewMoves {
		return all, 0
	}
	return all[:fewMoves], len(all) - fewMoves
}

// within reports whether a path is of an entity or of a part of it.
func within(path, entity string) bool {
	return path == entity || len(path) > len(entity) && path[:len(entity)+1] == entity+"/"
}

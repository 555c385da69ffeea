package web

import (
	"cmp"
	"context"
	"html/template"
	"slices"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/projections"
)

// agreementPage is an agreement: who agreed what, and what came of it.
var agreementPage = page{"GET /agreements/{agreement}", "agreement", agreementAnswer{}, of((*site).agreement)}

type agreementAnswer struct {
	*visit
	Of          projections.Agreement
	Signatures  []signature
	Areas       []area
	Mechanisms  []mechanism
	Obligations []debts
	Amendments  []projections.Amendment
	Projects    []projections.Project // the first of them, those that stand worst first
	Funds       []projections.Fund
	Results     []projections.Indicator // the first of them
	ResultCount int
	Verified    int // of all
	Balance     []projections.PartyBalance
	Pace        projections.Pace
	Timeline    template.HTML
	Moments     []moment
}

const (
	projectsShown = 20
	resultsShown  = 12
)

func (s *site) agreement(ctx context.Context, v *visit) (agreementAnswer, error) {
	answer := agreementAnswer{visit: v}
	a, err := v.agreementCrumbs(ctx, "agreement")
	if err != nil {
		return answer, err
	}
	v.Title, v.Crumbs = v.Plain(a.Title), v.Crumbs[:1]
	answer.Of, answer.Areas = a, areasOf(a.Areas, "", 0)
	for _, load := range []func(context.Context) error{
		answer.signatures, answer.mechanisms, answer.obligations, answer.below, answer.gains,
	} {
		if err := load(ctx); err != nil {
			return answer, err
		}
	}
	answer.timeline()
	return answer, nil
}

// below finds the amendments, projects, funds and results.
func (a *agreementAnswer) below(ctx context.Context) (err error) {
	of, at := a.Agreement, a.At
	a.Amendments, err = everyOf(ctx, of, at, a.models.Amendments)
	if err != nil {
		return err
	}
	a.Projects, err = everyOf(ctx, of, at, a.models.Projects)
	if err != nil {
		return err
	}
	slices.SortStableFunc(a.Projects, func(p, q projections.Project) int {
		return cmp.Or(urgency(p)-urgency(q), slip(q)-slip(p))
	})
	a.Funds, err = everyOf(ctx, of, at, a.models.Funds)
	if err != nil {
		return err
	}
	a.Results, err = everyOf(ctx, of, at, a.models.Indicators)
	a.ResultCount = len(a.Results)
	for _, r := range a.Results {
		if r.VerifiedPeriod != "" {
			a.Verified++
		}
	}
	return err
}

// gains finds what each party gave and got, and how soon.
func (a *agreementAnswer) gains(ctx context.Context) (err error) {
	a.Balance, err = everyOf(ctx, a.Agreement, a.At, a.models.Balance)
	if err == nil {
		a.Pace, err = a.models.Pace(ctx, a.Agreement, a.At)
	}
	return err
}

// urgency is 0 for what stands worst. What is over, well or not, is last.
func urgency(p projections.Project) int {
	if p.State == "closed" || p.State == "cancelled" {
		return 4
	}
	return slices.Index([]string{"red", "amber", "green", ""}, p.RAG)
}

// slip is how many days the forecast of a project is after its baseline.
func slip(p projections.Project) int {
	if days := daysBetween(p.BaselineFinish, p.ForecastFinish); days != nil {
		return *days
	}
	return 0
}

// Late is by how many days a project is expected to end too late; 0 where it is not.
func (a agreementAnswer) Late(p projections.Project) int { return max(0, slip(p)) }

// FirstProjects and FirstResults are so much of the projects and the results as the page has room for.
func (a agreementAnswer) FirstProjects() []projections.Project {
	return a.Projects[:min(len(a.Projects), projectsShown)]
}

func (a agreementAnswer) FirstResults() []projections.Indicator {
	return a.Results[:min(len(a.Results), resultsShown)]
}

// paceOf is when something first came to be, and how many days after the agreement
// took effect; nil where it did before.
type paceOf struct {
	*visit
	On   domain.Date
	Days *int
}

func (v *visit) PaceOf(on domain.Date, days *int) paceOf { return paceOf{v, on, days} }

// Length says a number of days.
func (v *visit) Length(days *int) string { return v.Language.Days(*days) }

// owedOf is what the template of obligations in a balance is given.
type owedOf struct {
	*visit
	Owed projections.Owed
}

func (v *visit) OwedOf(owed projections.Owed) owedOf { return owedOf{v, owed} }

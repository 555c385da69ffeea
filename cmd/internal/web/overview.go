package web

import (
	"context"
	"slices"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/projections"
)

// overview is the first page: how the agreements stand, what is due, what waits for
// the viewer, and what is new.
var overview = page{"GET /{$}", "overview", overviewAnswer{}, of((*site).overview)}

type overviewAnswer struct {
	*visit
	Agreements []standing
	Next       string // cursor of more agreements
	HasParties bool   // of a ledger without agreements
	Overdue    []projections.DueMilestone
	Late       int // overdue in all
	Coming     []projections.DueMilestone
	Awaits     []awaits
	News       []news
	NewsSince  domain.Date
}

// standing is how an agreement stands.
type standing struct {
	projections.Agreement
	Coming  *projections.DueMilestone // its next milestone
	Overdue int
}

const (
	agreementsShown = 25
	dueShown        = 8
	waitsShown      = 5
)

func (s *site) overview(ctx context.Context, v *visit) (overviewAnswer, error) {
	v.Title, v.Section = v.Say("Overview"), "overview"
	answer := overviewAnswer{visit: v}
	page := v.page()
	page.Limit = agreementsShown
	agreements, next, err := v.models.Agreements(ctx, v.At, page)
	if err != nil {
		return answer, err
	}
	answer.Next = next
	if len(agreements) == 0 {
		parties, _, err := v.models.Parties(ctx, v.At, projections.Page{Limit: 1})
		answer.HasParties = len(parties) > 0
		return answer, err
	}
	for _, a := range agreements {
		answer.Agreements = append(answer.Agreements, standing{Agreement: a})
	}
	slices.SortStableFunc(answer.Agreements, func(a, b standing) int { return over(a) - over(b) })
	if err := answer.due(ctx); err != nil {
		return answer, err
	}
	for _, party := range v.myParties() {
		a, err := v.awaits(ctx, party, projections.DefaultWithin, projections.Page{Limit: waitsShown})
		if notThere(err) {
			continue // it was not registered at the point of the page
		}
		if err != nil {
			return answer, err
		}
		answer.Awaits = append(answer.Awaits, a)
	}
	answer.News, answer.NewsSince, err = v.recent(ctx)
	return answer, err
}

// over is 1 of an agreement that has ended, which is shown after those that have not.
func over(a standing) int {
	if a.EndedOn != 0 {
		return 1
	}
	return 0
}

// due finds the milestones that are overdue and those that come next, of all
// agreements and of each that is shown.
func (a *overviewAnswer) due(ctx context.Context) error {
	all, err := a.models.DueAround(ctx, "", a.At, dueShown, dueShown)
	if err != nil {
		return err
	}
	a.Late, a.Overdue, a.Coming = all.Late, all.Overdue, all.Coming
	for i := range a.Agreements {
		of := &a.Agreements[i]
		one, err := a.models.DueAround(ctx, of.Agreement.Agreement, a.At, 0, 1)
		if err != nil {
			return err
		}
		if of.Overdue = one.Late; len(one.Coming) > 0 {
			of.Coming = &one.Coming[0]
		}
	}
	return nil
}

// MoreLate is how many overdue milestones are not shown.
func (a overviewAnswer) MoreLate() int { return a.Late - len(a.Overdue) }

// dueList is what the template of a list of milestones is given.
type dueList struct {
	*visit
	Items []projections.DueMilestone
}

func (v *visit) DueList(items []projections.DueMilestone) dueList { return dueList{v, items} }

package web

import (
	"cmp"
	"context"
	"encoding/json"
	"html/template"
	"slices"
	"strings"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/project"
	"github.com/milepost-ledger/milepost/projections"
)

// milestonePage is a milestone: all that is recorded of it, how each of its fields came
// to be what it is, and what follows if it slips.
var milestonePage = page{"GET /agreements/{agreement}/projects/{project}/milestones/{milestone}", "milestone", milestoneAnswer{}, of((*site).milestone)}

type milestoneAnswer struct {
	*visit
	Of       projections.Milestone
	Self     string // its path
	Dos      []*doLink
	Before   []projections.Milestone // what it depends on
	After    []projections.Milestone // what depends on it
	WhatIf   whatIf
	Net      bool // one line for each field that changed, and not every change
	History  []fieldHistory
	Next     string // cursor of more changes
	Evidence []namedFiles
}

// fieldHistory is how one field changed.
type fieldHistory struct {
	Field   string
	Changes []fieldChange
}

type fieldChange struct {
	projections.Change
	Evidence []domain.Hash
}

// whatIf is what follows if the milestone is met on another day.
type whatIf struct {
	May      bool   // it is still to be met
	Forecast string // the day, as it was asked for
	Problem  string // why there is no answer
	Impact   *projections.Impact
}

func (s *site) milestone(ctx context.Context, v *visit) (answer milestoneAnswer, err error) {
	of, key := domain.Key(v.request.PathValue("project")), domain.Key(v.request.PathValue("milestone"))
	a, err := v.agreementCrumbs(ctx, "projects", crumb{v.Say("Projects"), agreementPath(v.Agreement, "projects")})
	if err != nil {
		return answer, err
	}
	p, err := v.models.Project(ctx, a.Agreement, of, v.At)
	if err != nil {
		return answer, err
	}
	m, err := v.models.Milestone(ctx, a.Agreement, of, key, v.At)
	if err != nil {
		return answer, err
	}
	v.Title = v.Plain(m.Title)
	v.Crumbs = append(v.Crumbs, crumb{v.Plain(p.Title), agreementPath(v.Agreement, "projects", of)})
	answer = milestoneAnswer{visit: v, Of: m, Self: milestoneEntity(of, key), Dos: v.commandsOf(p, m, onPage)}

	all, err := everyIn(ctx, v.Agreement, of, v.At, v.models.Milestones)
	if err != nil {
		return answer, err
	}
	v.knowMilestones(all)
	for _, other := range all {
		if slices.Contains(m.DependsOn, other.Milestone) {
			answer.Before = append(answer.Before, other)
		}
		if slices.Contains(other.DependsOn, key) {
			answer.After = append(answer.After, other)
		}
	}
	if answer.WhatIf, err = v.whatIf(ctx, m); err != nil {
		return answer, err
	}
	return answer, answer.history(ctx, all)
}

// whatIf asks what follows if the milestone is met on the day of the query.
func (v *visit) whatIf(ctx context.Context, m projections.Milestone) (whatIf, error) {
	w := whatIf{May: m.State != project.Met && m.State != project.Dropped, Forecast: strings.TrimSpace(v.request.URL.Query().Get("forecast"))}
	if !w.May || w.Forecast == "" {
		return w, nil
	}
	day, err := domain.ParseDate(w.Forecast)
	if err != nil {
		w.Problem = v.Say("This is not a date. Write it as in 2027-06-30.")
		return w, nil
	}
	impact, err := v.models.Impact(ctx, m.Agreement, m.Project, m.Milestone, day, v.At)
	w.Impact = &impact
	return w, err
}

// history finds the changes of the milestone's fields, and the files behind them.
func (a *milestoneAnswer) history(ctx context.Context, milestones []projections.Milestone) error {
	a.Net = a.request.URL.Query().Get("moves") == "net"
	q := projections.ChangeQuery{To: a.At, Agreement: a.Agreement, Project: a.Of.Project, Milestone: a.Of.Milestone, Page: a.page()}
	if a.Net {
		q.Page.Limit = projections.MaxLimit // it has few fields
	}
	found, err := a.models.Changes(ctx, q)
	if err != nil {
		return err
	}
	var seqs []uint64
	for _, c := range found.Changes {
		seqs = append(seqs, c.Seq)
	}
	events, err := a.site.said(ctx, seqs)
	if err != nil {
		return err
	}
	a.Evidence = withFiles(events, milestones, a.At)
	if a.Net {
		q.Net = true
		if found, err = a.models.Changes(ctx, q); err != nil {
			return err
		}
	}
	a.Next = found.Next
	a.group(found.Changes, events)
	return nil
}

// group puts the changes of each field together.
func (a *milestoneAnswer) group(changes []projections.Change, events []said) {
	files, at := evidenceOf(events), map[string]int{}
	for _, c := range changes {
		i, known := at[c.Field]
		if !known {
			i, a.History = len(a.History), append(a.History, fieldHistory{Field: c.Field})
			at[c.Field] = i
		}
		a.History[i].Changes = append(a.History[i].Changes, fieldChange{c, files[c.Seq]})
	}
	slices.SortStableFunc(a.History, func(a, b fieldHistory) int { return cmp.Compare(fieldRank(a.Field), fieldRank(b.Field)) })
}

// fieldRank is where a field stands in the history: dates and state first.
func fieldRank(field string) int {
	if i := slices.Index([]string{"state", "forecast", "due", "baseline", "met_on", "percent", "claimed_by", "claimed_on", "confirmed_by"}, field); i >= 0 {
		return i
	}
	return 100
}

// milestoneList is some milestones of the project.
type milestoneList struct {
	milestoneAnswer
	Items []projections.Milestone
}

// List is what a list of milestones is shown from.
func (a milestoneAnswer) List(items []projections.Milestone) milestoneList {
	return milestoneList{a, items}
}

// FieldValue shows a field's value as everywhere, and other milestones by their titles.
func (a milestoneAnswer) FieldValue(field string, raw json.RawMessage) template.HTML {
	var keys []domain.Key
	if field != "depends_on" && field != "despite" || json.Unmarshal(raw, &keys) != nil {
		return a.visit.FieldValue(field, raw)
	}
	names := make([]template.HTML, len(keys))
	for i, key := range keys {
		names[i] = a.EntityIn(milestoneEntity(a.Of.Project, key)).Short()
	}
	return joined(names, ", ")
}

// PartyKey is the party of a change, by its key.
func (c fieldChange) PartyKey() domain.Key { return domain.Key(c.Party) }

package web

import (
	"cmp"
	"html/template"
	"slices"

	"github.com/milepost-ledger/milepost/cmd/internal/web/chart"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/project"
	"github.com/milepost-ledger/milepost/projections"
)

// fewRows is how many milestones a schedule shows unless all are asked for.
const fewRows = 60

// schedule is the milestones of a project that are shown: all, or where these are
// many, those nearest to today. What is overdue is near.
type schedule struct {
	Rows   []milestoneRow // by their agreed dates
	All    int            // how many there are
	Hidden int            // of them, how many are not shown
	Gantt  template.HTML
}

type milestoneRow struct {
	projections.Milestone
	Entity string
	Dos    []*doLink
}

func (v *visit) schedule(p projections.Project, milestones []projections.Milestone) schedule {
	shown := v.nearest(milestones)
	s := schedule{All: len(milestones), Hidden: len(milestones) - len(shown)}
	for _, m := range shown {
		s.Rows = append(s.Rows, milestoneRow{m, milestoneEntity(m.Project, m.Milestone), v.commandsOf(p, m, inTable)})
	}
	s.Gantt = v.gantt(s.Rows)
	return s
}

// nearest returns the milestones to be shown, by their agreed dates.
func (v *visit) nearest(all []projections.Milestone) []projections.Milestone {
	shown := slices.Clone(all)
	if !v.asksForAll("rows") && len(shown) > fewRows {
		slices.SortStableFunc(shown, func(a, b projections.Milestone) int { return cmp.Compare(v.distance(a), v.distance(b)) })
		shown = shown[:fewRows]
	}
	slices.SortStableFunc(shown, func(a, b projections.Milestone) int { return cmp.Compare(a.Due, b.Due) })
	return shown
}

// distance is how many days a milestone is away from today.
func (v *visit) distance(m projections.Milestone) int {
	switch {
	case m.MetOn != 0:
		return int(v.Today() - m.MetOn)
	case m.State == project.Scheduled || m.State == project.Claimed:
		return max(int(min(m.Due, m.Forecast)-v.Today()), 0)
	}
	return max(int(m.Due-v.Today()), int(v.Today()-m.Due))
}

func milestoneEntity(of, key domain.Key) string {
	return project.Kind + "/" + string(of) + "/milestone/" + string(key)
}

// gantt draws the milestones that were not cancelled.
func (v *visit) gantt(rows []milestoneRow) template.HTML {
	g := chart.Gantt{
		Frame: v.frame("gantt", v.Say("Schedule"),
			v.Say("For each milestone its baseline, the agreed date, and the forecast or the date met. The table of milestones has the same dates."),
			v.Say("No milestone is scheduled yet.")),
		AsOf: v.Today(),
		Words: chart.GanttWords{
			Baseline: v.Label("baseline"), Due: v.Say("Agreed"), Forecast: v.Label("forecast"), Met: v.Label(project.Met),
			Slip: v.Say("Slip from the baseline"), Dependency: v.Say("Depends on"), AsOf: v.Say("As of"), Changed: v.Say("Changed"), RAG: v.ragWords(),
		},
	}
	for _, m := range rows {
		if m.State == project.Dropped {
			continue
		}
		row := chart.GanttRow{
			Key: string(m.Milestone.Milestone), Title: v.Plain(m.Title), Href: v.MilestonePage(m.Agreement, m.Project, m.Milestone.Milestone),
			Baseline: m.Baseline, Due: m.Due, Forecast: m.Forecast, MetOn: m.MetOn, RAG: chart.RAG(m.RAG), Changed: v.changed(m),
		}
		for _, on := range m.DependsOn {
			row.DependsOn = append(row.DependsOn, string(on))
		}
		g.Rows = append(g.Rows, row)
	}
	return g.HTML()
}

// changed reports whether a row is marked in the chart.
func (v *visit) changed(m milestoneRow) bool {
	return v.New(m.Agreement, m.Entity) || slices.ContainsFunc([]string{"state", "baseline", "due", "forecast", "met_on", "percent"}, func(field string) bool {
		return v.Was(m.Agreement, m.Entity, field) != nil
	})
}

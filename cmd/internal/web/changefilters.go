package web

import (
	"cmp"
	"context"
	"slices"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/catalogue"
	"github.com/milepost-ledger/milepost/domain/meeting"
	"github.com/milepost-ledger/milepost/projections"
)

// changesChoices are what the ledger has to choose from in the filters.
type changesChoices struct {
	Agreements, Projects, Milestones, Meetings, Until, Mechanisms, Parties, Types, Reasons, Fields, Actors []choice
}

// choice is one of a list to choose from.
type choice struct {
	Value, Title string
	Chosen       bool
}

// choose adds a choice to a list, and marks the one that is made.
func choose(list *[]choice, chosen, value, title string) {
	*list = append(*list, choice{value, title, chosen == value})
}

// changesChoices finds what there is to choose from: of what is below an agreement,
// when one is chosen.
func (v *visit) changesChoices(ctx context.Context, asked changesQuery, changes []projections.Change) (c changesChoices, err error) {
	agreements, err := every(ctx, v.At, v.models.Agreements)
	if err != nil {
		return c, err
	}
	for _, a := range agreements {
		choose(&c.Agreements, asked.Agreement, string(a.Agreement), v.Plain(a.Title))
	}
	parties, err := every(ctx, v.At, v.models.Parties)
	if err != nil {
		return c, err
	}
	for _, p := range parties {
		choose(&c.Parties, asked.Party, string(p.Party), v.Plain(p.Title))
	}
	for _, t := range catalogue.EventTypes() {
		choose(&c.Types, asked.Type, t.Type, v.EventName(t.Type))
	}
	slices.SortStableFunc(c.Types, func(a, b choice) int { return cmp.Compare(a.Title, b.Title) })
	for _, reason := range domain.ReasonCodes {
		choose(&c.Reasons, asked.Reason, reason, v.Label(reason))
	}
	for _, change := range changes {
		if !slices.ContainsFunc(c.Fields, func(f choice) bool { return f.Value == change.Field }) {
			choose(&c.Fields, asked.Field, change.Field, v.FieldName(change.Field))
		}
		if !slices.ContainsFunc(c.Actors, func(a choice) bool { return a.Value == change.Actor }) {
			choose(&c.Actors, asked.Actor, change.Actor, change.Actor)
		}
	}
	if asked.Agreement == "" {
		return c, nil
	}
	return c, v.choicesBelow(ctx, asked, &c)
}

// choicesBelow are those of an agreement that is chosen.
func (v *visit) choicesBelow(ctx context.Context, asked changesQuery, c *changesChoices) error {
	of := domain.Key(asked.Agreement)
	projects, err := everyOf(ctx, of, v.At, v.models.Projects)
	if err != nil {
		return err
	}
	for _, p := range projects {
		choose(&c.Projects, asked.Project, string(p.Project), v.Plain(p.Title))
	}
	if asked.Project != "" {
		milestones, err := everyIn(ctx, of, domain.Key(asked.Project), v.At, v.models.Milestones)
		if err != nil {
			return err
		}
		for _, m := range milestones {
			choose(&c.Milestones, asked.Milestone, string(m.Milestone), v.Plain(m.Title))
		}
	}
	meetings, err := everyOf(ctx, of, v.At, v.models.Meetings)
	if err != nil {
		return err
	}
	slices.SortStableFunc(meetings, func(a, b projections.Meeting) int { return int(a.On - b.On) })
	held := map[domain.Key]bool{}
	for _, m := range slices.Backward(meetings) {
		if m.State == meeting.Held {
			held[m.Mechanism] = true
			choose(&c.Meetings, asked.SinceMeeting, string(m.Meeting), v.Date(m.On)+" "+v.Plain(m.Title))
			choose(&c.Until, asked.UntilMeeting, string(m.Meeting), v.Date(m.On)+" "+v.Plain(m.Title))
		}
	}
	mechanisms, err := everyOf(ctx, of, v.At, v.models.Mechanisms)
	for _, m := range mechanisms {
		if held[m.Mechanism] {
			choose(&c.Mechanisms, asked.SinceMeeting, string(m.Mechanism), v.Say("the last meeting: %s", v.Plain(m.Title)))
		}
	}
	return err
}

// quickChanges leads to what is asked most often: since the last meeting of each
// mechanism, and of the last days.
func (v *visit) quickChanges(asked changesQuery, c changesChoices) (links []quickLink) {
	add := func(title string, since changesQuery) {
		since.Agreement, since.Net = asked.Agreement, true
		links = append(links, quickLink{title, "/changes?" + since.values("").Encode()})
	}
	for _, m := range c.Mechanisms {
		add(v.Say("Since %s", m.Title), changesQuery{SinceMeeting: m.Value})
	}
	if len(c.Meetings) > 1 {
		add(v.Say("Between the last two meetings"), changesQuery{SinceMeeting: c.Meetings[1].Value, UntilMeeting: c.Meetings[0].Value})
	}
	add(v.Say("The last 7 days"), changesQuery{From: (v.At.Day - 7).String()})
	add(v.Say("The last 30 days"), changesQuery{From: (v.At.Day - 30).String()})
	return links
}

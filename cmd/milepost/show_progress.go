package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// shownProgress is how agreements and projects come along.
var shownProgress = []shown{
	{
		name: "s-curve", short: "Show planned and earned value over time, and the SPI, of an agreement or a project", keys: []string{"agreement"},
		address: func(k []string) string { return path("v1", "agreements", k[0], "s-curve") },
		filters: []filter{{name: "project", usage: "only of this project"}},
		whole:   true,
		list: &view{
			table: fields("date", "planned", "earned", "planned_percent", "earned_percent", "spi"),
			csv:   []string{"date", "planned", "earned", "planned_percent", "earned_percent", "spi"},
		},
	},
	{
		name: "trend", short: "Show how the dates of a project's milestones moved (milestone trend analysis)", keys: []string{"agreement", "project"},
		address: func(k []string) string { return path("v1", "agreements", k[0], "projects", k[1], "trend") },
		list: &view{
			table: append(fields("milestone", "title", "state", "baseline", "due", "first_forecast", "forecast", "met_on", "drift_days", "trend"), forecastsColumn),
			csv:   []string{"milestone", "title", "state", "baseline", "due", "first_forecast", "forecast", "met_on", "slip_days", "drift_days", "trend"},
		},
	},
	{
		name: "impact", short: "Show what follows if a milestone is met on the date --forecast", keys: []string{"agreement", "project", "milestone"},
		address: func(k []string) string {
			return path("v1", "agreements", k[0], "projects", k[1], "milestones", k[2], "impact")
		},
		filters: []filter{{name: "forecast", usage: "the date on which the milestone would be met"}},
		whole:   true,
		list: &view{
			table: fields("milestone", "title", "state", "forecast", "at_least", "expected", "moves_days", "slack_days", "with_lag_kept", "due", "late_days"),
			csv:   []string{"milestone", "title", "state", "forecast", "at_least", "expected", "moves_days", "slack_days", "with_lag_kept", "due", "late_days"},
		},
	},
	{
		name: "due", short: "Show the milestones that are still to be met, by their agreed dates, of all agreements or one", address: fixed("due"),
		filters: []filter{
			{name: "agreement", usage: "only of this agreement"},
			{name: "until", usage: "only what is due by this date"},
		},
		list: viewOf("due", "agreement", "project", "milestone", "title", "state", "forecast", "slip_days", "rag", "overdue"),
	},
	{
		name: "portfolio", short: "Show how many projects and milestones there are by state, colour and area, of all agreements or one", keys: []string{"agreement"}, optional: true,
		address: func(k []string) string {
			if k[0] == "" {
				return path("v1", "portfolio")
			}
			return path("v1", "agreements", k[0], "portfolio")
		},
		whole: true,
		list: viewOf("by", "value", "projects", "projects_green", "projects_amber", "projects_red",
			"milestones", "milestones_green", "milestones_amber", "milestones_red"),
	},
	{
		name: "pace", short: "Show how soon an agreement had its first project, milestone met and verified result", keys: []string{"agreement"},
		address: func(k []string) string { return path("v1", "agreements", k[0], "pace") },
	},
}

// forecastsColumn shows the forecasts of a milestone, each with the date on
// which it was made, one after the other.
var forecastsColumn = column{"FORECASTS", func(s style, r record) string {
	var series []record
	if err := json.Unmarshal(r.values["series"], &series); err != nil {
		return fmt.Sprintf("?%v", err)
	}
	var forecasts []string
	last := ""
	for _, move := range series {
		if f := s.get(move, "forecast"); f != last {
			forecasts = append(forecasts, f+" ("+s.get(move, "made_on")+")")
			last = f
		}
	}
	return strings.Join(forecasts, " → ")
}}

// printHead shows what an answer says beside its items, and an empty line.
func (a *app) printHead(answer []byte, items string) error {
	var head record
	if err := json.Unmarshal(answer, &head); err != nil {
		return fmt.Errorf("the answer is not an object: %w", err)
	}
	head.names = slices.DeleteFunc(head.names, func(name string) bool { return name == items || name == "as_of" })
	raw, err := json.Marshal(head)
	if err == nil {
		err = a.printObject(raw)
	}
	if err == nil {
		_, err = fmt.Fprintln(a.out)
	}
	return err
}

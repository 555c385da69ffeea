package main

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/milepost-ledger/milepost/domain/catalogue"
)

// shown is one thing that show shows.
type shown struct {
	name  string
	short string
	// keys name the flags that make the address; the last may be given as the
	// argument instead.
	keys     []string
	optional bool // without the keys it is of all
	address  func(keys []string) string
	filters  []filter
	list     *view // nil for one object
	whole    bool  // the list comes in one piece, with a head
	timeless bool  // the answer has no as_of
}

// filter is a parameter that narrows or shapes an answer.
type filter struct {
	name, usage string
	values      []string // all that it takes; nil where they are keys or free
}

func newShow(a *app) *cobra.Command {
	show := group("show WHAT", "Show agreements, projects, milestones, parties and events, as they are or as of any day")
	show.Example = "  milepost show agreements --as-of 2026-01-01\n" +
		"  milepost show milestones --agreement wuxi-cethik-2017 --project iot-base -o json\n" +
		"  milepost show milestones --agreement wuxi-cethik-2017 --project iot-base --effective-at 2027-06-30"
	for _, s := range slices.Concat(shownRegisters, shownProgress, shownCooperation, shownResults) {
		show.AddCommand(newShown(a, s))
	}
	return show
}

// shownRegisters are the agreements, projects, milestones and parties, and what
// is recorded of them.
var shownRegisters = []shown{
	{
		name: "agreements", short: "Show the agreements", address: fixed("agreements"), list: &view{
			table: fields("agreement", "title", "kind", "state", "parties", "effective_on", "percent", "rag", "milestones", "milestones_met"),
			csv:   []string{"agreement", "title", "kind", "state", "parties", "effective_on", "percent", "rag"},
		},
	},
	{
		name: "agreement", short: "Show one agreement", keys: []string{"agreement"},
		address: func(k []string) string { return path("v1", "agreements", k[0]) },
	},
	{
		name: "projects", short: "Show the projects of an agreement", keys: []string{"agreement"},
		address: func(k []string) string { return path("v1", "agreements", k[0], "projects") },
		list: &view{
			table: fields("project", "title", "kind", "state", "lead", "baseline_finish", "forecast_finish", "percent", "rag", "milestones", "milestones_met"),
			csv:   []string{"project", "agreement", "title", "kind", "state", "percent", "rag"},
		},
	},
	{
		name: "project", short: "Show one project", keys: []string{"agreement", "project"},
		address: func(k []string) string { return path("v1", "agreements", k[0], "projects", k[1]) },
	},
	{
		name: "milestones", short: "Show the milestones of a project", keys: []string{"agreement", "project"},
		address: func(k []string) string { return path("v1", "agreements", k[0], "projects", k[1], "milestones") },
		list: &view{
			table: fields("milestone", "title", "state", "baseline", "due", "forecast", "met_on", "slip_days", "moves", "rag", "weight", "percent"),
			csv:   []string{"milestone", "title", "state", "baseline", "due", "forecast", "met_on", "slip_days", "moves", "rag", "weight", "percent"},
		},
	},
	{
		name: "milestone", short: "Show one milestone", keys: []string{"agreement", "project", "milestone"},
		address: func(k []string) string {
			return path("v1", "agreements", k[0], "projects", k[1], "milestones", k[2])
		},
	},
	{
		name: "parties", short: "Show the parties", address: fixed("parties"), list: &view{
			table: fields("party", "title", "kind", "parent"),
			csv:   []string{"party", "title", "kind", "parent", "witness"},
		},
	},
	{
		name: "party", short: "Show one party", keys: []string{"party"},
		address: func(k []string) string { return path("v1", "parties", k[0]) },
	},
	{
		name: "events", short: "Show the events of the log", address: fixed("events"),
		filters: []filter{
			{name: "after", usage: "only events after this sequence"},
			{name: "agreement", usage: "only events of this agreement"},
			{name: "kind", usage: "only events of aggregates of this kind", values: kinds()},
			{name: "key", usage: "only events of the aggregate of that kind with this key"},
			{name: "type", usage: "only events of this type"},
			{name: "actor", usage: "only what this person or system did"},
			{name: "party", usage: "only what was done in the name of this party"},
		},
		list: &eventView,
	},
	{
		name: "event", short: "Show one event as it is stored", keys: []string{"seq"}, timeless: true,
		address: func(k []string) string { return path("v1", "events", k[0]) },
	},
	{
		name: "commands", short: "Show the commands that the server takes", address: fixed("commands"), timeless: true,
		list: &view{table: fields("command", "aggregate", "doc"), csv: []string{"command", "aggregate", "doc"}},
	},
}

// kinds are those of aggregates.
func kinds() (names []string) {
	for _, aggregate := range catalogue.Aggregates {
		names = append(names, aggregate.Kind)
	}
	return names
}

func fixed(name string) func([]string) string {
	return func([]string) string { return path("v1", name) }
}

func newShown(a *app, s shown) *cobra.Command {
	cmd := &cobra.Command{Use: s.name, Short: s.short, Args: cobra.NoArgs}
	q := newQuery(cmd, s.list != nil && !s.timeless && !s.whole)
	if s.list != nil {
		addOut(cmd)
	}
	if !s.timeless {
		q.addAsOf()
	}
	if s.belowAgreement() {
		q.addEffectiveAt()
	}
	for _, f := range s.filters {
		q.add(f.name, f.usage)
		if f.values != nil {
			complete(cmd, flagName(f.name), f.values...)
		} else {
			a.completeKeys(cmd, flagName(f.name), f.name)
		}
	}
	for _, key := range s.keys {
		cmd.Flags().String(key, "", "key of the "+key)
		a.completeKeys(cmd, key, key)
	}
	if n := len(s.keys); n > 0 {
		last := s.keys[n-1]
		cmd.Use += " [" + last + "]"
		cmd.Args = cobra.MaximumNArgs(1)
		cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return a.keys(cmd, last), cobra.ShellCompDirectiveNoFileComp
		}
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		keys, err := s.keysOf(cmd, args)
		if err != nil {
			return err
		}
		if s.list == nil {
			return a.showObject(cmd, q, s.address(keys))
		}
		answer, err := q.list(a, s.address(keys), "items")
		if err != nil {
			return err
		}
		if s.whole && a.output == "table" {
			if err := a.printHead(answer, "items"); err != nil {
				return err
			}
		}
		return a.printList(answer, "items", *s.list)
	}
	return cmd
}

// belowAgreement reports whether it is an agreement, or below one.
func (s *shown) belowAgreement() bool { return len(s.keys) > 0 && s.keys[0] == "agreement" }

// keysOf takes the keys from flags, the last from the argument where it is one.
func (s *shown) keysOf(cmd *cobra.Command, args []string) ([]string, error) {
	keys := make([]string, len(s.keys))
	for i, name := range s.keys {
		keys[i] = flagValue(cmd, name)
		if i == len(s.keys)-1 && len(args) == 1 {
			if keys[i] != "" {
				return nil, usagef("%s is given twice: as --%s and as %s", name, name, args[0])
			}
			keys[i] = args[0]
		}
		if keys[i] == "" && !s.optional {
			return nil, usagef("say which with --%s", name)
		}
	}
	return keys, nil
}

func (a *app) showObject(cmd *cobra.Command, q *query, address string) error {
	c, err := a.client()
	if err != nil {
		return err
	}
	answer, err := c.get(cmd.Context(), address, q.values())
	if err != nil {
		return err
	}
	return a.printObject(answer)
}

// eventView shows the register of events; the event itself is an object within
// each item.
var eventView = view{
	table: []column{
		field("seq"), inEvent("WHEN", "time"), inEvent("ACTOR", "actor"), inEvent("PARTY", "party"), inEvent("AGREEMENT", "agreement"),
		inEvent("SUBJECT", "subject"), inEvent("TYPE", "type"), inEvent("REASON", "reason"),
		field("settlement"), field("awaits"),
	},
	csv: []string{"seq", "settlement", "awaits"},
}

func inEvent(header, name string) column {
	return column{header, func(s style, r record) string {
		var event record
		if err := event.UnmarshalJSON(r.values["event"]); err != nil {
			return fmt.Sprintf("?%v", err)
		}
		return s.get(event, name)
	}}
}

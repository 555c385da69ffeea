package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

func newChanges(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use: "changes", Short: "Show what changed between two points in time, who changed it and why",
		Long: "Show what changed after --from and up to --to, field by field, in the order of the log.\n" +
			"Both take an instant (RFC 3339), a day (its end) or seq:N; without them the changes are all up to now.",
		Example: "  milepost changes --from 2026-09-01 --agreement wuxi-cethik-2017\n  milepost changes --from seq:1200 --all -o csv",
		Args:    cobra.NoArgs,
	}
	q := newQuery(cmd, true)
	q.add("from", "after this point; the beginning when absent")
	q.add("to", "up to and including this point; now when absent")
	for _, key := range []string{"agreement", "project", "milestone"} {
		q.add(key, "only what changed in this "+key)
		a.completeKeys(cmd, key, key)
	}
	q.add("party", "only what was changed in the name of this party")
	a.completeKeys(cmd, "party", "party")
	q.add("actor", "only what this person or system changed")
	q.add("type", "only what events of this type changed")
	q.add("field", "only changes of this field")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		answer, err := q.list(a, path("v1", "changes"), "changes")
		if err != nil {
			return err
		}
		v := changeView
		if cmd.Flags().Changed("agreement") { // it is the same in every line
			v.table = slices.DeleteFunc(slices.Clone(v.table), func(c column) bool { return c.header == "AGREEMENT" })
		}
		return a.printList(answer, "changes", v)
	}
	return cmd
}

var changeView = view{
	table: []column{
		field("seq"),
		{"WHEN", func(s style, r record) string { return s.get(r, "recorded_at") }},
		{"WHO", func(s style, r record) string {
			if party := s.get(r, "party"); party != "" {
				return s.get(r, "actor") + " (" + party + ")"
			}
			return s.get(r, "actor")
		}},
		field("agreement"), field("entity"), field("field"),
		{"CHANGE", func(s style, r record) string { return transition(s.get(r, "old"), s.get(r, "new")) }},
		field("reason"),
	},
	csv: []string{
		"seq", "event_id", "type", "agreement", "entity", "field", "op", "old", "new",
		"effective", "recorded_at", "actor", "party", "reason", "corrects",
	},
}

// transition writes one change of a value, with a place for what was not there.
func transition(before, after string) string {
	const none = "–"
	return strings.Join([]string{orElse(before, none), "→", orElse(after, none)}, " ")
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/milepost-ledger/milepost/domain"
)

func newChanges(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use: "changes", Short: "Show what changed between two points in time, who changed it and why",
		Long: "Show what changed after --from and up to --to, field by field, in the order of the log.\n" +
			"Both take an instant (RFC 3339), a day (its end) or seq:N; without them the changes are all up to now.\n" +
			"With --since-meeting the changes are those after a meeting was recorded as held: say which, or name a\n" +
			"mechanism or a kind of mechanisms for the last one that it held. --until-meeting ends them at a meeting in\n" +
			"the same way: of two, the last one and the one before it, each may be named by its kind.\n" +
			"With --mode net each field that moved is one line: from what it was to what it is, and in how many moves.\n" +
			"With --axis effective the changes of an --agreement are in the order of the dates from which they hold, each\n" +
			"as it is in that order; --from and --to are then days, and --as-of says by when they were recorded.",
		Example: "  milepost changes --from 2026-09-01 --agreement wuxi-cethik-2017\n" +
			"  milepost changes --agreement wuxi-cethik-2022 --since-meeting coordination --mode net\n" +
			"  milepost changes --agreement wuxi-cethik-2017 --entity project/iot-base/milestone/structure\n" +
			"  milepost changes --backdated --corrections\n" +
			"  milepost changes --agreement wuxi-cethik-2017 --axis effective --from 2018-12-31 --to 2019-12-31\n" +
			"  milepost changes --from seq:1200 --all -o csv",
		Args: cobra.NoArgs,
	}
	q := newQuery(cmd, true)
	q.add("from", "after this point; the beginning when absent")
	q.add("to", "up to and including this point; now when absent")
	q.add("since_meeting", "after this meeting, or the last one of this mechanism or kind of mechanisms, instead of --from")
	q.add("until_meeting", "up to and including this meeting, or the last one of this mechanism or kind, instead of --to")
	a.completeMeetings(cmd)
	q.add("axis", "recorded: by the order of recording; effective: by the dates from which they hold (default recorded)")
	complete(cmd, "axis", "recorded", "effective")
	q.add("as_of", "with --axis effective, what was recorded by then; now when absent")
	q.add("mode", "events: every change; net: one line for each field that moved (default events)")
	complete(cmd, "mode", "events", "net")
	q.add("agreement", "only what changed in this agreement")
	a.completeKeys(cmd, "agreement", "agreement")
	q.add("entity", "only what changed in this entity, such as project/iot-base or party/wuxi")
	a.completeEntity(cmd)
	q.addSwitch("own", "of an entity that has parts, only its own fields")
	for _, key := range []string{"project", "milestone"} {
		q.add(key, "only what changed in this "+key)
		a.completeKeys(cmd, key, key)
	}
	q.add("field", "only changes of this field")
	q.add("actor", "only what this person or system changed")
	q.add("party", "only what was changed in the name of this party")
	a.completeKeys(cmd, "party", "party")
	q.add("type", "only what events of this type changed")
	q.add("reason", "only what was changed for this reason")
	complete(cmd, "reason", domain.ReasonCodes...)
	q.addSwitch("backdated", "only what holds from before the day on which it was recorded")
	q.addSwitch("corrections", "only what puts another event right")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := splitEntity(cmd); err != nil {
			return err
		}
		answer, err := q.list(a, path("v1", "changes"), "changes")
		if err != nil {
			return err
		}
		v := changeView
		if flagValue(cmd, "axis") == "effective" { // the order is theirs
			v.table = slices.Insert(slices.Clone(v.table), 1, field("effective"))
		}
		if flagValue(cmd, "mode") == "net" {
			v.table = slices.Insert(slices.Clone(v.table), len(v.table)-2, field("moves"))
		}
		if cmd.Flags().Changed("agreement") { // it is the same in every line
			v.table = slices.DeleteFunc(slices.Clone(v.table), func(c column) bool { return c.header == "AGREEMENT" })
		}
		if err := a.sayRange(answer); err != nil {
			return err
		}
		return a.printList(answer, "changes", v)
	}
	return cmd
}

// splitEntity takes an --entity that names its agreement too, "a:project/p",
// as the read models write them; one of the ledger has none before the colon.
func splitEntity(cmd *cobra.Command) error {
	agreement, path, both := strings.Cut(flagValue(cmd, "entity"), ":")
	if !both {
		return nil
	}
	if given := flagValue(cmd, "agreement"); given != "" && given != agreement {
		return usagef("--entity is of agreement %q and --agreement says %q: leave one of them out", agreement, given)
	}
	if agreement != "" {
		if err := cmd.Flags().Set("agreement", agreement); err != nil {
			return err
		}
	}
	return cmd.Flags().Set("entity", path)
}

// sayRange tells a person between which points the changes are, where that is
// not what the command line said: since and until which meeting, and that there
// are none.
func (a *app) sayRange(answer []byte) error {
	if a.output != "table" {
		return nil
	}
	var said struct {
		From, To struct {
			Seq         uint64
			EffectiveAt string `json:"effective_at"`
		}
		Since, Until record

		Changes []json.RawMessage
	}
	if err := json.Unmarshal(answer, &said); err != nil {
		return fmt.Errorf("the answer is no list of changes: %w", err)
	}
	byDate := said.To.EffectiveAt != ""
	sayMeeting := func(word string, meeting record, seq uint64) {
		if meeting.names == nil {
			return
		}
		recorded := fmt.Sprintf(", recorded at sequence %d", seq)
		if byDate {
			recorded = ""
		}
		s := a.forPeople()
		_, _ = fmt.Fprintf(a.err, "milepost: %s meeting %s of %s on %s, %s%s\n",
			word, s.get(meeting, "meeting"), s.get(meeting, "mechanism"), s.get(meeting, "on"), s.get(meeting, "title"), recorded)
	}
	sayMeeting("since", said.Since, said.From.Seq)
	sayMeeting("until", said.Until, said.To.Seq)
	if len(said.Changes) == 0 {
		from, to := fmt.Sprintf("sequence %d", said.From.Seq), fmt.Sprint(said.To.Seq)
		if byDate {
			from, to = orElse(said.From.EffectiveAt, "the beginning"), said.To.EffectiveAt
		}
		_, _ = fmt.Fprintf(a.err, "milepost: nothing of it changed after %s up to %s\n", from, to)
	}
	return nil
}

var changeView = view{
	table: []column{
		field("seq"),
		{"WHEN", func(s style, r record) string { return s.get(r, "recorded_at") }},
		who,
		field("agreement"), field("entity"), field("field"),
		{"CHANGE", func(s style, r record) string { return transition(s.get(r, "old"), s.get(r, "new")) }},
		why,
	},
	csv: []string{
		"seq", "event_id", "type", "agreement", "entity", "field", "op", "old", "new", "moves",
		"effective", "recorded_at", "actor", "party", "reason", "note", "corrects", "corrects_seq",
	},
}

var who = column{"WHO", func(s style, r record) string {
	if party := s.get(r, "party"); party != "" {
		return s.get(r, "actor") + " (" + party + ")"
	}
	return s.get(r, "actor")
}}

// why has the words of a reason that says nothing by itself.
var why = column{"REASON", func(s style, r record) string {
	reason, note := s.get(r, "reason"), s.get(r, "note")
	if reason == "other" && note != "" {
		return reason + ": " + note
	}
	return reason
}}

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

package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/milepost-ledger/milepost/domain/catalogue"
	"github.com/milepost-ledger/milepost/domain/meeting"
)

// entityParts are the parts of aggregates whose keys the server lists.
var entityParts = map[string][]string{
	"agreement": {"mechanism", "obligation"}, "project": {"milestone", "gate"}, "meeting": {"action"},
	"fund": {"pledge", "commitment", "disbursement", "expenditure"}, "indicator": {"period"},
}

// completeEntity offers paths of entities, a kind or a key at a time:
// "project/", "project/iot-base", "project/iot-base/milestone/".
func (a *app) completeEntity(verb *cobra.Command) {
	completeFunc(verb, "entity", func(cmd *cobra.Command, _ []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		names := strings.Split(typed, "/")
		before := typed[:strings.LastIndexByte(typed, '/')+1]
		var next []string
		directive := cobra.ShellCompDirectiveNoFileComp
		switch len(names) {
		case 1, 3: // a kind goes on with a key
			directive |= cobra.ShellCompDirectiveNoSpace
			next = kindsUnder(names, flagValue(cmd, "agreement") != "")
		case 2:
			next = a.keysIn(names[0], func(flag string) string { return flagValue(cmd, flag) })
		case 4:
			next = a.keysIn(names[2], func(flag string) string {
				if flag == names[0] {
					return names[1]
				}
				return flagValue(cmd, flag)
			})
		}
		for i := range next {
			next[i] = before + next[i]
		}
		return next, directive
	})
}

// kindsUnder are the kinds that a path of these names may go on with: those of
// aggregates, of which those of the whole ledger are under no agreement, or of parts.
func kindsUnder(names []string, agreement bool) []string {
	next := slices.Clone(entityParts[names[0]])
	if len(names) == 1 {
		next = slices.DeleteFunc(kinds(), func(kind string) bool { return catalogue.LedgerWide(kind) == agreement })
	}
	for i := range next {
		next[i] += "/"
	}
	return next
}

// completeMeetings offers what --since-meeting and --until-meeting take.
func (a *app) completeMeetings(verb *cobra.Command) {
	for _, flag := range []string{"since-meeting", "until-meeting"} {
		completeFunc(verb, flag, func(cmd *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			return slices.Concat(a.keys(cmd, meeting.Kind), a.keys(cmd, "mechanism"), mechanismKinds), cobra.ShellCompDirectiveNoFileComp
		})
	}
}

var mechanismKinds = []string{"coordination", "consultation", "project-implementation"}

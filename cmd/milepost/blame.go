package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func newBlame(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use: "blame", Short: "Show the whole history of one field: who set it to what, when and why",
		Long: "Show every change of one field of one entity, the oldest first: when it was recorded and from when it holds,\n" +
			"who made it, from what to what, why, and which event it put right. The entity is a path within its agreement,\n" +
			"such as project/iot-base/milestone/design; agreement:path says both, and party/wuxi is under no agreement.",
		Example: "  milepost blame --agreement wuxi-cethik-2017 --entity project/iot-base/milestone/structure --field forecast\n" +
			"  milepost blame --entity wuxi-cethik-2017:project/iot-base --field state --as-of 2018-06-30",
		Args: cobra.NoArgs,
	}
	q := newQuery(cmd, true)
	q.add("agreement", "the agreement that the entity is under")
	a.completeKeys(cmd, "agreement", "agreement")
	q.add("entity", "whose field it is")
	a.completeEntity(cmd)
	q.add("field", "the field")
	completeFunc(cmd, "field", func(cmd *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if splitEntity(cmd) != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		ctx, cancel := context.WithTimeout(context.Background(), completionWait)
		defer cancel()
		fields, _ := a.fieldsOf(ctx, cmd) // a server that does not answer has none to offer
		return fields, cobra.ShellCompDirectiveNoFileComp
	})
	q.add("to", "its history up to this point, as known then (or --as-of); now when absent")
	cmd.Flags().SetNormalizeFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		if name == "as-of" {
			name = "to"
		}
		return pflag.NormalizedName(name)
	})
	q.always = url.Values{"own": {"true"}}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		for _, name := range []string{"entity", "field"} {
			if flagValue(cmd, name) == "" {
				return usagef("say which %s with --%s", name, name)
			}
		}
		if err := splitEntity(cmd); err != nil {
			return err
		}
		answer, err := q.list(a, path("v1", "changes"), "changes")
		if err != nil {
			return err
		}
		if err := a.sayNoHistory(cmd, answer); err != nil {
			return err
		}
		return a.printList(answer, "changes", blameView)
	}
	return cmd
}

// blameView is changeView without what is the same in every line.
var blameView = view{
	table: []column{
		field("seq"),
		{"RECORDED", func(s style, r record) string { return s.get(r, "recorded_at") }},
		field("effective"), who,
		{"CHANGE", func(s style, r record) string { return transition(s.get(r, "old"), s.get(r, "new")) }},
		field("reason"), field("note"),
		{"CORRECTS", func(s style, r record) string {
			return orElse(s.get(r, "corrects_seq"), s.get(r, "corrects"))
		}},
	},
	csv: changeView.csv,
}

// sayNoHistory tells a person of an empty history what there is instead.
func (a *app) sayNoHistory(cmd *cobra.Command, answer []byte) error {
	var list struct{ Changes []json.RawMessage }
	if err := json.Unmarshal(answer, &list); err != nil || len(list.Changes) > 0 {
		return err
	}
	fields, err := a.fieldsOf(cmd.Context(), cmd)
	if err != nil {
		return err
	}
	entity := flagValue(cmd, "entity")
	if len(fields) == 0 {
		_, _ = fmt.Fprintf(a.err, "milepost: nothing was ever said of %s by then; milepost changes shows which entities there are\n", entity)
		return nil
	}
	_, _ = fmt.Fprintf(a.err, "milepost: %s of %s was never set by then; what was is %s\n", flagValue(cmd, "field"), entity, strings.Join(fields, ", "))
	return nil
}

// fieldsOf are the fields of the entity on the line that have a value.
func (a *app) fieldsOf(ctx context.Context, cmd *cobra.Command) ([]string, error) {
	c, err := a.client()
	if err != nil {
		return nil, err
	}
	values := url.Values{"own": {"true"}, "mode": {"net"}, "limit": {"1000"}}
	for _, name := range []string{"agreement", "entity", "to"} {
		if v := flagValue(cmd, name); v != "" {
			values.Set(name, v)
		}
	}
	answer, err := c.get(ctx, path("v1", "changes"), values)
	if err != nil {
		return nil, err
	}
	var list struct {
		Changes []struct{ Field string }
	}
	if err := json.Unmarshal(answer, &list); err != nil {
		return nil, fmt.Errorf("the answer is no list of changes: %w", err)
	}
	var fields []string
	for _, change := range list.Changes {
		fields = append(fields, change.Field)
	}
	return fields, nil
}

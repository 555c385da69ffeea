package main

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/milepost-ledger/milepost/domain"
)

// completionWait is how long a shell may hang on Tab for a server's answer.
const completionWait = 500 * time.Millisecond

// keyKinds says which kind of key a field takes, where its name is not the kind.
var keyKinds = map[string]string{
	"acting_for": "party", "parties": "party", "lead": "party", "confirming": "party",
	"renews": "agreement", "by": "agreement",
	"depends_on": "milestone",
}

// completeField offers the values of a field: those of its enum, else the keys
// that the server has of its kind.
func (a *app) completeField(verb *cobra.Command, f *fieldFlag) {
	if values := f.enum(); len(values) > 0 {
		complete(verb, f.name(), values...)
		return
	}
	field := &f.field
	if field.Items != nil {
		field = field.Items
	}
	if field.Type == "boolean" {
		complete(verb, f.name(), "true", "false")
		return
	}
	if field.Pattern != domain.KeyPattern {
		return
	}
	kind := f.field.Name
	if other, ok := keyKinds[kind]; ok {
		kind = other
	}
	a.completeKeys(verb, f.name(), kind)
}

// completeKeys offers the keys of a kind: those of the ledger, or of the
// agreement and project that the line names already.
func (a *app) completeKeys(verb *cobra.Command, flag, kind string) {
	if !slices.Contains([]string{"party", "agreement", "project", "milestone"}, kind) {
		return
	}
	completeFunc(verb, flag, func(cmd *cobra.Command, _ []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		// A list goes on after its last comma.
		before := typed[:strings.LastIndexByte(typed, ',')+1]
		keys := a.keys(cmd, kind)
		for i := range keys {
			keys[i] = before + keys[i]
		}
		return keys, cobra.ShellCompDirectiveNoFileComp
	})
}

// keys asks the server; a server that does not answer has none to offer.
func (a *app) keys(cmd *cobra.Command, kind string) []string {
	address, ok := map[string]string{"party": path("v1", "parties"), "agreement": path("v1", "agreements")}[kind]
	agreement, project := flagValue(cmd, "agreement"), flagValue(cmd, "project")
	switch {
	case kind == "project" && agreement != "":
		address, ok = path("v1", "agreements", agreement, "projects"), true
	case kind == "milestone" && agreement != "" && project != "":
		address, ok = path("v1", "agreements", agreement, "projects", project, "milestones"), true
	}
	c, err := a.client()
	if !ok || err != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), completionWait)
	defer cancel()
	answer, err := c.get(ctx, address, url.Values{"limit": {"1000"}})
	if err != nil {
		return nil
	}
	var list struct {
		Items []record `json:"items"`
	}
	if json.Unmarshal(answer, &list) != nil {
		return nil
	}
	var keys []string
	for _, item := range list.Items {
		s := style{languages: a.languages()}
		keys = append(keys, cobra.CompletionWithDesc(s.get(item, kind), s.get(item, "title")))
	}
	return keys
}

func flagValue(cmd *cobra.Command, name string) string {
	if f := cmd.Flags().Lookup(name); f != nil {
		return f.Value.String()
	}
	return ""
}

package main

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/milepost-ledger/milepost/domain"
)

// completionWait is how long a shell may hang on Tab for a server's answer.
const completionWait = 500 * time.Millisecond

// keyKinds says which kind of key a field takes, where its name is not the kind.
var keyKinds = map[string]string{
	"acting_for": "party", "parties": "party", "lead": "party", "confirming": "party", "members": "party",
	"debtor": "party", "beneficiary": "party", "owner": "party", "manager": "party", "reporter": "party", "verifier": "party",
	"renews": "agreement", "by": "agreement",
	"depends_on": "milestone", "on": "milestone",
}

// keyLists says where the server lists the keys of a kind, as members of that
// name; {x} is the key that the line has for the flag --x.
var keyLists = map[string][]string{
	"party":        {"parties"},
	"principal":    {"access"},
	"subscriber":   {"subscribers"},
	"webhook":      {"webhooks"},
	"agreement":    {"agreements"},
	"project":      {"agreements", "{agreement}", "projects"},
	"milestone":    {"agreements", "{agreement}", "projects", "{project}", "milestones"},
	"gate":         {"agreements", "{agreement}", "projects", "{project}", "gates"},
	"mechanism":    {"agreements", "{agreement}", "mechanisms"},
	"obligation":   {"agreements", "{agreement}", "obligations"},
	"amendment":    {"agreements", "{agreement}", "amendments"},
	"meeting":      {"agreements", "{agreement}", "meetings"},
	"decision":     {"agreements", "{agreement}", "decisions"},
	"action":       {"agreements", "{agreement}", "meetings", "{meeting}", "actions"},
	"fund":         {"agreements", "{agreement}", "funds"},
	"pledge":       {"agreements", "{agreement}", "funds", "{fund}", "pledges"},
	"commitment":   {"agreements", "{agreement}", "funds", "{fund}", "commitments"},
	"disbursement": {"agreements", "{agreement}", "funds", "{fund}", "disbursements"},
	"expenditure":  {"agreements", "{agreement}", "funds", "{fund}", "expenditures"},
	"indicator":    {"agreements", "{agreement}", "indicators"},
	"period":       {"agreements", "{agreement}", "indicators", "{indicator}", "periods"},
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
	kind := f.field.Name
	if field.Pattern != domain.KeyPattern && kind != "period" { // which is a key of its indicator's
		return
	}
	if other, ok := keyKinds[kind]; ok {
		kind = other
	}
	a.completeKeys(verb, f.name(), kind)
}

// completeKeys offers the keys of a kind: those of the ledger, or of what the
// line names already.
func (a *app) completeKeys(verb *cobra.Command, flag, kind string) {
	if _, listed := keyLists[kind]; !listed {
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

// keys are those of a kind of what the line names.
func (a *app) keys(cmd *cobra.Command, kind string) []string {
	return a.keysIn(kind, func(flag string) string { return flagValue(cmd, flag) })
}

// keysIn asks the server; a server that does not answer has none to offer.
func (a *app) keysIn(kind string, flag func(name string) string) []string {
	address, ok := keyList(kind, flag)
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

// keyList is the address of the list of a kind's keys, if the flags say enough
// for one.
func keyList(kind string, flag func(name string) string) (address string, ok bool) {
	parts := append([]string{"v1"}, keyLists[kind]...)
	for i, part := range parts {
		if name, isFlag := strings.CutPrefix(part, "{"); isFlag {
			if parts[i] = flag(strings.TrimSuffix(name, "}")); parts[i] == "" {
				return "", false
			}
		}
	}
	return path(parts...), len(parts) > 1
}

func flagValue(cmd *cobra.Command, name string) string {
	if f := cmd.Flags().Lookup(name); f != nil {
		return f.Value.String()
	}
	return ""
}

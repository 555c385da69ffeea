package main

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

func newAccess(a *app) *cobra.Command {
	cmd := group("access", "Show who may do what, and what is restricted")
	cmd.Long = "Show the principals, people and programs, with their grants, tokens and identities. Rights are those of the last\n" +
		"event; --as-of shows what they were. Granting and revoking are commands like all else: milepost do grant-access,\n" +
		"revoke-access, link-identity, restrict-access, lift-restriction."
	cmd.Example = "  milepost do grant-access --principal li-wei --name 李伟 --role representative --agreement wuxi-cethik-2017 --party wuxi\n" +
		"  milepost access list\n  milepost access show li-wei --as-of 2026-01-01"
	for _, s := range shownAccess {
		cmd.AddCommand(newShown(a, s))
	}
	return cmd
}

// shownAccess are the principals, and what is restricted.
var shownAccess = []shown{
	{
		name: "list", short: "Show the principals and what they may do", address: fixed("access"), list: &view{
			table: []column{field("principal"), field("name"), {"GRANTS", standingGrants}, {"TOKENS", countStanding("tokens")}, {"IDENTITIES", countStanding("identities")}},
			csv:   []string{"principal", "name", "grants", "tokens", "identities", "version"},
		},
	},
	{
		name: "show", short: "Show one principal, with all that was ever granted to it", keys: []string{"principal"},
		address: func(k []string) string { return path("v1", "access", k[0]) },
	},
	{
		name: "restrictions", short: "Show what is restricted, by agreement", address: fixed("restrictions"), list: &view{
			table: []column{field("agreement"), {"PROJECTS", keysIn("projects")}, {"AREAS", keysIn("areas")}},
			csv:   []string{"agreement", "projects", "areas", "version"},
		},
	},
}

// recordsIn are the objects in a member of an item.
func recordsIn(r record, name string) (all []record) {
	_ = json.Unmarshal(r.values[name], &all) // what is no list has no objects
	return all
}

// stands reports whether a grant, a token or an identity holds still.
func stands(s style, r record) bool {
	return !slices.ContainsFunc([]string{"revoked", "expired", "unlinked"}, func(end string) bool { return s.get(r, end) == "true" })
}

// standingGrants says what a principal may do now: "representative of wuxi in
// wuxi-cethik-2017, viewer".
func standingGrants(s style, r record) string {
	var all []string
	for _, g := range recordsIn(r, "grants") {
		if !stands(s, g) {
			continue
		}
		text := s.get(g, "role")
		for _, part := range [][2]string{{" of ", "party"}, {" in ", "agreement"}, {", cleared for ", "cleared"}} {
			if v := s.get(g, part[1]); v != "" {
				text += part[0] + v
			}
		}
		all = append(all, text)
	}
	return strings.Join(all, "; ")
}

// countStanding counts what holds still.
func countStanding(name string) func(style, record) string {
	return func(s style, r record) string {
		n := 0
		for _, x := range recordsIn(r, name) {
			if stands(s, x) {
				n++
			}
		}
		b, _ := json.Marshal(n)
		return string(b)
	}
}

// keysIn are the keys of the objects in a member.
func keysIn(name string) func(style, record) string {
	return func(s style, r record) string {
		var keys []string
		for _, x := range recordsIn(r, name) {
			keys = append(keys, s.get(x, "key"))
		}
		return strings.Join(keys, ", ")
	}
}

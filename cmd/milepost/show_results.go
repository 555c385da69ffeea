package main

import (
	"encoding/json"
	"fmt"
	"strings"
)

// shownResults is what the money did and what came of it.
var shownResults = []shown{
	{
		name: "funds", short: "Show the funds of an agreement, with what was moved summed up", keys: []string{"agreement"}, address: under("funds"),
		list: viewOf("fund", "title", "state", "manager", "currency", "target_size", "pledged", "committed", "disbursed", "spent"),
	},
	{name: "fund", short: "Show one fund", keys: []string{"agreement", "fund"}, address: itemUnder("funds")},
	{
		name: "pledges", short: "Show what parties mean to put into a fund", keys: []string{"agreement", "fund"}, address: partsUnder("funds", "pledges"),
		list: viewOf("pledge", "party", "amount", "currency", "on", "committed"),
	},
	{
		name: "commitments", short: "Show what parties are bound to put into a fund", keys: []string{"agreement", "fund"}, address: partsUnder("funds", "commitments"),
		list: viewOf("commitment", "party", "pledge", "amount", "currency", "on", "disbursed"),
	},
	{
		name: "disbursements", short: "Show what a fund paid out", keys: []string{"agreement", "fund"}, address: partsUnder("funds", "disbursements"),
		list: viewOf("disbursement", "commitment", "party", "project", "milestone", "amount", "currency", "on", "spent"),
	},
	{
		name: "expenditures", short: "Show what was spent of a fund's disbursements", keys: []string{"agreement", "fund"}, address: partsUnder("funds", "expenditures"),
		list: viewOf("expenditure", "disbursement", "party", "project", "title", "amount", "currency", "on"),
	},
	{
		name: "indicators", short: "Show the indicators of an agreement, with their latest actuals", keys: []string{"agreement"}, address: under("indicators"),
		list: viewOf("indicator", "title", "level", "unit", "baseline", "actual_period", "actual", "verified_period", "verified", "progress_period", "progress", "beneficiary"),
	},
	{name: "indicator", short: "Show one indicator", keys: []string{"agreement", "indicator"}, address: itemUnder("indicators")},
	{
		name: "periods", short: "Show the periods of an indicator, with targets and actuals", keys: []string{"agreement", "indicator"},
		address: partsUnder("indicators", "periods"),
		list:    viewOf("period", "baseline", "target", "target_text", "actual", "actual_text", "state", "verified_on", "locked", "progress"),
	},
	{
		name: "results", short: "Show the results of an agreement by group: summed where they may be", keys: []string{"agreement"}, address: under("results"),
		filters: []filter{{name: "by", usage: "period (the default), area, project or beneficiary", values: []string{"period", "area", "project", "beneficiary"}}},
		list:    viewOf("key", "level", "unit", "period", "indicator", "baseline", "target", "actual", "verified", "progress", "indicators", "reported"),
	},
	{
		name: "funding", short: "Show the way of the money: pledged, committed, disbursed, spent", keys: []string{"agreement"}, address: under("funding"),
		filters: []filter{{name: "by", usage: "party (the default) or project", values: []string{"party", "project"}}},
		list:    viewOf("key", "currency", "pledged", "committed", "disbursed", "spent"),
	},
	{
		name: "balance", short: "Show for each party what it owes and is owed, has put in, and benefits from", keys: []string{"agreement"}, address: under("balance"),
		list: &view{
			table: []column{
				field("party"),
				inMember("OWES", "owes", "count"), inMember("OPEN", "owes", "open"), inMember("OVERDUE", "owes", "overdue"),
				inMember("BREACHED", "owes", "breached"), inMember("FULFILLED", "owes", "fulfilled"),
				inMember("OWED", "owed", "count"), inMember("OWED FULFILLED", "owed", "fulfilled"),
				putIn("COMMITTED", "committed"), putIn("SPENT", "spent"),
				{"RESULTS", func(_ style, r record) string { return fmt.Sprint(len(objects(r.values["results"]))) }}, field("verified"),
			},
			csv: []string{"party", "owes", "owed", "put_in", "results", "verified"},
		},
	},
}

// inMember is a column of a member of a member.
func inMember(header, member, name string) column {
	return column{header, func(s style, r record) string {
		var inner record
		if err := json.Unmarshal(r.values[member], &inner); err != nil {
			return fmt.Sprintf("?%v", err)
		}
		return s.get(inner, name)
	}}
}

// putIn is a column of what a party put into funds, by currency.
func putIn(header, name string) column {
	return column{header, func(s style, r record) string {
		var sums []string
		for _, f := range objects(r.values["put_in"]) {
			sums = append(sums, s.get(f, name)+" "+s.get(f, "currency"))
		}
		return strings.Join(sums, ", ")
	}}
}

// objects are the objects of a list; none of what is no list.
func objects(list json.RawMessage) (all []record) {
	_ = json.Unmarshal(list, &all)
	return all
}

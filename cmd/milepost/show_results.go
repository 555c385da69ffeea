package main

import (
	"encoding/json"
	"fmt"
	"strings"
)

func init() {
	inAgreement, inFund := []string{"agreement"}, []string{"agreement", "fund"}
	everythingShown = append(everythingShown,
		shown{
			name: "funds", short: "Show the funds of an agreement, with what was moved summed up", keys: inAgreement, address: under("funds"),
			list: viewOf("fund", "title", "state", "manager", "currency", "target_size", "pledged", "committed", "disbursed", "spent"),
		},
		shown{name: "fund", short: "Show one fund", keys: inFund, address: itemUnder("funds")},
		shown{
			name: "pledges", short: "Show what parties mean to put into a fund", keys: inFund, address: partsUnder("funds", "pledges"),
			list: viewOf("pledge", "party", "amount", "currency", "on", "committed"),
		},
		shown{
			name: "commitments", short: "Show what parties are bound to put into a fund", keys: inFund, address: partsUnder("funds", "commitments"),
			list: viewOf("commitment", "party", "pledge", "amount", "currency", "on", "disbursed"),
		},
		shown{
			name: "disbursements", short: "Show what a fund paid out", keys: inFund, address: partsUnder("funds", "disbursements"),
			list: viewOf("disbursement", "commitment", "party", "project", "milestone", "amount", "currency", "on", "spent"),
		},
		shown{
			name: "expenditures", short: "Show what was spent of a fund's disbursements", keys: inFund, address: partsUnder("funds", "expenditures"),
			list: viewOf("expenditure", "disbursement", "party", "project", "title", "amount", "currency", "on"),
		},
		shown{
			name: "indicators", short: "Show the indicators of an agreement, with their latest actuals", keys: inAgreement, address: under("indicators"),
			list: viewOf("indicator", "title", "level", "unit", "baseline", "actual_period", "actual", "verified_period", "verified", "progress_period", "progress", "beneficiary"),
		},
		shown{name: "indicator", short: "Show one indicator", keys: []string{"agreement", "indicator"}, address: itemUnder("indicators")},
		shown{
			name: "periods", short: "Show the periods of an indicator, with targets and actuals", keys: []string{"agreement", "indicator"},
			address: partsUnder("indicators", "periods"),
			list:    viewOf("period", "baseline", "target", "target_text", "actual", "actual_text", "state", "verified_on", "locked", "progress"),
		},
		shown{
			name: "results", short: "Show the results of an agreement by group: summed where they may be", keys: inAgreement, address: under("results"),
			filters: [][2]string{{"by", "period (the default), area, project or beneficiary"}},
			list:    viewOf("key", "level", "unit", "period", "indicator", "baseline", "target", "actual", "verified", "progress", "indicators", "reported"),
		},
		shown{
			name: "funding", short: "Show the way of the money: pledged, committed, disbursed, spent", keys: inAgreement, address: under("funding"),
			filters: [][2]string{{"by", "party (the default) or project"}},
			list:    viewOf("key", "currency", "pledged", "committed", "disbursed", "spent"),
		},
		shown{
			name: "balance", short: "Show for each party what it owes and is owed, has put in, and benefits from", keys: inAgreement, address: under("balance"),
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
		})
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

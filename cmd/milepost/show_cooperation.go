package main

// under is the address of something under an agreement, whose key is the first.
func under(name string) func(keys []string) string {
	return func(k []string) string { return path("v1", "agreements", k[0], name) }
}

// itemUnder is the address of one of them, whose key is the second.
func itemUnder(name string) func(keys []string) string {
	return func(k []string) string { return path("v1", "agreements", k[0], name, k[1]) }
}

// partsUnder is the address of its parts.
func partsUnder(name, parts string) func(keys []string) string {
	return func(k []string) string { return path("v1", "agreements", k[0], name, k[1], parts) }
}

// viewOf shows the same members in a table and first in a CSV file.
func viewOf(names ...string) *view { return &view{table: fields(names...), csv: names} }

func init() {
	inAgreement := []string{"agreement"}
	ofMeeting := [][2]string{{"meeting", "only of this meeting"}}
	everythingShown = append(everythingShown,
		shown{
			name: "mechanisms", short: "Show the mechanisms of an agreement: the bodies that meet", keys: inAgreement, address: under("mechanisms"),
			list: viewOf("mechanism", "title", "kind", "state", "members", "cadence", "established_on", "dissolved_on"),
		},
		shown{
			name: "obligations", short: "Show what the parties of an agreement owe each other", keys: inAgreement, address: under("obligations"),
			list: viewOf("obligation", "title", "debtor", "beneficiary", "due", "value", "state", "fulfilled_on", "overdue"),
		},
		shown{
			name: "obligation", short: "Show one obligation", keys: []string{"agreement", "obligation"}, address: itemUnder("obligations"),
		},
		shown{
			name: "amendments", short: "Show the amendments of an agreement", keys: inAgreement, address: under("amendments"),
			list: viewOf("amendment", "title", "state", "proposed_by", "proposed_on", "parties", "reason_code", "rationale", "effective_on", "ended_on"),
		},
		shown{
			name: "amendment", short: "Show one amendment, with its signatures and the changes that it makes", keys: []string{"agreement", "amendment"},
			address: itemUnder("amendments"),
		},
		shown{
			name: "meetings", short: "Show the meetings under an agreement", keys: inAgreement, address: under("meetings"),
			list: viewOf("meeting", "mechanism", "title", "on", "state", "members", "confirmed_by", "confirmed", "decisions", "actions", "actions_open"),
		},
		shown{
			name: "meeting", short: "Show one meeting", keys: []string{"agreement", "meeting"}, address: itemUnder("meetings"),
		},
		shown{
			name: "decisions", short: "Show what meetings under an agreement decided", keys: inAgreement, address: under("decisions"), filters: ofMeeting,
			list: viewOf("decision", "meeting", "on", "title", "affects"),
		},
		shown{
			name: "actions", short: "Show the action items of meetings under an agreement", keys: inAgreement, address: under("actions"), filters: ofMeeting,
			list: viewOf("action", "meeting", "title", "owner", "due", "state", "done_on", "overdue"),
		},
		shown{
			name: "gates", short: "Show the stage gates of a project by their last review", keys: []string{"agreement", "project"},
			address: partsUnder("projects", "gates"),
			list:    viewOf("gate", "title", "outcome", "on", "decision"),
		},
		shown{
			name: "awaiting", short: "Show what waits for a party, most urgent first", address: fixed("awaiting"),
			filters: [][2]string{
				{"party", "the party that is waited for"},
				{"within", "milestones and reports that are due at most so many days ahead (default 30)"},
			},
			list: viewOf("kind", "agreement", "entity", "title", "due", "overdue", "since"),
		})
}

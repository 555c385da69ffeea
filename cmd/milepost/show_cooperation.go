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

// shownCooperation is how the parties of an agreement work together.
var shownCooperation = []shown{
	{
		name: "mechanisms", short: "Show the mechanisms of an agreement: the bodies that meet", keys: []string{"agreement"}, address: under("mechanisms"),
		list: viewOf("mechanism", "title", "kind", "state", "members", "cadence", "established_on", "dissolved_on"),
	},
	{
		name: "obligations", short: "Show what the parties of an agreement owe each other", keys: []string{"agreement"}, address: under("obligations"),
		list: viewOf("obligation", "title", "debtor", "beneficiary", "due", "value", "state", "fulfilled_on", "overdue"),
	},
	{
		name: "obligation", short: "Show one obligation", keys: []string{"agreement", "obligation"}, address: itemUnder("obligations"),
	},
	{
		name: "amendments", short: "Show the amendments of an agreement", keys: []string{"agreement"}, address: under("amendments"),
		list: viewOf("amendment", "title", "state", "proposed_by", "proposed_on", "parties", "reason_code", "rationale", "effective_on", "ended_on"),
	},
	{
		name: "amendment", short: "Show one amendment, with its signatures and the changes that it makes", keys: []string{"agreement", "amendment"},
		address: itemUnder("amendments"),
	},
	{
		name: "meetings", short: "Show the meetings under an agreement", keys: []string{"agreement"}, address: under("meetings"),
		list: viewOf("meeting", "mechanism", "title", "on", "state", "members", "confirmed_by", "confirmed", "decisions", "actions", "actions_open"),
	},
	{
		name: "meeting", short: "Show one meeting", keys: []string{"agreement", "meeting"}, address: itemUnder("meetings"),
	},
	{
		name: "decisions", short: "Show what meetings under an agreement decided", keys: []string{"agreement"}, address: under("decisions"), filters: []filter{{name: "meeting", usage: "only of this meeting"}},
		list: viewOf("decision", "meeting", "on", "title", "affects"),
	},
	{
		name: "actions", short: "Show the action items of meetings under an agreement", keys: []string{"agreement"}, address: under("actions"), filters: []filter{{name: "meeting", usage: "only of this meeting"}},
		list: viewOf("action", "meeting", "title", "owner", "due", "state", "done_on", "overdue"),
	},
	{
		name: "gates", short: "Show the stage gates of a project by their last review", keys: []string{"agreement", "project"},
		address: partsUnder("projects", "gates"),
		list:    viewOf("gate", "title", "outcome", "on", "decision"),
	},
	{
		name: "awaiting", short: "Show what waits for a party, most urgent first", address: fixed("awaiting"),
		filters: []filter{
			{name: "party", usage: "the party that is waited for"},
			{name: "within", usage: "milestones and reports that are due at most so many days ahead (default 30)"},
		},
		list: viewOf("kind", "agreement", "entity", "title", "due", "overdue", "since"),
	},
}

package words

import "strings"

// Label says what a code of the ledger means, such as a state, a kind, or the name of a
// field or a command: "fulfilment-claimed" is "Fulfilment claimed". What is no code, such
// as a reason in somebody's own words, stays as it is.
func (l *Language) Label(code string) string {
	if text, ok := called[code]; ok {
		return l.translate(text)
	}
	if code == "" || strings.IndexByte("-_ ", code[0]) >= 0 || strings.ContainsFunc(code, notOfCode) {
		return l.translate(code)
	}
	said := strings.Split(strings.NewReplacer("-", " ", "_", " ").Replace(code), " ")
	for i, word := range said {
		if short, ok := abbreviations[word]; ok {
			said[i] = short
		}
	}
	text := strings.Join(said, " ")
	return l.translate(strings.ToUpper(text[:1]) + text[1:])
}

// abbreviations are words of codes that are written in capitals.
var abbreviations = map[string]string{"https": "HTTPS", "ocds": "OCDS", "trl": "TRL", "url": "URL"}

// called has the codes that say something else than their words: those in which a
// hyphen stays, and names of fields that people do not know.
var called = map[string]string{
	"as-of-before-first":      "Before the first event",
	"as-of-in-future":         "Point in the future",
	"claimant-only-confirmer": "Nobody else can confirm",
	"half-yearly":             "Half-yearly",
	"invalid-as-of":           "Invalid point in time",
	"invalid-effective-at":    "Invalid effective date",
	"pre-procurement":         "Pre-procurement",
	"read-only-copy":          "Read-only copy",
	"state-owned-enterprise":  "State-owned enterprise",
	"baseline_on":             "Date of the starting value",
	"trl_on":                  "TRL assessed on",
}

// notOfCode reports whether no code has the character.
func notOfCode(r rune) bool {
	return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '_' && r != ' '
}

// labels are what fields are called whose name alone says too little, by the command
// and the field.
var labels = map[string]string{
	"schedule-meeting.on":           "Date of the meeting",
	"reschedule-meeting.on":         "New date of the meeting",
	"hold-meeting.on":               "Held on",
	"add-dependency.on":             "Depends on",
	"remove-dependency.on":          "No longer depends on",
	"renew-agreement.by":            "Renewed by",
	"judge-milestone.outcome":       "Finding",
	"reschedule-milestone.due":      "New agreed date",
	"add-obligation.due":            "Due by",
	"assign-action.due":             "To be done by",
	"sign-agreement.date":           "Date of the signature",
	"record-prior-cooperation.date": "When",
	"set-target.value":              "Target value",
	"report-actual.value":           "Actual value",
	"set-target.statement":          "Target in words",
	"report-actual.statement":       "Actual in words",
	"define-indicator.baseline":     "Starting value",
	"define-indicator.baseline_on":  "Date of the starting value",
	"define-indicator.ascending":    "More is better",
	"propose-fund.target":           "Target size",
	"set-tolerance.amber":           "Amber above, in days",
	"set-tolerance.red":             "Red above, in days",
	"add-subscriber.from":           "From sequence",
	"register-webhook.from":         "From sequence",
	"redeliver-webhook.from":        "From sequence",
}

// FieldLabel says what a field of a command is called.
func (l *Language) FieldLabel(command, field string) string {
	if label, ok := labels[command+"."+field]; ok {
		return l.translate(label)
	}
	return l.Label(field)
}

// FieldName says which field changed, by its name as a change has it: "term.end" is
// "Term · End".
func (l *Language) FieldName(field string) string {
	names := strings.Split(field, ".")
	for i, name := range names {
		names[i] = l.Label(name)
	}
	return strings.Join(names, " · ")
}

// EventName says what happened, by the type of an event:
// "milepost.project.milestone-reforecast.v1" is "Milestone reforecast". Where the name
// does not say what it happened to, the kind of the aggregate stands before it:
// "milepost.party.registered.v1" is "Party registered".
func (l *Language) EventName(eventType string) string {
	parts := strings.Split(eventType, ".")
	if len(parts) != 4 {
		return eventType
	}
	kind, name := parts[1], parts[2]
	if !strings.Contains(name, "-") || name == "took-effect" {
		name = kind + " " + name
	}
	return l.Label(name)
}

// Problem says what went wrong and what to do, by the code of a problem. It is "" in
// English, in which the problem's own detail says it better.
func (l *Language) Problem(code string) string { return l.translations[code] }

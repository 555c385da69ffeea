package access

import (
	"maps"
	"slices"
	"strings"

	grants "github.com/milepost-ledger/milepost/domain/access"
)

// Rights. Roles are not a ladder: an auditor reads what no coordinator does, and
// writes nothing.
var (
	// open is for strangers: what supervisors ask, and signing in.
	open = Right{open: true}
	// known is what the program is, and nothing of the ledger.
	known = Right{known: true}
	// reads is answered from the asker's view, which withholds what is not for it.
	reads = Right{roles: everyRole, Shows: true}
	// lists is the same, of what is never restricted.
	lists = Right{roles: everyRole}
	// proves is of the trees, which say how many events there are and not which.
	proves = Right{roles: everyRole}
	// audits is of the ledger as a whole, without any view.
	audits      = Right{roles: []string{grants.Auditor, grants.Admin}, whole: true}
	auditsAll   = Right{roles: audits.roles, whole: true, Shows: true}
	administers = Right{roles: []string{grants.Admin}, whole: true}
	// takesAll is to take the ledger away whole.
	takesAll = Right{roles: administers.roles, whole: true, Shows: true}

	// attaches is to store a file that a command will name.
	attaches    = Right{roles: []string{grants.Contributor, grants.Representative, grants.Coordinator, grants.Admin}}
	contributes = Right{roles: attaches.roles}
	coordinates = Right{roles: []string{grants.Coordinator, grants.Admin}}
	// reports and acts are what a party does in its own name.
	reports = Right{roles: []string{grants.Contributor, grants.Representative, grants.Admin}, own: true}
	acts    = Right{roles: []string{grants.Representative, grants.Admin}, own: true}
	// cosigns is about the party itself, whatever agreement it is represented in.
	cosigns = Right{roles: acts.roles, own: true, wide: true}
)

// routes has the right that each route takes, by its pattern. Those of commands
// are the commands' own.
var routes = map[string]Right{
	"GET /healthz":           open,
	"GET /readyz":            open,
	"GET /openapi.json":      known,
	"GET /asyncapi.json":     known,
	"GET /v1/schemas":        known,
	"GET /v1/schemas/{type}": known,

	"GET /account":               open, // who is signed in, or where to
	"GET /sign-in":               open,
	"GET /sign-in/style.css":     open,
	"POST /sign-in":              open,
	"GET /sign-in/link":          open,
	"POST /sign-in/link":         open,
	"GET /sign-in/oidc":          open,
	"GET /sign-in/oidc/callback": open,
	"POST /sign-out":             open,
	"POST /v1/sign-in-links":     known, // for oneself; for others it takes an administrator

	"GET /v1/commands":            known,
	"POST /v1/commands/{command}": known, // names that are no command

	"GET /v1/parties":         lists,
	"GET /v1/parties/{party}": lists,
	"GET /v1/awaiting":        reads,
	"GET /v1/changes":         reads,
	"GET /v1/due":             reads,
	"GET /v1/events":          reads,
	"GET /v1/events/{seq}":    reads,
	"GET /v1/plan-template":   reads,
	"GET /v1/portfolio":       reads,

	"GET /v1/agreements":                                                              reads,
	"GET /v1/agreements/{agreement}":                                                  reads,
	"GET /v1/agreements/{agreement}/actions":                                          reads,
	"GET /v1/agreements/{agreement}/amendments":                                       reads,
	"GET /v1/agreements/{agreement}/amendments/{amendment}":                           reads,
	"GET /v1/agreements/{agreement}/balance":                                          reads,
	"GET /v1/agreements/{agreement}/calendar.ics":                                     reads,
	"GET /v1/agreements/{agreement}/decisions":                                        reads,
	"GET /v1/agreements/{agreement}/funding":                                          reads,
	"GET /v1/agreements/{agreement}/funds":                                            reads,
	"GET /v1/agreements/{agreement}/funds/{fund}":                                     reads,
	"GET /v1/agreements/{agreement}/funds/{fund}/commitments":                         reads,
	"GET /v1/agreements/{agreement}/funds/{fund}/disbursements":                       reads,
	"GET /v1/agreements/{agreement}/funds/{fund}/expenditures":                        reads,
	"GET /v1/agreements/{agreement}/funds/{fund}/pledges":                             reads,
	"GET /v1/agreements/{agreement}/indicators":                                       reads,
	"GET /v1/agreements/{agreement}/indicators/{indicator}":                           reads,
	"GET /v1/agreements/{agreement}/indicators/{indicator}/periods":                   reads,
	"GET /v1/agreements/{agreement}/mechanisms":                                       reads,
	"GET /v1/agreements/{agreement}/meetings":                                         reads,
	"GET /v1/agreements/{agreement}/meetings/{meeting}":                               reads,
	"GET /v1/agreements/{agreement}/meetings/{meeting}/actions":                       reads,
	"GET /v1/agreements/{agreement}/meetings/{meeting}/decisions":                     reads,
	"GET /v1/agreements/{agreement}/obligations":                                      reads,
	"GET /v1/agreements/{agreement}/obligations/{obligation}":                         reads,
	"GET /v1/agreements/{agreement}/ocds":                                             reads,
	"GET /v1/agreements/{agreement}/pace":                                             reads,
	"GET /v1/agreements/{agreement}/portfolio":                                        reads,
	"GET /v1/agreements/{agreement}/projects":                                         reads,
	"GET /v1/agreements/{agreement}/projects/{project}":                               reads,
	"GET /v1/agreements/{agreement}/projects/{project}/gates":                         reads,
	"GET /v1/agreements/{agreement}/projects/{project}/milestones":                    reads,
	"GET /v1/agreements/{agreement}/projects/{project}/milestones/{milestone}":        reads,
	"GET /v1/agreements/{agreement}/projects/{project}/milestones/{milestone}/impact": reads,
	"GET /v1/agreements/{agreement}/projects/{project}/s-curve":                       reads,
	"GET /v1/agreements/{agreement}/projects/{project}/trend":                         reads,
	"GET /v1/agreements/{agreement}/results":                                          reads,
	"GET /v1/agreements/{agreement}/s-curve":                                          reads,

	"GET /v1/access":             reads, // nothing to whose view is not internal
	"GET /v1/access/{principal}": reads,
	"GET /v1/restrictions":       reads,
	"GET /v1/subscribers":        lists,
	"GET /v1/webhooks":           lists,
	"GET /v1/webhooks/{webhook}": lists,

	"GET /v1/keys":                                          proves,
	"GET /v1/checkpoint":                                    proves,
	"GET /v1/checkpoint/consistency":                        proves,
	"GET /v1/agreements/{agreement}/checkpoint":             proves, // of an agreement that the asker sees
	"GET /v1/agreements/{agreement}/checkpoint/consistency": proves,
	"GET /v1/events/{seq}/proof":                            reads, // of an event that the asker sees
	"GET /v1/evidence/{sha256}":                             reads, // that such an event names
	"GET /v1/agreements/{agreement}/bundle":                 reads, // by who sees all that is in it
	"GET /v1/bundle":                                        auditsAll,
	"GET /v1/backup":                                        takesAll,
	"POST /v1/evidence":                                     attaches,
	"POST /v1/checkpoint/cosignatures":                      cosigns,

	"GET /v1/subscribers/lag":                       audits,
	"POST /v1/subscribers/{subscriber}/credentials": administers,
	"GET /v1/webhooks/{webhook}/secret":             administers,
	"GET /v1/webhooks/{webhook}/delivery":           audits,

	"GET /metrics":           audits,
	"GET /v1/status":         audits,
	"POST /v1/replay":        auditsAll,
	"POST /v1/replay/models": auditsAll,
	"POST /v1/import":        administers,
	"POST /v1/rebuild":       administers,
}

// commands has the right that each command takes, over the agreement of the
// aggregate that it is asked of. Of an aggregate of the ledger's own that is the
// whole ledger.
var commands = join(
	take(contributes,
		"report-progress", "reforecast-milestone", "complete-action", "record-expenditure"),
	take(reports,
		"report-actual"),
	take(acts,
		"sign-agreement", "claim-fulfilment", "confirm-fulfilment", "dispute-fulfilment", "waive-obligation", "declare-breach",
		"claim-achievement", "confirm-achievement", "dispute-achievement",
		"propose-amendment", "sign-amendment", "reject-amendment", "withdraw-amendment",
		"confirm-minutes", "record-pledge", "commit-funds", "verify-actual", "return-actual"),
	take(cosigns,
		"register-witness", "rotate-witness", "retire-witness"),
	take(coordinates,
		"register-party", "change-party",

		"draft-agreement", "revise-draft", "open-consultation", "suspend-agreement", "resume-agreement", "terminate-agreement",
		"complete-agreement", "expire-agreement", "renew-agreement", "record-prior-cooperation", "add-area", "retire-area",
		"establish-mechanism", "change-mechanism", "dissolve-mechanism", "add-obligation",

		"propose-project", "approve-project", "start-project", "suspend-project", "resume-project", "complete-project", "close-project",
		"cancel-project", "change-scope", "set-tolerance", "pass-gate", "fail-gate", "assess-trl",
		"schedule-milestone", "approve-baseline", "reschedule-milestone", "judge-milestone", "reopen-milestone", "cancel-milestone",
		"add-dependency", "remove-dependency",

		"schedule-meeting", "reschedule-meeting", "hold-meeting", "cancel-meeting", "record-minutes", "record-decision",
		"assign-action", "drop-action",

		"propose-fund", "establish-fund", "close-fund", "reduce-commitment", "disburse-funds",

		"define-indicator", "set-target", "lock-period"),
	take(administers,
		"rotate-key",
		"grant-access", "revoke-access", "issue-token", "revoke-token", "link-identity", "unlink-identity",
		"restrict-access", "lift-restriction",
		"add-subscriber", "revoke-subscriber",
		"register-webhook", "redeliver-webhook", "disable-webhook", "enable-webhook", "rotate-webhook-secret", "remove-webhook"),
)

// subscriptions has the right that it takes to be sent events as they come. Those
// that programs have are made by commands; what they are sent is [Directory.ViewOf].
var subscriptions = map[string]Right{
	"sse":     reads,
	"nats":    administers,
	"webhook": administers,
}

// Route returns the right that a route takes, by its pattern; false where the
// table does not have it.
func Route(pattern string) (Right, bool) {
	if r, ok := routes[pattern]; ok {
		return r, true
	}
	if r, ok := pages[pattern]; ok {
		return r, true
	}
	if name, ok := strings.CutPrefix(pattern, "POST /v1/commands/"); ok {
		return Command(name)
	}
	return Right{}, false
}

// Command returns the right that a command takes.
func Command(name string) (Right, bool) {
	r, ok := commands[name]
	return r, ok
}

// Subscription returns the right that a kind of subscription takes: sse, nats or
// webhook.
func Subscription(kind string) (Right, bool) {
	r, ok := subscriptions[kind]
	return r, ok
}

func take(r Right, names ...string) map[string]Right {
	of := map[string]Right{}
	for _, name := range names {
		of[name] = r
	}
	return of
}

// join puts the parts of the table together. A name that two of them have is a
// mistake: which of the rights it took would be by chance.
func join(parts ...map[string]Right) map[string]Right {
	all := map[string]Right{}
	for _, part := range parts {
		for name := range part {
			if _, twice := all[name]; twice {
				panic("access: " + name + " is in the table twice")
			}
		}
		maps.Copy(all, part)
	}
	return all
}

// Listed returns the names that the table has, for the test that it has no more
// and no fewer than there are.
func Listed() (patterns, commandNames, kinds []string) {
	return slices.Sorted(maps.Keys(routes)), slices.Sorted(maps.Keys(commands)), slices.Sorted(maps.Keys(subscriptions))
}

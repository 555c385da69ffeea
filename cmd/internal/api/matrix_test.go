package api

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/note"

	"github.com/milepost-ledger/milepost/cmd/internal/access"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/catalogue"
	"github.com/milepost-ledger/milepost/domain/domaintest"
)

// What is expected here was written down by itself, and not taken from the table:
// v is a viewer, c a contributor, r a representative, k a coordinator, a an
// auditor, A an administrator; n has no role.

// routeRules says who may use each route: its letters, and where the role must be:
// anywhere, over what the address names (in), or over the whole ledger (all). The
// first prefix that fits counts.
var routeRules = []struct{ pattern, roles, where string }{
	{"GET /healthz", "open", ""},
	{"GET /readyz", "open", ""},
	{"GET /openapi.json", "nvcrkaA", "anywhere"},
	{"GET /asyncapi.json", "nvcrkaA", "anywhere"},
	{"GET /v1/schemas", "nvcrkaA", "anywhere"},
	{"POST /v1/sign-in-links", "nvcrkaA", "anywhere"}, // for oneself
	{"GET /v1/commands", "nvcrkaA", "anywhere"},
	{"POST /v1/commands/{command}", "nvcrkaA", "anywhere"},

	{"GET /v1/agreements/{agreement}", "vcrkaA", "in"},
	{"GET /v1/agreements", "vcrkaA", "anywhere"},
	{"GET /v1/events/{seq}", "vcrkaA", "in"},
	{"GET /v1/evidence/{sha256}", "vcrkaA", "in"},
	{"GET /v1/parties", "vcrkaA", "anywhere"},
	{"GET /v1/awaiting", "vcrkaA", "anywhere"},
	{"GET /v1/changes", "vcrkaA", "anywhere"},
	{"GET /v1/due", "vcrkaA", "anywhere"},
	{"GET /v1/events", "vcrkaA", "anywhere"},
	{"GET /v1/plan-template", "vcrkaA", "anywhere"},
	{"GET /v1/portfolio", "vcrkaA", "anywhere"},
	{"GET /v1/keys", "vcrkaA", "anywhere"},
	{"GET /v1/checkpoint", "vcrkaA", "anywhere"},

	{"GET /v1/access/{principal}", "aA", "internal"},
	{"GET /v1/webhooks/{webhook}/secret", "A", "all"},
	{"GET /v1/webhooks/{webhook}/delivery", "aA", "all"},
	{"GET /v1/webhooks/{webhook}", "aA", "internal"},
	{"GET /v1/access", "vcrkaA", "anywhere"},
	{"GET /v1/restrictions", "vcrkaA", "anywhere"},
	{"GET /v1/subscribers/lag", "aA", "all"},
	{"GET /v1/subscribers", "vcrkaA", "anywhere"},
	{"GET /v1/webhooks", "vcrkaA", "anywhere"},

	{"GET /metrics", "aA", "all"},
	{"GET /v1/status", "aA", "all"},
	{"GET /v1/bundle", "aA", "all"},
	{"GET /v1/backup", "A", "all"},
	{"POST /v1/replay", "aA", "all"},
	{"POST /v1/import", "A", "all"},
	{"POST /v1/rebuild", "A", "all"},
	{"POST /v1/subscribers/{subscriber}/credentials", "A", "all"},
	{"POST /v1/evidence", "crkA", "anywhere"},
	{"POST /v1/checkpoint/cosignatures", "rA", "anywhere"},
}

// commandRules says who may give each command: in the agreement that it is about,
// or over the whole ledger where it is about none; own is for the party of the
// role, wherever that is with everywhere. What is not here is k and A.
var commandRules = map[string]string{
	"report-progress": "crkA", "reforecast-milestone": "crkA", "complete-action": "crkA", "record-expenditure": "crkA",
	"report-actual":    "crA own",
	"sign-agreement":   "rA own",
	"claim-fulfilment": "rA own", "confirm-fulfilment": "rA own", "dispute-fulfilment": "rA own", "waive-obligation": "rA own", "declare-breach": "rA own",
	"claim-achievement": "rA own", "confirm-achievement": "rA own", "dispute-achievement": "rA own",
	"propose-amendment": "rA own", "sign-amendment": "rA own", "reject-amendment": "rA own", "withdraw-amendment": "rA own",
	"confirm-minutes": "rA own", "record-pledge": "rA own", "commit-funds": "rA own", "verify-actual": "rA own", "return-actual": "rA own",
	"register-witness": "rA own everywhere", "rotate-witness": "rA own everywhere", "retire-witness": "rA own everywhere",
}

// onlyAdministrators are the kinds of which administrators give all commands.
var onlyAdministrators = []string{"keyring", "access", "restriction", "subscriber", "webhook"}

// matrixAsker is somebody with one role.
type matrixAsker struct{ name, letter, scope, token string }

// matrix is a ledger with everything in it, and an asker of each role and scope.
// Those with a party have wuxi's.
func matrix(t *testing.T) (*rig, []matrixAsker) {
	r := start(t)
	r.cooperated()
	r.accessed()
	r.done("lift-restriction", `{"agreement":"wuxi-2017","project":"iot-base"}`) // restrictions have tests of their own
	r.done("draft-agreement", `{"agreement":"other","kind":"framework","title":"Other","parties":["wuxi","cethik"]}`)
	askers := []matrixAsker{{"nobody", "n", "ledger", r.principal("nobody", `"role":"viewer","grant":"g"`)}}
	r.done("revoke-access", `{"principal":"nobody","grant":"g"}`)
	for letter, role := range map[string]string{"v": "viewer", "c": "contributor", "r": "representative", "k": "coordinator", "a": "auditor", "A": "admin"} {
		for _, scope := range []string{"ledger", "wuxi-2017", "other"} {
			fields := `"role":"` + role + `"`
			if scope != "ledger" {
				fields += `,"agreement":"` + scope + `"`
			}
			if letter == "c" || letter == "r" {
				fields += `,"party":"wuxi"`
			}
			name := role + "-" + scope
			askers = append(askers, matrixAsker{name, letter, scope, r.principal(name, fields)})
		}
	}
	return r, askers
}

// verdict is how an answer looks to who only asks whether it may: refused as not
// allowed, as not there, or let through, whatever then came of it.
func (r reply) verdict() string {
	var p Problem
	if r.header.Get("Content-Type") == problemType {
		_ = json.Unmarshal(r.body, &p)
	}
	switch {
	case p.Code == CodeUnauthenticated && r.status == http.StatusUnauthorized && r.header.Get("WWW-Authenticate") != "":
		return "unauthenticated"
	case p.Code == CodeForbidden && r.status == http.StatusForbidden:
		return "forbidden"
	case p.Code == domain.CodeNotFound && r.status == http.StatusNotFound:
		return "not there"
	case p.Code == CodeUnavailable: // what this server does not look after
		return "may"
	case r.status >= 500 || r.status == http.StatusUnauthorized || r.status == http.StatusForbidden:
		return string(r.body)
	}
	return "may"
}

// Nothing is let through or refused by chance: the table has every route, command
// and kind of subscription, and nothing else.
func TestTableIsWhole(t *testing.T) {
	r := start(t)
	patterns, commands, kinds := access.Listed()
	var routes []string
	for _, pattern := range r.server.mux.all {
		_, ok := access.Route(pattern)
		assert.True(t, ok, "%s is in no table of rights: put it into access/table.go", pattern)
		if name, ok := strings.CutPrefix(pattern, "POST /v1/commands/"); !ok || strings.Contains(name, "{") {
			routes = append(routes, pattern)
		}
	}
	for path, item := range at(t, document(t, r), "paths") {
		for method := range item.(object) {
			_, ok := access.Route(strings.ToUpper(method) + " " + path)
			assert.True(t, ok, "%s %s is documented, and in no table of rights", method, path)
		}
	}
	slices.Sort(routes)
	assert.Equal(t, routes, patterns, "a right is there for what is no route")
	var names []string
	for _, c := range catalogue.Commands() {
		names = append(names, c.Name)
	}
	slices.Sort(names)
	assert.Equal(t, names, commands)
	assert.Equal(t, []string{"nats", "sse", "webhook"}, kinds)

	// and what a party does in its own name names the party, which is looked at
	for _, c := range catalogue.Commands() {
		req := command(t, c, "wuxi-2017", "wuxi")
		_, acting := req.(domain.Acting)
		assert.Equal(t, acting, strings.Contains(commandRules[c.Name], "own"), c.Name)
	}
	for name := range commandRules {
		assert.Contains(t, names, name)
	}
}

// command makes a command with no more than it must have.
func command(t *testing.T, c domain.CommandType, agreement, party string) domain.Command {
	cmd, _, err := c.Decode([]byte(commandBody(c, agreement, party)))
	require.NoError(t, err, c.Name)
	return cmd
}

// commandBody has the fields that a command must have, with an agreement and a
// party where it takes them.
func commandBody(c domain.CommandType, agreement, party string) string {
	fields := object{}
	for _, f := range c.Fields {
		switch {
		case f.Name == "agreement":
			fields[f.Name] = agreement
		case f.Name == "party":
			fields[f.Name] = party
		case f.Required:
			fields[f.Name] = anyValue(f)
		}
	}
	body, _ := json.Marshal(fields) // of plain values
	return string(body)
}

// anyValue is one that a field takes.
func anyValue(f domain.Field) any {
	switch {
	case len(f.Enum) > 0:
		return f.Enum[0]
	case f.Type == "integer":
		return 1
	case f.Type == "boolean":
		return true
	case f.Type == "array":
		return []any{anyValue(*f.Items), anyValue(*f.Items)}
	case f.Type == "command":
		return object{"command": "add-area", "title": "X"}
	case f.Type == "object":
		fields := object{}
		for _, of := range f.Fields {
			fields[of.Name] = anyValue(of)
		}
		return fields
	case f.Example != nil:
		return f.Example
	case f.Format == "date":
		return "2019-03-01"
	case f.Pattern == domain.HashPattern:
		return hash("a")
	case f.Pattern == domain.VerifierKeyPattern:
		_, vkey, _ := note.GenerateKey(rand.Reader, "nobody")
		return vkey
	case f.Name == "by": // an agreement that renews another
		return "wuxi-2017"
	case f.Name == "currency":
		return "CNY"
	}
	return "1"
}

func TestMatrixOfRoutes(t *testing.T) {
	domaintest.Exhausting(t)
	r, askers := matrix(t)
	file := r.attach("what was agreed")
	last := r.done("record-prior-cooperation", `{"agreement":"wuxi-2017","entry":"early","title":"Early","date":"199X","evidence":["`+file+`"]}`).Seq
	require.NoError(t, r.models.Wait(t.Context(), last))
	values := strings.NewReplacer("{seq}", fmt.Sprint(last), "{sha256}", file, "{command}", "sign-agrement")
	used := map[string]bool{}
	for _, pattern := range r.server.mux.all {
		if strings.HasPrefix(pattern, "POST /v1/commands/") && !strings.Contains(pattern, "{") {
			continue
		}
		if isPage(pattern) { // for strangers, by forms
			continue
		}
		method, path, _ := strings.Cut(pattern, " ")
		i := slices.IndexFunc(routeRules, func(rule struct{ pattern, roles, where string }) bool {
			return strings.HasPrefix(pattern, rule.pattern)
		})
		require.GreaterOrEqual(t, i, 0, "nobody has written down who may use %s", pattern)
		rule := routeRules[i]
		used[rule.pattern] = true
		path = values.Replace(path)
		for name, key := range keysOf {
			path = strings.ReplaceAll(path, "{"+name+"}", key)
		}
		for parameter, value := range map[string]string{"impact": "forecast=2019-12-31", "awaiting": "party=wuxi", "consistency": "from=1"} {
			if strings.HasSuffix(path, "/"+parameter) {
				path += "?" + value
			}
		}
		ask := func(token string) string {
			return r.as(token).send(method, path, "", "Content-Type: text/plain").verdict()
		}

		want := "unauthenticated"
		if rule.roles == "open" {
			want = "may"
		}
		assert.Equal(t, want, ask(""), "%s, by a stranger", pattern)
		for _, a := range askers {
			want := "may"
			switch {
			case rule.roles == "open":
			case !strings.Contains(rule.roles, a.letter) && rule.where == "internal" && a.letter != "n":
				want = "not there"
			case !strings.Contains(rule.roles, a.letter):
				want = "forbidden"
			case rule.where == "all" && a.scope != "ledger":
				want = "forbidden"
			case rule.where == "in" && a.scope == "other", rule.where == "internal" && a.scope != "ledger":
				want = "not there"
			}
			assert.Equal(t, want, ask(a.token), "%s, by %s", pattern, a.name)
		}
	}
	for _, rule := range routeRules {
		assert.True(t, used[rule.pattern], "there is no route %s", rule.pattern)
	}
	for _, path := range []string{"/v1", "/v1/nowhere", "/sign-in/nowhere", "/v1/parties/a/b", "/healthz/x"} {
		r.as("").get(path).problem(http.StatusUnauthorized, CodeUnauthenticated)
		r.as(askers[0].token).get(path).problem(http.StatusNotFound, CodeUnknownRoute)
	}
	r.as("").send(http.MethodDelete, "/v1/parties", "").problem(http.StatusUnauthorized, CodeUnauthenticated)
}

func TestMatrixOfCommands(t *testing.T) {
	domaintest.Exhausting(t)
	r, askers := matrix(t)
	before := r.last()
	for _, c := range catalogue.Commands() {
		_, aggregate, err := catalogue.Command(c.Name)
		require.NoError(t, err)
		rule, ok := commandRules[c.Name]
		switch {
		case slices.Contains(onlyAdministrators, aggregate.Kind):
			rule = "A"
		case !ok:
			rule = "kA"
		}
		roles, _, _ := strings.Cut(rule, " ")
		ofLedger := command(t, c, "wuxi-2017", "wuxi").Ref().Agreement == ""
		for _, party := range []string{"wuxi", "cethik"} {
			body := commandBody(c, "wuxi-2017", party)
			ask := func(token string) string { return r.as(token).do(c.Name, body, `If-Match: "999"`).verdict() }
			assert.Equal(t, "unauthenticated", ask(""), "%s, by a stranger", c.Name)
			for _, a := range askers {
				within := a.scope == "ledger" || a.scope == "wuxi-2017" && !ofLedger
				own := strings.Contains(rule, "own")
				want := "may"
				switch {
				case !strings.Contains(roles, a.letter):
					want = "forbidden"
				case own && ofLedger && a.letter != "A":
					if party != "wuxi" {
						want = "forbidden"
					}
				case ofLedger && !within:
					want = "forbidden"
				case !within:
					want = "not there"
				case own && party != "wuxi" && a.letter != "A":
					want = "forbidden"
				}
				assert.Equal(t, want, ask(a.token), "%s for %s, by %s", c.Name, party, a.name)
			}
			if !strings.Contains(rule, "own") {
				break // the party is only what it is about
			}
		}
	}
	assert.Equal(t, before, r.last(), "each was asked of a version that is not there")
}

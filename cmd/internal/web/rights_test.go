package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/access"
	"github.com/milepost-ledger/milepost/domain/domaintest"
)

// rightsOfPages says who may use each page, and was written down by itself: v is a
// viewer, c a contributor, r a representative, k a coordinator, a an auditor, A an
// administrator; n has no role. where is anywhere, over what the path names (in), or
// over the whole ledger (all).
var rightsOfPages = map[string]struct{ roles, where string }{
	"GET /{$}":                {"vcrkaA", "anywhere"},
	"GET /awaiting":           {"vcrkaA", "anywhere"},
	"GET /changes":            {"vcrkaA", "anywhere"},
	"GET /audit":              {"vcrkaA", "anywhere"},
	"GET /do":                 {"vcrkaA", "anywhere"},
	"GET /parties/{party}":    {"vcrkaA", "anywhere"},
	"GET /audit/events/{seq}": {"vcrkaA", "in"},

	"GET /agreements/{agreement}":                                           {"vcrkaA", "in"},
	"GET /agreements/{agreement}/amendments/{amendment}":                    {"vcrkaA", "in"},
	"GET /agreements/{agreement}/funds":                                     {"vcrkaA", "in"},
	"GET /agreements/{agreement}/funds/{fund}":                              {"vcrkaA", "in"},
	"GET /agreements/{agreement}/meetings":                                  {"vcrkaA", "in"},
	"GET /agreements/{agreement}/meetings/{meeting}":                        {"vcrkaA", "in"},
	"GET /agreements/{agreement}/projects":                                  {"vcrkaA", "in"},
	"GET /agreements/{agreement}/projects/{project}":                        {"vcrkaA", "in"},
	"GET /agreements/{agreement}/projects/{project}/milestones/{milestone}": {"vcrkaA", "in"},
	"GET /agreements/{agreement}/results":                                   {"vcrkaA", "in"},
	"GET /agreements/{agreement}/results/{indicator}":                       {"vcrkaA", "in"},

	"GET /access":                        {"aA", "all"},
	"GET /access/{principal}":            {"aA", "all"},
	"GET /connections":                   {"aA", "all"},
	"POST /connections/{webhook}/secret": {"A", "all"},
	"POST /audit/replay":                 {"aA", "all"},
	"GET /do/{command}":                  {"kA", "anywhere"}, // of add-obligation
	"POST /do/{command}":                 {"kA", "anywhere"},
	"GET /assets/{file}":                 {"open", ""},
	"POST /language":                     {"open", ""},
}

// Each page is for those for whom it is meant, and for nobody else; and one that is
// within an agreement is not there for who has no role in that.
func TestMatrixOfPages(t *testing.T) {
	domaintest.Exhausting(t)
	r := start(t)
	r.cooperation()
	r.done("grant-access", `{"principal":"vera","role":"viewer"}`)
	r.done("register-webhook", `{"webhook":"city-ledger","url":"https://city.example.org/hook"}`)
	type asker struct {
		*rig
		letter, scope string
	}
	nobody := r.principal("nobody", `"role":"viewer","grant":"g"`)
	last := r.done("revoke-access", `{"principal":"nobody","grant":"g"}`).Seq
	require.NoError(t, r.directory.Wait(t.Context(), last))
	askers := []asker{{nobody, "n", "ledger"}}
	for letter, role := range map[string]string{"v": "viewer", "c": "contributor", "r": "representative", "k": "coordinator", "a": "auditor", "A": "admin"} {
		for _, scope := range []string{"ledger", "wuxi-2017", "elsewhere"} {
			fields := `"role":"` + role + `"`
			if scope != "ledger" {
				fields += `,"agreement":"` + scope + `"`
			}
			if letter == "c" || letter == "r" {
				fields += `,"party":"wuxi"`
			}
			askers = append(askers, asker{r.principal(role+"-"+scope, fields), letter, scope})
		}
	}
	for _, pattern := range access.Pages() {
		rule, ok := rightsOfPages[pattern]
		require.True(t, ok, "nobody has written down who may use %s", pattern)
		method, path, _ := strings.Cut(strings.TrimSuffix(pattern, "{$}"), " ")
		for name, key := range keysOfCooperation {
			path = strings.ReplaceAll(path, "{"+name+"}", key)
		}
		path = strings.ReplaceAll(path, "{webhook}", "city-ledger")
		path = strings.ReplaceAll(path, "/assets/{file}", assets().style.address())
		verdict := func(r *rig) string {
			var form url.Values
			if method == http.MethodPost {
				form = url.Values{"language": {"en"}}
			}
			s := r.send(method, path, form)
			switch {
			case s.status == http.StatusUnauthorized || s.status == http.StatusSeeOther && strings.HasPrefix(s.header.Get("Location"), "/sign-in"):
				return "stranger"
			case s.status == http.StatusForbidden && strings.Contains(s.body, "the form is from an earlier visit"): // it is let through, and then the form is looked at
				return "may"
			case s.status == http.StatusForbidden && strings.Contains(s.body, "forbidden"):
				return "forbidden"
			case s.status == http.StatusNotFound:
				return "not there"
			case s.status >= 400:
				return s.text()
			}
			return "may"
		}
		stranger := *r
		stranger.token = ""
		want := "stranger"
		if rule.roles == "open" {
			want = "may"
		}
		assert.Equal(t, want, verdict(&stranger), "%s, by a stranger", pattern)
		for _, a := range askers {
			want := "may"
			switch {
			case rule.roles == "open":
			case !strings.Contains(rule.roles, a.letter), rule.where == "all" && a.scope != "ledger":
				want = "forbidden"
			case rule.where == "in" && a.scope == "elsewhere":
				want = "not there"
			}
			assert.Equal(t, want, verdict(a.rig), "%s, by %s of %s", pattern, a.letter, a.scope)
		}
	}
	assert.Len(t, access.Pages(), len(rightsOfPages), "a rule is of what is no page")
}

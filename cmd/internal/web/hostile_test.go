package web

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/domain/catalogue"
	"github.com/milepost-ledger/milepost/domain/domaintest"
)

// hostile is text that would run, close a tag or an attribute, turn the line around or
// never end.
var hostile = strings.Join([]string{
	`</title></script><script>alert(1)</script><img src=x onerror=alert(1)>`, `" onload="alert(1)`, `' onclick='alert(1)`, `javascript:alert(1)`, `{{.Form}}`, `%s%d`, `]]>`, `&lt;b&gt;`, "شركة", "א", "👩‍👩‍👧", strings.Repeat("W", 120),
}, " ")

// What somebody wrote into the ledger is shown as text, wherever it is shown.
func TestWhatIsWrittenIsText(t *testing.T) {
	domaintest.Exhausting(t)
	r := start(t)
	text, _ := json.Marshal(hostile)
	var short, _ = json.Marshal(hostile[:190])
	do := func(command, fields string) {
		t.Helper()
		r.done(command, "{"+strings.NewReplacer("$T", string(text), "$S", string(short)).Replace(fields)+"}")
	}
	do("register-party", `"party":"wuxi","title":{"en":$T,"zh":$T},"kind":"local-government"`)
	do("register-party", `"party":"cethik","title":{"fr":$T},"kind":"other","parent":"wuxi"`)
	do("draft-agreement", `"agreement":"a","kind":"framework","title":$T,"parties":["wuxi","cethik"],"document":"`+strings.Repeat("a1", 32)+`","term":{"start":"0001-01-01","end":"9999-12-31"}`)
	do("open-consultation", `"agreement":"a","note":$T`)
	do("add-area", `"agreement":"a","area":"iot","title":$T`)
	do("record-prior-cooperation", `"agreement":"a","entry":"early","title":$T,"date":"199X"`)
	for _, party := range []string{"wuxi", "cethik"} {
		do("sign-agreement", `"agreement":"a","party":"`+party+`","signatory":$S,"date":"2017-02-28","document":"`+strings.Repeat("a1", 32)+`"`)
	}
	do("propose-project", `"agreement":"a","project":"p","title":$T,"kind":"industry-base","areas":["iot"],"lead":"wuxi","actor":$S`)
	do("approve-project", `"agreement":"a","project":"p","reason":$S,"note":$T`)
	do("start-project", `"agreement":"a","project":"p"`)
	do("schedule-milestone", `"agreement":"a","project":"p","milestone":"m","title":$T,"due":"9999-12-31","type":"delivery","confirming":["wuxi"]`)
	do("schedule-milestone", `"agreement":"a","project":"p","milestone":"n","title":$T,"due":"0001-01-01","type":"delivery","confirming":["wuxi"],"depends_on":["m"]`)
	do("approve-baseline", `"agreement":"a","project":"p"`)
	do("reforecast-milestone", `"agreement":"a","project":"p","milestone":"m","forecast":"2030-01-01","reason":"other","note":$T`)
	do("pass-gate", `"agreement":"a","project":"p","gate":"g","title":$T`)
	do("establish-mechanism", `"agreement":"a","mechanism":"c","kind":"coordination","title":$T,"members":["wuxi","cethik"],"cadence":"quarterly"`)
	do("schedule-meeting", `"agreement":"a","meeting":"s","mechanism":"c","title":$T,"on":"2019-02-20","agenda":$T`)
	do("hold-meeting", `"agreement":"a","meeting":"s","on":"2019-02-20","attendees":[{"party":"wuxi","name":$S}]`)
	do("record-decision", `"agreement":"a","meeting":"s","decision":"d","title":$T,"affects":["project/p"]`)
	do("assign-action", `"agreement":"a","meeting":"s","action":"x","title":$T,"owner":"cethik","due":"2019-02-28"`)
	do("add-obligation", `"agreement":"a","obligation":"o","title":$T,"debtor":"wuxi","beneficiary":"cethik","due":"2019-06-30","value":{"amount":"99999999999999999999.99","currency":"CNY"}`)
	do("propose-amendment", `"agreement":"a","amendment":"l","title":$T,"rationale":$T,"party":"cethik","document":"`+strings.Repeat("b2", 32)+`","reason":"scope-change","changes":[{"command":"add-area","area":"chips","title":$T}]`)
	do("propose-fund", `"agreement":"a","fund":"f","title":$T`)
	do("establish-fund", `"agreement":"a","fund":"f","currency":"CNY","manager":"cethik","target_size":"99999999999999999999.99"`)
	do("record-pledge", `"agreement":"a","fund":"f","pledge":"p","party":"wuxi","value":{"amount":"0.01","currency":"CNY"}`)
	do("define-indicator", `"agreement":"a","indicator":"j","title":$T,"level":"outcome","measure":"unit","unit":"<img src=x onerror=alert(1)>\"'","baseline":"-20","beneficiary":"wuxi","reporter":"cethik","summable":true,"project":"p"`)
	do("set-target", `"agreement":"a","indicator":"j","period":"2018","value":"99999999999999999999.99"`)
	do("report-actual", `"agreement":"a","indicator":"j","period":"2018","party":"cethik","value":"-0.000001"`)
	do("grant-access", `"principal":"vera","name":$S,"role":"viewer"`)

	begin := []string{"/", "/do", "/awaiting?party=wuxi", "/audit", "/changes?from=seq:0&agreement=a", "/agreements/a?since=seq:0", "/agreements/a/projects/p?since=seq:0"}
	for _, command := range []string{"set-target", "change-scope", "revise-draft", "report-progress", "hold-meeting", "record-decision", "disburse-funds", "grant-access"} {
		begin = append(begin, "/do/"+command+"?agreement=a&project=p&meeting=s&fund=f&indicator=j&principal=vera")
	}
	asked := r.crawl(1, begin, func(path string, s screen) {
		require.Less(t, s.status, 500, "%s: %s", path, s.text())
		if s.status == http.StatusSeeOther {
			return
		}
		s.wellFormed()
		assert.NotContains(t, s.body, "<script>alert", path)
		assert.NotContains(t, s.body, "<img", path)
	})
	assert.Greater(t, asked, 80)

	// And what a form shows again is text, too: names of fields, and of files.
	b := r.open("/do/register-party")
	for name := range b.fields {
		if name != tokenField {
			b.fields.Set(name, hostile)
		}
	}
	b.fields.Set(hostile, hostile)
	b.fields.Set("title."+hostile, hostile)
	for _, step := range []string{"check", "record", "again", "edit", "open", "refresh", hostile} {
		form := b.copy()
		form.files = map[string]string{"_file." + hostile: "x"}
		form.press(step)
		require.Less(t, form.status, 500, form.text())
		form.wellFormed()
		assert.NotContains(t, form.body, "<script>alert")
		assert.NotContains(t, form.body, "<img")
	}
}

// A ledger with nothing in it, and one with an agreement and nothing else, has all its
// pages, in each language, for each who may see them.
func TestPagesOfALedgerWithNothingInIt(t *testing.T) {
	domaintest.Exhausting(t)
	r := start(t)
	points := []url.Values{{"as_of": {"seq:0"}}, {"as_of": {"1990-01-01"}}, {"since": {"seq:0"}}, {"effective_at": {"1990-01-01"}}, {"as_of": {"seq:0"}, "since": {"seq:0"}}}
	ask := func(who *rig, paths []string) {
		t.Helper()
		for i, path := range paths {
			for _, query := range []url.Values{{}, points[i%len(points)]} {
				s := who.in("zh").send(http.MethodGet, path+"?"+query.Encode(), nil)
				assert.Less(t, s.status, 500, "%s?%s: %s", path, query.Encode(), s.text())
				if s.status != http.StatusSeeOther {
					s.wellFormed()
				}
			}
		}
	}
	forms := []string{}
	for _, c := range catalogue.Commands() {
		forms = append(forms, "/do/"+c.Name)
	}
	ask(r, append(pagesOf(keysOfCooperation), forms...))
	r.get("/").says("Overview")

	r.done("register-party", `{"party":"wuxi","title":"Wuxi","kind":"other"}`)
	r.done("register-party", `{"party":"cethik","title":"CETHIK","kind":"other"}`)
	r.done("draft-agreement", `{"agreement":"wuxi-2017","kind":"framework","title":"Framework","parties":["wuxi","cethik"]}`)
	vera := r.principal("vera", `"role":"viewer","party":"wuxi"`)
	for _, who := range []*rig{r, vera} {
		ask(who, pagesOf(keysOfCooperation))
		for _, path := range []string{"", "/projects", "/funds", "/results", "/meetings"} {
			who.get("/agreements/wuxi-2017" + path)
		}
	}
	for _, path := range forms {
		r.get(path + "?agreement=wuxi-2017")
	}
}

package web

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestChanges(t *testing.T) {
	r := startDemo(t)
	// Given two meetings, then what is different between them stands side by side, under
	// the titles of what changed, with who, why, the event and the evidence.
	s := r.get("/changes?agreement=wuxi-cethik-2017&since_meeting=coordination-2017-11&until_meeting=coordination-2018-06&mode=net")
	s.says("From First coordination meeting ( 28 Nov 2017 ) to Second coordination meeting ( 19 Jun 2018 )", "Main structure complete", "31 Aug 2018 15 Oct 2018",
		"cethik project office for CETHIK Group", "Supplier delay", "Steel delivered six weeks late.", "Milestone reforecast")
	assert.Contains(t, s.body, `<a href="/audit/events/139">`)

	// And every move has a line where every move is asked for.
	one := "/changes?agreement=wuxi-cethik-2017&project=iot-base&milestone=structure&field=forecast&from=seq:0"
	assert.Equal(t, 3, strings.Count(r.get(one).body, `class="new"`))
	assert.Equal(t, 1, strings.Count(r.get(one+"&mode=net").body, `class="new"`))

	// And the filters hold, and stay in the form.
	s = r.get("/changes?party=cethik&reason=supplier-delay&from=seq:0")
	s.says("15 Oct 2018").silentOn("approval-delay</td>")
	assert.Contains(t, s.body, `<option value="supplier-delay" selected>`)

	// And what is exported is the answer to the same question.
	export := regexp.MustCompile(`/v1/changes\?[^"]*format=csv[^"]*`).FindString(s.body)
	require.NotEmpty(t, export)
	csv := r.send(http.MethodGet, strings.ReplaceAll(export, "&amp;", "&"), nil)
	assert.Equal(t, http.StatusOK, csv.status)
	assert.Contains(t, csv.body, "2018-10-15")
	assert.Contains(t, csv.header.Get("Content-Type"), "text/csv")
}

func TestChangesTakeThePointsOfThePage(t *testing.T) {
	r := startDemo(t)
	// Given no points of its own, then the page is between those of its head.
	r.get("/changes?as_of=seq:139&since=seq:138").says("event 138", "event 139", "15 Oct 2018")
	// And by effective dates it is of what holds from then on.
	r.get("/changes?agreement=wuxi-cethik-2017&axis=effective&from=2018-05-07&to=2018-05-08").says("15 Oct 2018", "8 May 2018")
	// And what it cannot be asked is refused, with what to do.
	for path, status := range map[string]int{
		"/changes?mode=some": 400, "/changes?axis=z": 400, "/changes?backdated=perhaps": 400, "/changes?from=never": 400, "/changes?from=seq:9&to=seq:3": 400,
		"/changes?agreement=nothing": 404, "/changes?cursor=x": 400,
	} {
		assert.Equal(t, status, r.send(http.MethodGet, path, nil).status, path)
	}
}

func TestChangesArePaged(t *testing.T) {
	r := startDemo(t)
	// Given more changes than a page has, when one goes on to the end, then each event
	// with a change was there, in order.
	seen, pages := "", 0
	for path := "/changes?agreement=wuxi-cethik-2017&field=forecast&from=seq:0"; path != ""; pages++ {
		s := r.get(path)
		seen += s.body
		next := regexp.MustCompile(`href="(/changes\?[^"]*cursor=[^"]*)"`).FindStringSubmatch(s.body)
		if path = ""; next != nil {
			path = strings.ReplaceAll(next[1], "&amp;", "&")
		}
	}
	assert.Contains(t, seen, `/audit/events/139"`)
	whole := r.get("/changes?from=seq:0")
	assert.Contains(t, whole.body, "cursor=")
	assert.Equal(t, 100, strings.Count(whole.body, `class="new"`))
}

func TestTitlesInChangesAreTextAndNoMarkup(t *testing.T) {
	r := start(t)
	r.get("/changes").says("Nothing changed in this time")
	r.done("register-party", `{"party":"evil","title":{"en":"<script>alert(1)</script>"},"kind":"other","actor":"<b>me</b>","reason":"other","note":"\"><img src=x>"}`)
	s := r.get("/changes?from=seq:0")
	s.says("<script>alert(1)</script>", "<b>me</b>").silentOn("<script>alert", "<b>me", "<img src")
	r.get("/audit/events/1").says("<script>alert(1)</script>").silentOn("<script>alert", "<img src")
	r.get("/audit").silentOn("<script>alert", "<img src")
}

package web

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/milepost-ledger/milepost/cmd/internal/access"
	"github.com/milepost-ledger/milepost/eventstore"
)

const tolerance = "/do/set-tolerance?agreement=wuxi-cethik-2022&project=incubation"

// What is refused is said at the field, and what was typed stays.
func TestRefusalsAreAtTheirFields(t *testing.T) {
	r := startDemo(t)
	last := r.last()
	for _, c := range []struct {
		path, field string
		fill        []string
	}{
		{"register-party", "title", []string{"party", "port"}},
		{"register-party", "title.zh", []string{"party", "port", "title.zh", "a\x01b", "kind", "other"}},
		{"set-tolerance?agreement=wuxi-cethik-2022&project=incubation", "amber", []string{"amber", "many", "red", "9"}},
		{"set-tolerance?agreement=wuxi-cethik-2022&project=nothing", "project", []string{"amber", "3", "red", "9"}}, // it was filled in, and is asked for again
		{"add-obligation?agreement=wuxi-cethik-2022", "value.currency", []string{"title.en", "Land", "debtor", "wuxi", "beneficiary", "cethik", "due", "2030-01-31", "value.amount", "7"}},
		{"hold-meeting?agreement=wuxi-cethik-2022&meeting=coordination-2026-12", "attendees[1].name", []string{
			"attendees[0].party", "wuxi", "attendees[0].name", "Li", "attendees[2].party", "cethik"}},
		{"propose-amendment?agreement=wuxi-cethik-2022", "changes", []string{"changes", "{\"command\":\"reschedule-milestone\"}\r\nnonsense", "party", "wuxi"}},
		{"register-party", "evidence", []string{"title.en", "Port", "kind", "other", "evidence", strings.Repeat("ab", 32)}},
	} {
		// Given a form, when it is filled in wrongly and checked.
		b := r.open("/do/" + c.path).fill(c.fill...).press("check")

		// Then the field says so, the summary leads to it, and what was typed is there.
		require.GreaterOrEqual(t, b.status, 400, c.path)
		b.wellFormed()
		id := idOf(c.field)
		assert.Contains(t, b.body, `href="#`+id+`"`, c.path)
		assert.Contains(t, b.body, `id="`+id+`-error"`, c.path)
		assert.Contains(t, b.body, `aria-describedby="`+id+`-error `+id+`-help"`, c.path)
		assert.Contains(t, b.body, `aria-invalid="true"`)
		for i := 0; i < len(c.fill); i += 2 {
			said := strings.ReplaceAll(c.fill[i+1], "\x01", "")
			assert.Contains(t, strings.ReplaceAll(b.text()+strings.Join(b.values(), "\n"), "\x01", ""), strings.Split(said, "\r\n")[0], "%s: %s", c.path, c.fill[i])
		}
	}
	assert.Equal(t, last, r.last(), "nothing was recorded")
}

// values are all that the form would send.
func (b *tab) values() (all []string) {
	for _, values := range b.fields {
		all = append(all, values...)
	}
	return all
}

// A form that was opened before somebody else changed what it is about says so, by whom
// and how, and goes on only when told to.
func TestAStaleForm(t *testing.T) {
	r := startDemo(t)
	// Given two forms about one project, and one of them checked.
	mine := r.open(tolerance).fill("amber", "3", "red", "9").press("check").is(http.StatusOK)
	unchecked := r.open(tolerance).fill("amber", "5", "red", "9")

	// When somebody else records something about it.
	r.done("set-tolerance", `{"agreement":"wuxi-cethik-2022","project":"incubation","amber":2,"red":20,"actor":"li.wei"}`)
	last := r.last()

	// Then neither is recorded, and both tell what changed.
	for _, b := range []*tab{mine.press("record"), unchecked.press("check")} {
		b.is(http.StatusPreconditionFailed).says("it changed meanwhile", "incubation", "li.wei", "20")
		assert.Equal(t, last, r.last())
	}

	// And it is recorded when somebody goes on with how it is now.
	assert.Equal(t, "3", mine.fields.Get("amber"))
	mine.press("again").is(http.StatusOK).says("This will be recorded")
	mine.press("record").is(http.StatusSeeOther)
	assert.Equal(t, last+1, r.last())
}

// A form that is sent twice, at once or after another, is recorded once.
func TestADoubleSend(t *testing.T) {
	r := startDemo(t)
	for _, path := range []string{"register-party", "add-area?agreement=wuxi-cethik-2022"} { // the key of the second is drawn
		b := r.open("/do/"+path).fill("title.en", "Port", "kind", "other").press("check").is(http.StatusOK)
		before := r.last()

		var wait sync.WaitGroup
		var tabs [4]*tab
		for i := range tabs {
			tabs[i] = b.copy()
			wait.Go(func() { tabs[i].press("record") })
		}
		wait.Wait()
		b.press("record")
		for _, other := range tabs {
			assert.Equal(t, http.StatusSeeOther, other.status, other.text())
			assert.Equal(t, b.header.Get("Location"), other.header.Get("Location"), "all are given the first receipt")
		}
		assert.Equal(t, before+1, r.last())

		if path == "register-party" {
			location := b.header.Get("Location")
			assert.Contains(t, location, "done=")
		}
	}
}

func TestGoingBackAndRecordingAnother(t *testing.T) {
	r := startDemo(t)
	b := r.open("/do/register-party").fill("title.en", "Port", "kind", "other", "party", "port")
	form := b.copy()
	b.recorded()
	before := r.last()

	// When the form that was recorded is changed and checked again.
	form.fill("party", "quay").press("check")

	// Then it says that it was recorded already, and does what is asked the second time.
	form.is(http.StatusUnprocessableEntity).says("This form was recorded already")
	assert.Equal(t, before, r.last())
	form.recorded()
	assert.Equal(t, before+1, r.last())
}

// The line that tells what was recorded is about an event that is there.
func TestWhatWasRecordedIsLookedUp(t *testing.T) {
	r := startDemo(t)
	r.get("/do?done=2").says("Recorded: event 2")
	for _, not := range []string{"999999", "0", "x", "<b>"} {
		r.get("/do?done="+url.QueryEscape(not)).silentOn("Recorded: event", "<b>")
	}
}

// Who may not give a command is shown no link to it and no form, and nothing that is
// sent all the same is recorded.
func TestFormsAreForThoseWhoMay(t *testing.T) {
	r := startDemo(t)
	viewer := r.principal("vera", `"role":"viewer"`)
	contributor := r.principal("carl", `"role":"contributor","party":"cethik","agreement":"wuxi-cethik-2022"`)
	representative := r.principal("rosa", `"role":"representative","party":"wuxi","agreement":"wuxi-cethik-2022"`)

	viewer.get("/do").says("There is nothing here that you may record").silentOn(`href="/do/`)
	contributor.get("/do").says("Reforecast milestone").silentOn("/do/sign-agreement", "/do/grant-access", "/do/approve-project")
	representative.get("/do").says("Sign agreement").silentOn("/do/grant-access", "/do/draft-agreement")
	for _, c := range []struct {
		who    *rig
		path   string
		status int
	}{
		{viewer, "/do/reforecast-milestone", http.StatusForbidden},
		{contributor, "/do/sign-agreement", http.StatusForbidden},
		{contributor, "/do/reforecast-milestone?agreement=wuxi-cethik-2017", http.StatusForbidden}, // not theirs
		{contributor, "/do/reforecast-milestone?agreement=wuxi-cethik-2022", http.StatusOK},
		{representative, "/do/sign-agreement?agreement=wuxi-cethik-2022", http.StatusOK},
		{r, "/do/nothing-of-the-kind", http.StatusNotFound},
	} {
		assert.Equal(t, c.status, c.who.send(http.MethodGet, c.path, nil).status, c.path)
	}

	// A representative signs for its own party, and the form says which that is.
	assert.Equal(t, "wuxi", representative.open("/do/confirm-fulfilment?agreement=wuxi-cethik-2022").fields.Get("party"))
	b := representative.open("/do/confirm-fulfilment?agreement=wuxi-cethik-2022").fill("obligation", "land", "party", "cethik").press("check")
	assert.Equal(t, http.StatusForbidden, b.status, b.text())

	// What a contributor's form sends by the address of another is refused, too.
	b = contributor.open("/do/reforecast-milestone?agreement=wuxi-cethik-2022")
	b.path = "/do/approve-project"
	b.press("record").is(http.StatusForbidden)

	// And when the rights end between the check and the record, nothing is recorded.
	b = contributor.open("/do/reforecast-milestone?agreement=wuxi-cethik-2022&project=incubation&milestone=first-product")
	b.fill("forecast", "2031-02-03", "reason", "supplier-delay").press("check").is(http.StatusOK).says("CETHIK")
	r.done("revoke-access", `{"principal":"carl"}`)
	last := r.last()
	require.Eventually(t, func() bool { return contributor.send(http.MethodGet, "/v1/agreements", nil).status != http.StatusOK }, 10*time.Second, 5*time.Millisecond)
	b.press("record").is(http.StatusUnauthorized)
	assert.Equal(t, last, r.last())
}

// A form that no page of ours made for this browser records nothing and stores no file.
func TestForeignForms(t *testing.T) {
	r := startDemo(t)
	b := r.open("/do/register-party").fill("title.en", "Port", "kind", "other")
	b.files["_file.evidence"] = "smuggled"
	b.fields.Set(tokenField, "another")
	last := r.last()
	for _, step := range []string{"check", "record"} {
		other := b.copy()
		other.files = b.files
		other.press(step).is(http.StatusForbidden).says("Nothing was recorded")
		assert.Equal(t, "Port", other.fields.Get("title.en"), "what was typed stays")
	}
	assert.Equal(t, last, r.last())
	hash := sha256.Sum256([]byte("smuggled"))
	stored, err := r.store.HasEvidence(t.Context(), hex.EncodeToString(hash[:]))
	require.NoError(t, err)
	assert.False(t, stored)
}

// A token is made on the server, shown once it is issued, and is in no log.
func TestATokenIsShownOnce(t *testing.T) {
	r := startDemo(t)
	r.done("grant-access", `{"principal":"vera","name":"Vera","role":"viewer"}`)
	b := r.open("/do/issue-token?principal=vera").fill("label", "phone").press("check").is(http.StatusOK)
	confirmed := b.copy()
	b.press("record").is(http.StatusOK).says("The token was issued")
	token := b.readonly("input", "code secret")
	_, hash, err := access.ParseToken(token)
	require.NoError(t, err)

	// Then the log has its hash, and not the token.
	event := r.lastOf("access.token-issued")
	assert.Contains(t, event, string(hash))
	assert.NotContains(t, event, token[strings.LastIndex(token, "_")+1:])

	// And it lets its holder in; a second press shows it again and issues no other.
	other := *r
	other.token = token
	require.Eventually(t, func() bool { return other.send(http.MethodGet, "/v1/agreements", nil).status == http.StatusOK }, 10*time.Second, 5*time.Millisecond)
	last := r.last()
	confirmed.press("record").is(http.StatusOK)
	assert.Equal(t, token, confirmed.readonly("input", "code secret"))
	assert.Equal(t, last, r.last())

	// What somebody else says is the token is not shown as one.
	confirmed = r.open("/do/issue-token?principal=vera").press("check").is(http.StatusOK).fill(secretField, token)
	confirmed.press("record").is(http.StatusSeeOther)
}

// readonly is the value of an element of a class.
func (b *tab) readonly(element, class string) string {
	root, err := html.Parse(strings.NewReader(b.body))
	require.NoError(b.rig.t, err)
	for n := range root.Descendants() {
		if a := attributes(n); n.Data == element && a["class"] == class {
			return a["value"]
		}
	}
	return ""
}

// When the log does not say whether it took a command, the form is kept, and sent again
// it is recorded once.
func TestAnOutcomeThatIsNotKnown(t *testing.T) {
	r := startDemo(t)
	b := r.open("/do/register-party").fill("title.en", "Port", "kind", "other", "party", "port").press("check").is(http.StatusOK)

	// Given that the log did not answer when it was recorded.
	recorder := httptest.NewRecorder()
	req := httptest.NewRequest(http.MethodPost, "/do/register-party", nil)
	principal := r.directory.Administrator()
	v := r.site.stranger(recorder, req.WithContext(access.With(t.Context(), principal)))
	f, err := r.site.newForm(v, "register-party", b.fields)
	require.NoError(t, err)
	f.values.Set(stepField, "record")
	answer, err := f.refused(t.Context(), &eventstore.OutcomeUnknownError{Err: io.ErrUnexpectedEOF})
	require.NoError(t, err)
	require.NoError(t, r.site.render(recorder, f.status, v, "command", answer))

	// Then the page says so, and its form has all that was filled in.
	assert.Equal(t, http.StatusServiceUnavailable, recorder.Code)
	assert.NotEmpty(t, recorder.Header().Get("Retry-After"))
	page := b.copy()
	page.screen = screen{t, recorder.Code, recorder.Header(), recorder.Body.String()}
	page.says("It is not certain whether this was recorded", "Send again").wellFormed()
	kept := page.read()
	kept.Set(tokenField, b.fields.Get(tokenField)) // this page is of another browser

	// And whether it was recorded or not, sending it again leaves it recorded once.
	before := r.last()
	for range 2 {
		again := b.copy()
		again.fields = kept
		again.press("record").is(http.StatusSeeOther)
		assert.Equal(t, before+1, r.last())
	}
}

// A form starts from how things are, and says only what was changed.
func TestFormsStartFromHowThingsAre(t *testing.T) {
	r := startDemo(t)
	b := r.open("/do/reforecast-milestone?agreement=wuxi-cethik-2022&project=incubation&milestone=first-product")
	assert.Equal(t, "2027-06-30", b.fields.Get("forecast"))
	b.says("First incubated product on the market").silentOn(`<select id="f-milestone"`)

	// When what is filled in is to be changed, then it can be, and the rest stays.
	b.fill("forecast", "2030-01-01").press("open").is(http.StatusOK)
	assert.Contains(t, b.body, `<select id="f-milestone"`)
	assert.Equal(t, "2030-01-01", b.fields.Get("forecast"))

	// And what is chosen decides what there is to choose from.
	b = r.open("/do/reforecast-milestone").fill("agreement", "wuxi-cethik-2022", "project", "incubation").press("refresh").is(http.StatusOK)
	b.says("First incubated product on the market").silentOn("Main structure complete")

	// A form without a change changes nothing.
	b = r.open("/do/change-party?party=wuxi")
	assert.Equal(t, "无锡市人民政府", b.fields.Get("title.zh"))
	b.press("check").is(http.StatusUnprocessableEntity)
	b = r.open("/do/change-scope?agreement=wuxi-cethik-2022&project=incubation").fill("lead", "wuxi")
	b.recorded()
	event := r.lastOf("project.scope-changed")
	assert.Contains(t, event, `"lead":"wuxi"`)
	assert.NotContains(t, event, `"title"`)
	assert.NotContains(t, event, `"areas"`)
}

// After it is recorded a form goes back to the page that led to it, and to no other
// site.
func TestFormsGoBack(t *testing.T) {
	r := startDemo(t)
	for next, want := range map[string]string{
		"/agreements/wuxi-cethik-2022?since=seq:10": "/agreements/wuxi-cethik-2022?done=",
		"https://evil.example/":                     "/?done=",
		"//evil.example/":                           "/?done=",
		"":                                          "/parties/",
	} {
		path := "/do/register-party"
		if next != "" {
			path += "?next=" + url.QueryEscape(next)
		}
		s := r.open(path).fill("title.en", "Port", "kind", "other").recorded()
		assert.True(t, strings.HasPrefix(s.header.Get("Location"), want), "%s: %s", next, s.header.Get("Location"))
	}
}

// In whose name somebody asks goes by the agreement, and is asked where there is a choice.
func TestInWhoseName(t *testing.T) {
	r := startDemo(t)
	carl := r.principal("carl", `"role":"contributor","party":"cethik","agreement":"wuxi-cethik-2022"`)
	r.done("grant-access", `{"principal":"carl","role":"contributor","party":"cetc-software","agreement":"wuxi-cetc-software-2018"}`)
	require.Eventually(t, func() bool {
		return carl.send(http.MethodGet, "/v1/agreements/wuxi-cetc-software-2018", nil).status == http.StatusOK
	}, 10*time.Second, 5*time.Millisecond)

	// Given a form that was opened for one agreement, when it is changed to another.
	b := carl.open("/do/reforecast-milestone?agreement=wuxi-cetc-software-2018&project=huihai-bay")
	assert.Equal(t, "cetc-software", b.fields.Get("acting_for"))
	b.press("open").fill("agreement", "wuxi-cethik-2022", "project", "incubation").press("refresh").is(http.StatusOK)

	// Then it is in the name of the party there.
	assert.Equal(t, "cethik", b.fields.Get("acting_for"))
	b.fill("milestone", "first-product", "forecast", "2031-02-03", "reason", "supplier-delay").press("check").is(http.StatusOK).says("In the name of CETHIK Group")
	b.press("record").is(http.StatusSeeOther)
	assert.Contains(t, r.lastOf("project.milestone-reforecast"), `"party":"cethik"`)

	// An administrator is asked, and need not say.
	assert.Contains(t, r.open("/do/reforecast-milestone").body, `name="acting_for"`)
}

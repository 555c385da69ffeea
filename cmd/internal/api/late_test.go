package api

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// slowly posts a body of which the first byte comes when between is done, which
// begins when the server has let the request in and wants the body.
func (r *rig) slowly(path, media, body string, between func()) reply {
	r.t.Helper()
	req := r.request(r.t.Context(), http.MethodPost, path, io.MultiReader(onRead(between), strings.NewReader(body)))
	req.ContentLength = int64(len(body))
	req.Header.Set("Content-Type", media)
	req.Header.Set("Expect", "100-continue")
	transport := &http.Transport{ExpectContinueTimeout: time.Minute}
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Transport: transport}).Do(req)
	require.NoError(r.t, err)
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	require.NoError(r.t, err)
	return reply{r.t, resp.StatusCode, resp.Header, answer}
}

// onRead is empty, and is called when it is read.
type onRead func()

func (f onRead) Read([]byte) (int, error) {
	f()
	return 0, io.EOF
}

// A right that is revoked while a request arrives is not one that it has when it
// has arrived: who holds a request open does not keep it.
func TestRightsAreThoseOfWhenARequestHasArrived(t *testing.T) {
	r := start(t)
	r.signed()
	note, err := r.witnessed("wuxi").cosigner.Cosign(r.signedAt("/v1/checkpoint"))
	require.NoError(t, err)
	for name, c := range map[string]struct {
		path, media, body string
	}{
		"a signature": {"/v1/checkpoint/cosignatures", "text/plain", string(note)},
		"a command":   {"/v1/commands/add-area", "application/json", `{"agreement":"wuxi-2017","area":"late","title":"Late"}`},
		"an import":   {"/v1/import", mediaLines, `{"command":"grant-access","principal":"evil","role":"admin"}` + "\n"},
		"a plan":      {"/v1/import?agreement=wuxi-2017&project=iot-base", "text/csv", "milestone,title_en,due,type,confirming\nlate,Late,2019-06-30,delivery,wuxi\n"},
		"a link":      {"/v1/sign-in-links", "application/json", `{"principal":"administrator"}`},
		"a promotion": {"/v1/commands/grant-access", "application/json", `{"principal":"evil","role":"admin"}`},
	} {
		for how, revoked := range map[string]struct {
			command, fields string
			status          int
		}{
			"the grant": {"revoke-access", `"grant":"admin"`, http.StatusForbidden},
			"the token": {"revoke-token", `"token":"t-%s"`, http.StatusUnauthorized},
		} {
			t.Run(name+" "+how, func(t *testing.T) {
				r := r.on(t)
				key := strings.NewReplacer(" ", "-").Replace(name + " " + how)
				token := r.principal(key, `"role":"admin","grant":"admin"`, `"role":"viewer"`)
				var before uint64
				answer := r.as(token).slowly(c.path, c.media, c.body, func() {
					r.done(revoked.command, `{"principal":"`+key+`",`+strings.ReplaceAll(revoked.fields, "%s", key)+`}`)
					before = r.last()
				})
				if name == "a signature" && revoked.status == http.StatusForbidden {
					answer.problem(http.StatusUnprocessableEntity, CodeNoCosignature) // of a party that it acts for
				} else {
					answer.is(revoked.status)
				}
				assert.Equal(t, before, r.last(), "nothing was written")
			})
		}
	}
}

// A link is of the token by which it was asked for, in whatever form that was shown.
func TestLinkByBasicEndsWithItsToken(t *testing.T) {
	r := start(t)
	token := r.principal("ann", `"role":"viewer"`)
	asked := r.request(t.Context(), http.MethodPost, "/v1/sign-in-links", nil)
	asked.SetBasicAuth("ann", token)
	var link SignInLink
	r.send(http.MethodPost, "/v1/sign-in-links", "", "Authorization: "+asked.Header.Get("Authorization")).is(http.StatusCreated).into(&link)
	assert.EqualValues(t, "ann", link.Principal)
	path := strings.TrimPrefix(link.Link, "http://localhost")
	r.as("").get(path, "Accept: text/html").is(http.StatusOK)
	r.done("revoke-token", `{"principal":"ann","token":"t-ann"}`)
	r.as("").get(path, "Accept: text/html").is(http.StatusForbidden)
}

// A stream that was opened by a session is over when that is.
func TestStreamEndsWithItsSession(t *testing.T) {
	r := start(t)
	r.signed()
	token := r.principal("ann", `"role":"viewer"`)
	var link SignInLink
	r.as(token).send(http.MethodPost, "/v1/sign-in-links", "").is(http.StatusCreated).into(&link)
	b := r.browser()
	form := b.open(strings.TrimPrefix(link.Link, "http://localhost"))
	require.Equal(t, http.StatusSeeOther, b.post("/sign-in/link", form))
	s := r.as("").stream("?kind=party", "Cookie: "+b.cookies())
	r.done("register-party", `{"party":"one","title":"One","kind":"other"}`)
	assert.Contains(t, s.next().data, `"party":"one"`)

	require.Equal(t, http.StatusSeeOther, b.post("/sign-out", form))
	r.done("register-party", `{"party":"two","title":"Two","kind":"other"}`)
	s.end(endRightsChanged)
}

// browser keeps cookies, and follows no redirects by itself.
type browser struct {
	*rig
	client *http.Client
}

func (r *rig) browser() *browser {
	jar, err := cookiejar.New(nil)
	require.NoError(r.t, err)
	return &browser{r, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

func (b *browser) cookies() string {
	b.t.Helper()
	here, err := url.Parse(b.url)
	require.NoError(b.t, err)
	var pairs []string
	for _, c := range b.client.Jar.Cookies(here) {
		pairs = append(pairs, c.String())
	}
	return strings.Join(pairs, "; ")
}

var hiddenInput = regexp.MustCompile(`name="([a-z]+)" value="([^"]+)"`)

// open gets a page, and returns what its forms hold.
func (b *browser) open(path string) url.Values {
	b.t.Helper()
	resp, err := b.client.Get(b.url + path)
	require.NoError(b.t, err)
	defer func() { _ = resp.Body.Close() }()
	page, err := io.ReadAll(resp.Body)
	require.NoError(b.t, err)
	form := url.Values{}
	for _, input := range hiddenInput.FindAllSubmatch(page, -1) {
		form.Set(string(input[1]), string(input[2]))
	}
	return form
}

func (b *browser) post(path string, form url.Values) (status int) {
	b.t.Helper()
	resp, err := b.client.PostForm(b.url+path, form)
	require.NoError(b.t, err)
	require.NoError(b.t, resp.Body.Close())
	return resp.StatusCode
}

package signin

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const callback = "/sign-in/oidc/callback"

// TestOrganisation signs in by a real provider, in a process of its own.
func TestOrganisation(t *testing.T) {
	program := buildProvider(t)
	port := freePort(t)
	issuer := "http://localhost:" + port + "/"
	by := func(claim string) *rig {
		r := start(t, false, func(c *Config) {
			c.Provider = &Provider{Issuer: issuer, ClientID: "web", Secret: "secret", Redirect: c.Base + callback, Claim: claim}
			require.NoError(t, c.Provider.Check())
		})
		for key, subject := range map[string]string{"i1": "id-ann", "i2": "ann@example.org"} {
			r.do("link-identity", `{"principal":"ann","identity":"`+key+`","issuer":"`+issuer+`","subject":"`+subject+`"}`)
		}
		r.do("link-identity", `{"principal":"bo","identity":"i1","issuer":"`+issuer+`","subject":"bo@example.org"}`)
		return r
	}
	bySub, byEmail := by(""), by("email")

	// Given a provider that does not answer, then sign-in says so, and tries again
	// the next time.
	bySub.browser().get("/sign-in/oidc").refused(t, http.StatusBadGateway, CodeProviderFailed)
	runProvider(t, program, port, bySub.web.URL+callback+","+byEmail.web.URL+callback)

	t.Run("signs in whom it knows by a linked identity", func(t *testing.T) {
		b := bySub.on(t).browser()
		p := b.get("/sign-in?next=/v1/agreements")
		require.Contains(t, p.body, `href="/sign-in/oidc?next=%2fv1%2fagreements"`)
		sent := b.get("/sign-in/oidc?next=/v1/agreements")
		to := sent.location(t)
		for name, want := range map[string]string{"response_type": "code", "code_challenge_method": "S256", "scope": "openid", "client_id": "web"} {
			assert.Equal(t, want, to.Query().Get(name))
		}
		for _, name := range []string{"state", "nonce", "code_challenge"} {
			assert.Len(t, to.Query().Get(name), 43, name)
		}
		back := atProvider(t, sent, "ann")
		p = b.get(back.String())
		assert.Equal(t, http.StatusSeeOther, p.StatusCode, p.body)
		assert.Equal(t, "/v1/agreements", p.Header.Get("Location"))
		assert.Equal(t, "ann", b.who())

		// and the same answer of the provider is of no use again, to anybody
		b.get(back.String()).refused(t, http.StatusForbidden, CodeFlowUnknown)

		// and who is unlinked is out at once
		bySub.do("unlink-identity", `{"principal":"ann","identity":"i1"}`)
		assert.Empty(t, b.who())
		bySub.do("link-identity", `{"principal":"ann","identity":"i3","issuer":"`+issuer+`","subject":"id-ann"}`)
	})
	t.Run("says what to ask for whom the ledger does not know", func(t *testing.T) {
		b := bySub.on(t).browser()
		p := b.get(atProvider(t, b.get("/sign-in/oidc"), "bo").String())
		p.refused(t, http.StatusForbidden, CodeIdentityUnknown)
		assert.Contains(t, p.body, "<code>"+issuer+"</code>")
		assert.Contains(t, p.body, "<code>id-bo</code>")
		assert.Empty(t, b.who())
	})
	t.Run("refuses a state that is not this browser's", func(t *testing.T) {
		b, other := bySub.on(t).browser(), bySub.on(t).browser()
		back := atProvider(t, b.get("/sign-in/oidc"), "ann")
		other.get(back.String()).refused(t, http.StatusForbidden, CodeFlowUnknown) // no flow
		other.get("/sign-in/oidc")
		other.get(back.String()).refused(t, http.StatusForbidden, CodeFlowUnknown) // one of its own
		query := back.Query()
		query.Set("state", secret())
		b.get(callback+"?"+query.Encode()).refused(t, http.StatusForbidden, CodeFlowUnknown)
		assert.Empty(t, other.who())
		// and what others tried has not spoilt it
		b.get(back.String())
		assert.Equal(t, "ann", b.who())
	})
	t.Run("refuses a code of another sign-in", func(t *testing.T) {
		victim := bySub.on(t).browser()
		stolen := atProvider(t, victim.get("/sign-in/oidc"), "ann").Query().Get("code")
		thief := bySub.on(t).browser()
		state := thief.get("/sign-in/oidc").location(t).Query().Get("state")
		thief.get(callback+"?"+url.Values{"code": {stolen}, "state": {state}}.Encode()).
			refused(t, http.StatusForbidden, CodeProviderRefused) // by PKCE, for all else is right
		assert.Empty(t, thief.who())
	})
	t.Run("refuses an ID token that is for another sign-in", func(t *testing.T) {
		b := bySub.on(t).browser()
		sent := b.get("/sign-in/oidc")
		bySub.flows.mu.Lock()
		for h, f := range bySub.flows.open {
			f.nonce = secret()
			bySub.flows.open[h] = f
		}
		bySub.flows.mu.Unlock()
		b.get(atProvider(t, sent, "ann").String()).refused(t, http.StatusBadGateway, CodeProviderFailed)
		assert.Empty(t, b.who())
	})
	t.Run("refuses what took too long, and what the provider refused", func(t *testing.T) {
		b := bySub.on(t).browser()
		bySub.pass(time.Hour)
		back := atProvider(t, b.get("/sign-in/oidc"), "ann")
		bySub.pass(flowTime)
		b.get(back.String()).refused(t, http.StatusForbidden, CodeFlowUnknown)
		state := b.get("/sign-in/oidc").location(t).Query().Get("state")
		b.get(callback+"?error=access_denied&state="+state).refused(t, http.StatusForbidden, CodeProviderRefused)
		state = b.get("/sign-in/oidc").location(t).Query().Get("state")
		b.get(callback+"?code=x&iss=https%3A%2F%2Fevil.example&state="+state).refused(t, http.StatusForbidden, CodeFlowUnknown)
		assert.Empty(t, b.who())
	})
	t.Run("goes by an e-mail address only if it is verified", func(t *testing.T) {
		b := byEmail.on(t).browser()
		p := b.get(atProvider(t, b.get("/sign-in/oidc"), "bo").String())
		p.refused(t, http.StatusForbidden, CodeNotVerified)
		assert.Empty(t, b.who())
		b.get(atProvider(t, b.get("/sign-in/oidc"), "ann").String())
		assert.Equal(t, "ann", b.who())
	})
	t.Run("limits the attempts", func(t *testing.T) {
		b := byEmail.on(t).browser()
		var last page
		for range burstEach + 1 {
			last = b.get(callback + "?state=x&code=y")
		}
		last.refused(t, http.StatusTooManyRequests, CodeTooManyAttempts)
	})
}

func TestProviderOfOtherAddresses(t *testing.T) {
	good := Provider{Issuer: "https://id.example.org", ClientID: "x", Redirect: "https://ledger.example.org" + callback}
	require.NoError(t, good.Check())
	for _, p := range []*Provider{
		{Issuer: "http://id.example.org", ClientID: "x", Redirect: good.Redirect},
		{Issuer: "id.example.org", ClientID: "x", Redirect: good.Redirect},
		{Issuer: good.Issuer, Redirect: good.Redirect},
		{Issuer: good.Issuer, ClientID: "x", Redirect: "http://ledger.example.org" + callback},
	} {
		assert.Error(t, p.Check(), p.Issuer)
	}
	start(t, false).browser().get("/sign-in/oidc").refused(t, http.StatusNotFound, CodeNoProvider)
}

func TestClaims(t *testing.T) {
	p := func(claim string) *Provider { return &Provider{Claim: claim} }
	for _, c := range []struct{ claim, claims, want, code string }{
		{"email", `{"email":"a@b","email_verified":true}`, "a@b", ""},
		{"email", `{"email":"a@b","email_verified":"true"}`, "a@b", ""},
		{"email", `{"email":"a@b","email_verified":false}`, "", CodeNotVerified},
		{"email", `{"email":"a@b"}`, "", CodeNotVerified},
		{"email", `{"email_verified":true}`, "", CodeClaimMissing},
		{"upn", `{"upn":""}`, "", CodeClaimMissing},
		{"upn", `{"upn":["a"]}`, "", CodeClaimMissing},
		{"upn", `{"upn":"a"}`, "a", ""},
	} {
		var all claims
		require.NoError(t, json.Unmarshal([]byte(c.claims), &all))
		got, err := p(c.claim).chosen(all, "s")
		assert.Equal(t, c.want, got, c.claims)
		var refused *Refusal
		if c.code != "" && assert.ErrorAs(t, err, &refused) {
			assert.Equal(t, c.code, refused.Code)
		}
	}
}

// on is r for a subtest.
func (r *rig) on(t *testing.T) *rig {
	r.pass(time.Minute) // or these would be too many attempts
	c := *r
	c.t = t
	return &c
}

func (p page) location(t *testing.T) *url.URL {
	t.Helper()
	to, err := p.Location()
	require.NoError(t, err, p.body)
	return to
}

// atProvider is what a person does there, whom milepost has sent: signs in, and is
// sent back. It returns where to.
func atProvider(t *testing.T, sent page, user string) *url.URL {
	t.Helper()
	here := &http.Client{CheckRedirect: func(req *http.Request, _ []*http.Request) error {
		if req.URL.Path == callback {
			return http.ErrUseLastResponse
		}
		return nil
	}}
	asked, err := here.Get(sent.location(t).String())
	require.NoError(t, err)
	body, err := io.ReadAll(asked.Body)
	require.NoError(t, err)
	require.NoError(t, asked.Body.Close())
	id := asked.Request.URL.Query().Get("authRequestID")
	require.NotEmpty(t, id, "%s", body)
	back, err := here.PostForm(asked.Request.URL.ResolveReference(&url.URL{Path: "/login/username"}).String(),
		url.Values{"id": {id}, "username": {user}, "password": {"verysecure"}})
	require.NoError(t, err)
	require.NoError(t, back.Body.Close())
	to, err := back.Location()
	require.NoError(t, err)
	return to
}

// buildProvider builds the provider, as its go.mod and go.sum pin it.
func buildProvider(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "provider")
	build := exec.Command("go", "build", "-o", program, "github.com/zitadel/oidc/v3/example/server")
	build.Dir = "testdata/provider"
	if out, err := build.CombinedOutput(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("the OpenID provider of the tests cannot be built: %v\n%s", err, out)
		}
		t.Skipf("the OpenID provider of the tests cannot be built here, most likely for want of a module proxy: %v\n%s", err, out)
	}
	return program
}

// runProvider runs it until the test ends, and waits until it answers.
func runProvider(t *testing.T, program, port, redirects string) {
	t.Helper()
	users := filepath.Join(t.TempDir(), "users.json")
	require.NoError(t, os.WriteFile(users, []byte(`{
		"id-ann": {"ID": "id-ann", "Username": "ann", "Password": "verysecure", "Email": "ann@example.org", "EmailVerified": true, "PreferredLanguage": "en"},
		"id-bo":  {"ID": "id-bo",  "Username": "bo",  "Password": "verysecure", "Email": "bo@example.org", "PreferredLanguage": "en"}}`), 0o600))
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), "PORT="+port, "USERS_FILE="+users, "REDIRECT_URI="+redirects)
	var log strings.Builder
	cmd.Stdout, cmd.Stderr = &log, &log
	require.NoError(t, cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
		if t.Failed() {
			t.Log(log.String())
		}
	})
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		select {
		case err := <-ended:
			ended <- err
			require.NoError(t, errors.Join(err, fmt.Errorf("the provider ended: %s", log.String())))
		default:
		}
		resp, err := http.Get("http://localhost:" + port + "/.well-known/openid-configuration")
		if assert.NoError(c, err) {
			assert.NoError(c, resp.Body.Close())
			assert.Equal(c, http.StatusOK, resp.StatusCode)
		}
	}, 20*time.Second, 20*time.Millisecond)
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

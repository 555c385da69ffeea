package signin

import (
	"net/http"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Another site cannot sign its visitor in as somebody else, nor out.
func TestFormsOfOthers(t *testing.T) {
	r := start(t, false)
	b := r.browser()
	address, _ := r.Link("bo", r.admin)
	code := fill(r.browser().get(address)).Get("code")
	forged := url.Values{"token": {r.bo}, "code": {code}, "form": {secret()}}
	for _, path := range []string{"/sign-in", "/sign-in/link"} {
		// without our cookie, and with it but without what only our page knows
		r.browser().send(http.MethodPost, path, forged).refused(t, http.StatusForbidden, CodeForeignForm)
		b.get("/sign-in")
		b.send(http.MethodPost, path, forged).refused(t, http.StatusForbidden, CodeForeignForm)
		forged.Del("form")
		b.send(http.MethodPost, path, forged).refused(t, http.StatusForbidden, CodeForeignForm)
		assert.Empty(t, b.who())
	}
	// and with everything, from a page that the browser says is elsewhere
	for name, value := range map[string]string{"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"} {
		b.header.Set(name, value)
		b.signIn(r.bo).refused(t, http.StatusForbidden, CodeForeignForm)
		b.header.Del(name)
		assert.Empty(t, b.who())
	}
	// the link was not used up by any of it
	b.send(http.MethodPost, "/sign-in/link", fill(b.get(address)))
	require.Equal(t, "bo", b.who())
	b.send(http.MethodPost, "/sign-out", url.Values{}).refused(t, http.StatusForbidden, CodeForeignForm)
	assert.Equal(t, "bo", b.who())
}

func TestNextStaysHere(t *testing.T) {
	r := start(t, false)
	for next, want := range map[string]string{
		"/v1/agreements?limit=1": "/v1/agreements?limit=1", "": "/", "/": "/",
		"https://evil.example": "/", "//evil.example": "/", "///evil.example": "/", "/\\evil.example": "/", "\\\\evil.example": "/", "/\t/evil.example": "/",
		"javascript:alert(1)": "/", "evil.example": "/", "/ /evil": "/", "/sign-out": "/", "/%zz": "/", "/a\r\nX: y": "/",
	} {
		assert.Equal(t, want, local(next), next)
		r.pass(time.Minute) // or these would be too many attempts
		b := r.browser()
		form := fill(b.get("/sign-in?next=" + url.QueryEscape(next)))
		assert.Equal(t, want, form.Get("next"))
		form.Set("token", r.ann)
		form.Set("next", next) // whatever the page said
		assert.Equal(t, want, b.send(http.MethodPost, "/sign-in", form).Header.Get("Location"))
	}
}

func TestTooManyAttempts(t *testing.T) {
	r := start(t, false, func(c *Config) {
		c.Address = func(r *http.Request) string { return r.Header.Get("X-Address") }
	})
	b := r.browser()
	b.header.Set("X-Address", "192.0.2.1:5000")
	for range burstEach {
		b.signIn("wrong").refused(t, http.StatusForbidden, CodeWrongToken)
	}

	// When there are too many from one address, then not even a good token helps,
	p := b.signIn(r.ann)
	p.refused(t, http.StatusTooManyRequests, CodeTooManyAttempts)
	after, err := strconv.Atoi(p.Header.Get("Retry-After"))
	require.NoError(t, err)
	assert.Positive(t, after)
	assert.Empty(t, b.who())

	// others are let in,
	other := r.browser()
	other.header.Set("X-Address", "192.0.2.2:5000")
	other.signIn(r.bo)
	assert.Equal(t, "bo", other.who())

	// and so is this one after the time that it was told.
	r.pass(time.Duration(after) * time.Second)
	b.signIn(r.ann)
	assert.Equal(t, "ann", b.who())
}

func TestTooManyAttemptsInAll(t *testing.T) {
	a := newAttempts()
	now := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	address := func(i int) string { return "10." + strconv.Itoa(i/250) + ".1." + strconv.Itoa(i%250) }
	for i := range burstAll {
		require.Zero(t, a.take(address(i), now))
	}
	wait := a.take(address(burstAll), now)
	assert.Positive(t, wait)
	assert.Zero(t, a.take(address(burstAll), now.Add(wait)), "a refused attempt is not counted")

	// however many addresses there are, what is remembered of them is bounded
	for i := range 3 * mostAddresses {
		a.take("2001:db8:"+strconv.FormatInt(int64(i/60000), 16)+":"+strconv.FormatInt(int64(i%60000), 16)+"::1", now)
	}
	assert.LessOrEqual(t, len(a.each), mostAddresses)
	// and one network of IPv6 is one
	assert.Equal(t, block("[2001:db8::1]:80"), block("[2001:db8::ffff:1]:81"))
	assert.NotEqual(t, block("192.0.2.1:80"), block("192.0.2.2:80"))
	assert.Equal(t, block("192.0.2.1:80"), block("[::ffff:192.0.2.1]:80"))
}

func TestPagesSpeakAndLoadNothing(t *testing.T) {
	r := start(t, false)
	b := r.browser()
	for accept, want := range map[string][2]string{
		"": {`lang="en"`, "Sign in"}, "fr": {`lang="en"`, "Sign in"}, "zh-CN,zh;q=0.9,en;q=0.8": {`lang="zh-Hans"`, "登录"}, "en-GB,zh;q=0.5": {`lang="en"`, "Sign in"},
	} {
		b.header.Set("Accept-Language", accept)
		p := b.get("/sign-in")
		assert.Contains(t, p.body, want[0], accept)
		assert.Contains(t, p.body, want[1], accept)
		csp := p.Header.Get("Content-Security-Policy")
		assert.Contains(t, csp, "default-src 'none'")
		assert.NotContains(t, csp, "unsafe")
		assert.Equal(t, "no-store", p.Header.Get("Cache-Control"))
		assert.Equal(t, "no-referrer", p.Header.Get("Referrer-Policy"))
		for _, never := range []string{"<script", "<style", " style=", " onclick", "http://", "https://"} {
			assert.NotContains(t, p.body, never)
		}
	}
	p := b.get("/sign-in/style.css")
	assert.Equal(t, "text/css; charset=utf-8", p.Header.Get("Content-Type"))
	assert.NotContains(t, p.body, "url(")
}

func TestPagesKeepTheLanguageThatWasChosen(t *testing.T) {
	// Given a browser that asks for English.
	r := start(t, false)
	b := r.browser()
	b.header.Set("Accept-Language", "en")
	at := "/sign-in?next=%2Fchanges"
	p := b.get(at)
	assert.Contains(t, p.body, `<button name="language" value="en" lang="en" aria-pressed="true">`)
	assert.Contains(t, p.body, `<form method="post" action="/language" aria-label="Language">`+"\n"+`<input type="hidden" name="next" value="/sign-in?next=%2Fchanges">`)

	// When Chinese was chosen on any page, then sign-in speaks it, in what it refuses too.
	b.header.Set("Cookie", "milepost-language=zh-Hans")
	p = b.get(at)
	assert.Contains(t, p.body, `lang="zh-Hans" aria-pressed="true">简体中文`)
	assert.Equal(t, "zh-Hans", p.Header.Get("Content-Language"))
	p = b.get("/sign-in/link?code=never")
	assert.Contains(t, p.body, "该链接无效")
	assert.Contains(t, p.body, `name="next" value="/sign-in"`, "what was refused is not asked for again")
}

func TestEveryRefusalHasASentence(t *testing.T) {
	for _, code := range []string{
		CodeTooManyAttempts, CodeWrongToken, CodeLinkUsed, CodeInvalidForm, CodeForeignForm, CodeNoProvider, CodeProviderFailed,
		CodeProviderRefused, CodeFlowUnknown, CodeIdentityUnknown, CodeNotVerified, CodeClaimMissing, CodeUnavailable, CodeUnauthenticated,
	} {
		assert.NotEqual(t, refusals["internal"], refuse(0, code).Error(), code)
		assert.NotContains(t, refuse(0, code).Error(), "\n")
	}
}

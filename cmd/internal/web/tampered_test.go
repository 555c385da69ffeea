package web

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/access"
	"github.com/milepost-ledger/milepost/domain/domaintest"
)

// post sends what a form of ours might, as its own browser does.
func (b *tab) post(contentType string, body *bytes.Buffer) *tab {
	b.rig.t.Helper()
	path, _, _ := strings.Cut(b.path, "?")
	req, err := http.NewRequestWithContext(b.rig.t.Context(), http.MethodPost, b.url+path, body)
	require.NoError(b.rig.t, err)
	req.Header.Set("Content-Type", contentType)
	b.load(req)
	return b
}

// What a form says under any name is bounded: the names count, too.
func TestAFormOfManyPartsIsRefused(t *testing.T) {
	domaintest.Exhausting(t)
	r := startDemo(t)
	for what, part := range map[string]func(w *multipart.Writer, i int){
		"long names": func(w *multipart.Writer, i int) { _ = w.WriteField(fmt.Sprint(i)+strings.Repeat("n", 9000), "") },
		"many names": func(w *multipart.Writer, i int) { _ = w.WriteField(fmt.Sprint(i), "") },
		"one name":   func(w *multipart.Writer, _ int) { _ = w.WriteField("n", "") },
		"no files": func(w *multipart.Writer, i int) {
			_, _ = w.CreateFormFile("_file.evidence", strings.Repeat("f", 9000))
		},
	} {
		b := r.open("/do/register-party")
		var body bytes.Buffer
		w := multipart.NewWriter(&body)
		require.NoError(t, w.WriteField(tokenField, b.fields.Get(tokenField)))
		n := 300
		if what == "many names" || what == "one name" {
			n = maxValues + 10
		}
		for i := range n {
			part(w, i)
		}
		require.NoError(t, w.Close())
		b.post(w.FormDataContentType(), &body)
		assert.Contains(t, []int{http.StatusBadRequest, http.StatusRequestEntityTooLarge}, b.status, "%s: %s", what, b.text())
	}
}

// Rows without end neither take the server's time nor its memory.
func TestAFormOfManyRows(t *testing.T) {
	domaintest.Exhausting(t)
	r := startDemo(t)
	for n, status := range map[int]int{1000: http.StatusOK, 9999: http.StatusBadRequest} {
		b := r.open("/do/hold-meeting?agreement=wuxi-cethik-2022&meeting=coordination-2026-12")
		for i := range n {
			b.fields.Set(fmt.Sprintf("attendees[%d].party", i), "wuxi")
			b.fields.Set(fmt.Sprintf("attendees[%d].name", i), "Li")
		}
		b.copy().press("refresh").is(status)
		b.fields.Set(stepField, "refresh")
		b.post("application/x-www-form-urlencoded", bytes.NewBufferString(b.fields.Encode())).is(status)
	}
}

// What is not UTF-8 is refused, and not recorded as something else.
func TestAFormThatIsNotText(t *testing.T) {
	r := startDemo(t)
	last := r.last()
	for name, value := range map[string]string{"title.en": "P\xffort", "note": "\xc3\x28", "party": "p\xff", "title.zh": "\xed\xa0\x80"} {
		b := r.open("/do/register-party").fill("title.en", "Port", "kind", "other").fill(name, value).press("check")
		assert.GreaterOrEqual(t, b.status, 400, "%s: %s", name, b.text())
		assert.Less(t, b.status, 500, name)
		b.wellFormed()
	}
	assert.Equal(t, last, r.last())
}

// What a form keeps for itself can be changed by whoever sends it, and has nothing
// recorded that a command could not.
func TestTamperedForms(t *testing.T) {
	r := startDemo(t)
	carl := r.principal("carl", `"role":"contributor","party":"cethik","agreement":"wuxi-cethik-2022"`)
	rosa := r.principal("rosa", `"role":"representative","party":"wuxi","agreement":"wuxi-cethik-2022"`)
	const path = "/do/reforecast-milestone?agreement=wuxi-cethik-2022&project=incubation&milestone=first-product"
	checked := func() *tab {
		return carl.open(path).fill("forecast", "2031-02-03", "reason", "supplier-delay").press("check").is(http.StatusOK)
	}
	last := r.last()
	for name, tamper := range map[string]func(b *tab){
		"another command":         func(b *tab) { b.path = "/do/set-tolerance" },
		"another agreement":       func(b *tab) { b.fill("agreement", "wuxi-cethik-2017", "project", "iot-base", "milestone", "structure") },
		"another project":         func(b *tab) { b.fill("project", "huihai-bay") },
		"another aggregate":       func(b *tab) { b.fill(ofField, "wuxi-cethik-2022/project/other") },
		"another version":         func(b *tab) { b.fill(versionField, "1") },
		"no version":              func(b *tab) { b.fields.Del(versionField) },
		"a version out of bounds": func(b *tab) { b.fill(versionField, "99999999999999999999") },
		"somebody's file":         func(b *tab) { b.fill("evidence", strings.Repeat("ab", 32)) },
		"nobody's event":          func(b *tab) { b.fill("corrects", "018f0000-0000-7000-8000-000000000000") },
		"a key that is none":      func(b *tab) { b.fill(keyField, strings.Repeat("k", 4000)) },
		"another token":           func(b *tab) { b.fill(tokenField, "x") },
	} {
		b := checked()
		tamper(b)
		b.press("record")
		assert.NotEqual(t, http.StatusSeeOther, b.status, name)
		assert.Less(t, b.status, 500, name)
		b.wellFormed()
		assert.Equal(t, last, r.last(), name)
	}

	// Who it is that asks is not the form's to say.
	b := checked()
	b.fill("acting_for", "wuxi", "actor", "li.wei", "principal", "admin", "expected_version", "9", "idempotency_key", "x", "command", "grant-access")
	b.press("record").is(http.StatusSeeOther)
	event := r.lastOf("project.milestone-reforecast")
	assert.Contains(t, event, `"actor":"carl"`)
	assert.Contains(t, event, `"party":"cethik"`)
	assert.NotContains(t, event, `"principal"`)

	// What one has checked another records as itself, where it may; by another browser,
	// not at all.
	b = carl.open(path).fill("forecast", "2031-02-04", "reason", "supplier-delay").press("check").is(http.StatusOK)
	b.token = rosa.token
	other := *b.rig
	other.token = rosa.token
	b.rig = &other
	b.cookie = ""
	last = r.last()
	b.press("record").is(http.StatusForbidden)
	assert.Equal(t, last, r.last())
}

// Nobody is led to another site by where a form goes back to.
func TestFormsLeadToNoOtherSite(t *testing.T) {
	r := startDemo(t)
	for _, next := range []string{
		"//evil.example", `/\evil.example`, `\/evil.example`, "https:evil.example", "https://evil.example", "javascript:alert(1)", "/\tevil", "/\n/evil.example", "\x00//evil.example",
		" //evil.example", "/%2f/evil.example", "/.//evil.example", "/..//evil.example", "/\r\nSet-Cookie: a=b", "//evil.example@localhost", "?x", "#", "/%0d%0aSet-Cookie:a=b",
	} {
		asked := r.send(http.MethodPost, "/language", url.Values{"language": {"en\r\nX: y"}, "next": {next}})
		b := r.open("/do/register-party?next=" + url.QueryEscape(next))
		b.fill("title.en", "Port", "kind", "other").press("check").is(http.StatusOK)
		b.fill(nextField, next).press("record")
		for _, s := range []screen{asked, b.screen} {
			require.Equal(t, http.StatusSeeOther, s.status)
			to := s.header.Get("Location")
			assert.Regexp(t, `^/([^/\\]|$)`, to, next)
			assert.NotContains(t, to, "\n")
			assert.Empty(t, s.header.Get("X"))
			resolved, err := url.Parse(r.url)
			require.NoError(t, err)
			there, err := resolved.Parse(to)
			require.NoError(t, err)
			assert.Equal(t, resolved.Host, there.Host, next)
		}
	}
}

// A page that shows a secret is kept by nobody, and tells it to no other page.
func TestSecretsAreKeptByNobody(t *testing.T) {
	r := startDemo(t)
	r.done("grant-access", `{"principal":"vera","name":"Vera","role":"viewer"}`)
	b := r.open("/do/issue-token?principal=vera").fill("label", "phone").press("check").is(http.StatusOK)
	for range 2 {
		secret := b.fields.Get(secretField)
		if secret == "" {
			secret = b.readonly("input", "code secret")
		}
		_, _, err := access.ParseToken(secret)
		require.NoError(t, err)
		assert.Equal(t, "no-store", b.header.Get("Cache-Control"))
		assert.Contains(t, []string{"same-origin", "no-referrer"}, b.header.Get("Referrer-Policy"))
		assert.Equal(t, "nosniff", b.header.Get("X-Content-Type-Options"))
		var header bytes.Buffer
		require.NoError(t, b.header.Write(&header))
		assert.NotContains(t, header.String(), secret)
		assert.Equal(t, 1, strings.Count(b.body, secret), "it stands in one place, which is no address")
		if b.fields.Get(secretField) != "" {
			b.press("record").is(http.StatusOK)
		}
	}
}

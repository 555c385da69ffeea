package api

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/access"
	"github.com/milepost-ledger/milepost/domain"
)

func TestHosts(t *testing.T) {
	r := start(t)
	for _, host := range []string{"localhost", "localhost:8080", "LOCALHOST", "demo.localhost:80", "127.0.0.1", "127.1.2.3:99", "[::1]:8080", "[::1]"} {
		r.get("/healthz", "Host: "+host).is(http.StatusOK)
	}
	for _, host := range []string{"milepost.example", "milepost.example:8080", "10.0.0.1", "localhost.example", "127.0.0.1.example", "[::2]:80"} {
		p := r.get("/v1/parties", "Host: "+host).problem(http.StatusForbidden, CodeForbiddenHost)
		assert.Equal(t, "Host", p.Field)
	}
}

func TestOrigins(t *testing.T) {
	r := start(t)
	const body = `{"party":"a","title":"A","kind":"other"}`
	for _, h := range []string{"Origin: http://evil.example", "Origin: null", "Origin: http://localhost:1", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-site"} {
		r.do("register-party", body, h).problem(http.StatusForbidden, CodeForbiddenOrigin)
		r.send(http.MethodPost, "/v1/import", `{"command":"register-party"}`, "Content-Type: application/x-ndjson", h).problem(http.StatusForbidden, CodeForbiddenOrigin)
		r.send(http.MethodPost, "/v1/rebuild", "", h).problem(http.StatusForbidden, CodeForbiddenOrigin)
	}
	assert.Zero(t, r.last())

	// a page of our own, and what is no browser
	r.done("register-party", body, "Origin: "+r.url)
	r.done("register-party", strings.Replace(body, `"a"`, `"b"`, 1), "Origin: "+r.url, "Sec-Fetch-Site: same-origin")
	answer := r.get("/healthz", "Origin: http://evil.example").is(http.StatusOK)
	assert.Empty(t, answer.header.Get("Access-Control-Allow-Origin"), "and a page elsewhere cannot read it")
}

func TestUnknownRoutes(t *testing.T) {
	r := start(t)
	for _, path := range []string{"/v1", "/v1/nothing", "/v2/parties", "/v1/parties/a/b", "/v1/events/1/shape"} {
		r.get(path).problem(http.StatusNotFound, CodeUnknownRoute)
	}
	answer := r.send(http.MethodDelete, "/v1/parties/wuxi", "")
	answer.problem(http.StatusMethodNotAllowed, CodeMethod)
	assert.Contains(t, answer.header.Get("Allow"), "GET")
	r.get("/v1/commands/register-party").problem(http.StatusMethodNotAllowed, CodeMethod)
	r.send(http.MethodPost, "/v1/parties", "{}").problem(http.StatusMethodNotAllowed, CodeMethod)
	r.send(http.MethodHead, "/v1/parties", "").is(http.StatusOK)
}

func TestRequestID(t *testing.T) {
	r := start(t)
	assert.Equal(t, "abc-1.2_3", r.get("/healthz", "X-Request-Id: abc-1.2_3").header.Get("X-Request-Id"))
	for _, bad := range []string{"a b", "a\tb", strings.Repeat("x", 65), "<script>", ""} {
		id := r.get("/healthz", "X-Request-Id: "+bad).header.Get("X-Request-Id")
		assert.NotEqual(t, bad, id)
		assert.Len(t, id, 36)
	}
}

func TestPanicIsAnsweredAndLogged(t *testing.T) {
	// given a route that panics, before or after it began to answer
	var log bytes.Buffer
	r := startIdle(t, func(c *Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
	r.server.undocumented("GET /before", func(http.ResponseWriter, *http.Request) error { panic("secret") })
	r.server.undocumented("GET /after", func(w http.ResponseWriter, _ *http.Request) error {
		_, _ = w.Write([]byte("half an ans"))
		panic("secret")
	})
	r.server.rights = func(string) (access.Right, bool) { return access.Route("GET /healthz") }
	handler := r.server.handler()

	// when
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/before", nil))

	// then
	p := reply{t, w.Code, w.Header(), w.Body.Bytes()}.problem(http.StatusInternalServerError, CodeInternal)
	assert.NotContains(t, w.Body.String(), "secret")
	assert.Contains(t, log.String(), "secret")
	assert.Contains(t, log.String(), p.RequestID)

	// and half an answer is cut off
	assert.PanicsWithValue(t, http.ErrAbortHandler, func() {
		handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/after", nil))
	})
}

func TestRequestsAreLogged(t *testing.T) {
	var log bytes.Buffer
	r := startIdle(t, func(c *Config) { c.Logger = slog.New(slog.NewJSONHandler(&log, nil)) })
	req := httptest.NewRequest(http.MethodGet, "/v1/events/7?x=1", nil)
	req.Header.Set("X-Request-Id", "r1")
	req.Header.Set("Authorization", "Bearer "+r.token)

	r.server.handler().ServeHTTP(httptest.NewRecorder(), req)

	line := log.String()
	require.Equal(t, 1, strings.Count(line, "\n"), line)
	for _, want := range []string{`"request":"r1"`, `"method":"GET"`, `"path":"/v1/events/7"`, `"route":"GET /v1/events/{seq}"`, `"status":400`, `"principal":"administrator"`} {
		assert.Contains(t, line, want)
	}
	assert.NotContains(t, line, r.token)
}

// Every line about a command says which, and which request it came with; also one
// that was refused.
func TestLinesOfACommandSayWhich(t *testing.T) {
	var log syncBuffer
	r := start(t, func(c *Config) { c.Logger = slog.New(slog.NewJSONHandler(&log, nil)) })
	body := `{"party":"city","title":"City","kind":"other","idempotency_key":"key-1"}`
	r.send(http.MethodPost, "/v1/commands/register-party", body, "X-Request-Id: r1").is(http.StatusCreated)
	r.send(http.MethodPost, "/v1/commands/register-party", strings.Replace(body, "key-1", "key-2", 1), "X-Request-Id: r2").problem(http.StatusUnprocessableEntity, domain.CodeAlreadyExists)
	receipt := r.done("register-party", `{"party":"town","title":"Town","kind":"other"}`)
	for _, want := range []string{`"request":"r1","command":"key-1"`, `"request":"r2","command":"key-2"`, `"command":"` + receipt.CommandID + `"`} {
		require.Eventually(t, func() bool { return strings.Contains(log.String(), want) }, 10*time.Second, time.Millisecond, want) // it is written after the answer
	}
	require.NotContains(t, strings.Split(log.String(), `"request":"r1"`)[0], `"command"`)
}

package api

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
)

// Given a server that a proxy serves as ledger.example.org, on the same machine.
func TestBehindAProxy(t *testing.T) {
	r := start(t, func(c *Config) { c.Front.Proxied = "ledger.example.org" })
	const https = "X-Forwarded-Proto: https"

	// When a request comes by it, then it is answered, in any spelling of the host;
	for _, host := range []string{"ledger.example.org", "Ledger.Example.org:443"} {
		answer := r.get("/healthz", "Host: "+host, https, "X-Forwarded-For: 192.0.2.7").is(http.StatusOK)
		assert.Equal(t, "max-age=31536000", answer.header.Get("Strict-Transport-Security"))
		// by http it is not, nor when the proxy does not say so,
		r.get("/healthz", "Host: "+host, "X-Forwarded-Proto: http").problem(http.StatusForbidden, CodeInsecure)
		r.get("/healthz", "Host: "+host).problem(http.StatusForbidden, CodeInsecure)
	}
	// and what another name was made to point here for is not, whatever it says.
	for _, host := range []string{"evil.example", "evil.example:443", "ledger.example.org:8080", "ledger.example.org.evil.example"} {
		r.get("/v1/parties", "Host: "+host).problem(http.StatusForbidden, CodeForbiddenHost)
		r.get("/healthz", "Host: "+host, https).problem(http.StatusForbidden, CodeForbiddenHost)
	}
	// What watches the servers behind it asks each of them directly, and for nothing else.
	for _, path := range []string{"/healthz", "/readyz", "/metrics"} {
		for _, host := range []string{"10.0.0.11:8080", "milepost-1:8080"} {
			r.get(path, "Host: "+host).is(http.StatusOK)
			r.on(t).get("/v1/status", "Host: "+host).problem(http.StatusForbidden, CodeForbiddenHost)
		}
	}
	// This machine asks it directly, and a proxy that hides the host is told.
	assert.Empty(t, r.get("/healthz").is(http.StatusOK).header.Get("Strict-Transport-Security"), "localhost is by http for everything else on this machine")
	p := r.get("/healthz", https).problem(http.StatusForbidden, CodeForbiddenHost)
	assert.Contains(t, p.Detail, "pass on the header Host")
}

func TestWhatAProxySaysIsBelievedOfItsHostOnly(t *testing.T) {
	front := Front{Proxied: "ledger.example.org"}
	ask := func(f Front, host string, headers ...string) (secure bool, address string) {
		r := httptest.NewRequest(http.MethodGet, "http://"+host+"/", nil)
		r.RemoteAddr = "127.0.0.1:5"
		for i := 0; i < len(headers); i += 2 {
			r.Header.Add(headers[i], headers[i+1])
		}
		return f.Secure(r), f.Address(r)
	}
	forwarded := []string{"X-Forwarded-For", "203.0.113.9, 198.51.100.1", "X-Forwarded-For", "192.0.2.7", "X-Forwarded-Proto", "https"}

	secure, address := ask(front, "ledger.example.org", forwarded...)
	assert.True(t, secure)
	assert.Equal(t, "192.0.2.7", address, "what the proxy itself added")
	for _, c := range []struct {
		front Front
		host  string
	}{{front, "localhost"}, {front, "evil.example"}, {Front{}, "ledger.example.org"}, {Front{}, "localhost"}} {
		secure, address = ask(c.front, c.host, forwarded...)
		assert.False(t, secure, c)
		assert.Equal(t, "127.0.0.1:5", address, c)
	}
}

package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// clientTo makes the client of a server that answers with h.
func clientTo(t *testing.T, env map[string]string, h http.HandlerFunc) *client {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	a := &app{server: server.URL + "/", env: func(name string) string { return env[name] }}
	c, err := a.client()
	require.NoError(t, err)
	return c
}

func TestClientSaysWhoAsks(t *testing.T) {
	var got *http.Request
	h := func(_ http.ResponseWriter, r *http.Request) { got = r }

	// Given a token and an actor, when something is posted, then both are sent
	// to the right address.
	c := clientTo(t, map[string]string{"MILEPOST_TOKEN": "secret", "MILEPOST_ACTOR": "ann"}, h)
	_, err := c.post(t.Context(), path("v1", "commands", "a/b"), "application/json", strings.NewReader("{}"))
	require.NoError(t, err)
	assert.Equal(t, "Bearer secret", got.Header.Get("Authorization"))
	assert.Equal(t, "ann", got.Header.Get("Milepost-Actor"))
	assert.Equal(t, "application/json", got.Header.Get("Content-Type"))
	assert.Equal(t, "/v1/commands/a%2Fb", got.URL.EscapedPath())

	// Given neither, or a name that no header can carry, then they are not.
	c = clientTo(t, map[string]string{"MILEPOST_ACTOR": "安"}, h)
	_, err = c.post(t.Context(), "/v1", "application/json", nil)
	require.NoError(t, err)
	assert.Empty(t, got.Header.Values("Authorization"))
	assert.Empty(t, got.Header.Values("Milepost-Actor"))
}

func TestClientTellsWhatWentWrong(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer string
		status int
		want   string
	}{
		{"a refusal with a field", `{"title":"T","detail":"no such thing","code":"not-found","field":"party"}`, 404, "no such thing (code not-found, field party)"},
		{"a refusal without", `{"title":"T","detail":"busy","code":"overloaded"}`, 503, "busy (code overloaded)"},
		{"another server", "<html>\nno", 502, "the server answered 502 Bad Gateway: <html>"},
	} {
		t.Run(c.name, func(t *testing.T) {
			client := clientTo(t, nil, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(c.status)
				_, _ = w.Write([]byte(c.answer))
			})
			_, err := client.get(t.Context(), "/", nil)
			assert.EqualError(t, err, c.want)
			var r *refusal
			require.ErrorAs(t, err, &r)
			assert.Equal(t, c.status, r.Status)
		})
	}
}

func TestClientTellsNoServerFromABrokenOne(t *testing.T) {
	// Given an address where nothing listens
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	a := &app{server: l.Addr().String(), env: func(string) string { return "" }}
	c, err := a.client()
	require.NoError(t, err)

	// When it is asked, then that is what the error says.
	_, err = c.get(t.Context(), "/", nil)
	assert.ErrorAs(t, err, new(*unreachableError))
	assert.ErrorContains(t, err, "milepost serve")

	// And a server that hangs up is not one that is not there.
	c = clientTo(t, nil, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	_, err = c.get(t.Context(), "/", nil)
	assert.False(t, errors.As(err, new(*unreachableError)))
	assert.ErrorContains(t, err, "broke off")

	// And a client that was told to end says so.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = c.get(ctx, "/", nil)
	assert.ErrorIs(t, err, context.Canceled)
}

func TestAddressOfTheServer(t *testing.T) {
	for _, c := range []struct{ flag, env, want string }{
		{"", "", "http://127.0.0.1:8080"},
		{"", "http://ledger.example:81/", "http://ledger.example:81"},
		{"localhost:82", "http://ledger.example:81", "http://localhost:82"},
		{"https://ledger.example/main/", "", "https://ledger.example/main"},
	} {
		a := &app{server: c.flag, env: func(name string) string { return map[string]string{"MILEPOST_SERVER": c.env}[name] }}
		client, err := a.client()
		require.NoError(t, err)
		assert.Equal(t, c.want, client.base)
	}
	a := &app{server: "ftp://x", env: func(string) string { return "" }}
	_, err := a.client()
	assert.ErrorAs(t, err, new(*usageError))
}

package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/signin"
)

// What no server of ours sends: the stream is read by the rules of server-sent
// events, and one that goes back ends the subscription.
func TestSubscribe_readsNoEventTwice(t *testing.T) {
	for name, c := range map[string]struct{ stream, want, err string }{
		"an event again":   {"id: 1\n\nid: 2\ndata: {}\n\nid: 2\ndata: {}\n\n", `{"seq":2,"event":{}}` + "\n", "sent sequence 2 after 2"},
		"an earlier one":   {"id: 1\n\nid: 5\ndata: {}\n\nid: 4\ndata: {}\n\n", `{"seq":5,"event":{}}` + "\n", "sent sequence 4 after 5"},
		"an earlier place": {"id: 3\n\n: heartbeat\n\nid: 2\n\n", "", "sent sequence 2 after 3"},
		"no events at all": {"id: first\n\n", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			sent := false
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if sent { // it comes back, and there is no use in that
					w.WriteHeader(http.StatusGone)
					return
				}
				sent = true
				_, _ = io.WriteString(w, "retry: 1\n"+c.stream)
			}))
			defer server.Close()
			var out, errs strings.Builder
			a := &app{out: &out, err: &errs, env: func(string) string { return "" }, server: server.URL}
			client, err := a.client()
			require.NoError(t, err)
			mark, err := openBookmark("", "", "", nil)
			require.NoError(t, err)
			s := subscription{app: a, client: client, mark: mark, taker: printTaker{&out}}
			err = s.run(t.Context())
			require.Error(t, err)
			if c.err != "" {
				assert.ErrorContains(t, err, c.err)
			} else {
				assert.Contains(t, errs.String(), "is not one of events")
			}
			// A batch that is refused is not printed, and what came before is.
			assert.True(t, strings.HasPrefix(c.want, out.String()), "%q", out.String())
		})
	}
}

// A server with a certificate of its own sends streams by HTTP/2: as many as one likes
// on one connection, with other requests beside them.
func TestStreamsByHTTP2(t *testing.T) {
	// Given two streams to a client that speaks HTTP/2 and nothing else
	keys, dir := t.TempDir(), t.TempDir()
	certificate := certify(t, keys, "ledger.example.org")
	s := startServer(t, dir, "--tls-cert", filepath.Join(keys, "cert.pem"), "--tls-key", filepath.Join(keys, "key.pem"))
	token, err := signin.ReadAdminToken(dir)
	require.NoError(t, err)
	transport := dialing(t, strings.TrimPrefix(s.url, "https://"), "ledger.example.org", certificate)
	var connections atomic.Int32
	dial := transport.DialContext
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		connections.Add(1)
		return dial(ctx, network, address)
	}
	by := caller{"https://ledger.example.org", token, &http.Client{Transport: transport}}
	c := &client{base: by.base, token: token, http: *by.http}
	var streams []*eventStream
	for _, after := range []*uint64{new(uint64), nil} { // from the beginning, and from now on
		stream, err := c.stream(t.Context(), nil, after)
		require.NoError(t, err)
		defer stream.close()
		first, err := stream.next()
		require.NoError(t, err)
		require.Equal(t, streamed{}, first)
		streams = append(streams, stream)
	}

	for seq := uint64(1); seq <= 3; seq++ {
		// When something happens, then each has it at once, as it is stored,
		answer := by.ask(t, "POST", "/v1/commands/register-party", `{"title":"One of many","kind":"other"}`)
		require.Equal(t, http.StatusCreated, answer.status, answer.body)
		stored := by.ask(t, "GET", "/v1/events/"+strconv.FormatUint(seq, 10), "")
		require.Equal(t, http.StatusOK, stored.status, stored.body)
		for _, stream := range streams {
			got, err := stream.next()
			require.NoError(t, err)
			assert.Equal(t, seq, got.seq)
			assert.Equal(t, stored.body, string(got.data))
		}
	}
	// all by one connection.
	assert.EqualValues(t, 1, connections.Load())

	// When the server stops, then each is told.
	s.stop(t, syscall.SIGTERM)
	for _, stream := range streams {
		_, err := stream.next()
		ended := (*endedError)(nil)
		require.ErrorAs(t, err, &ended)
		assert.Equal(t, "closing", ended.why)
	}
}

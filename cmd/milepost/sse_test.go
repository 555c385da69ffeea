package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
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
			mark, err := openBookmark("", "", nil)
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

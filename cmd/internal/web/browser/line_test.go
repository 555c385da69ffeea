package browser_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What a browser shows of a page before all of it has come stays where it is.
func TestNoPageJumpsWhileItComes(t *testing.T) {
	t.Parallel()
	u := withEveryPage(t).overASlowLine(t).administrator(t)
	for _, p := range mainPages {
		u.open(p.path)
		assert.Less(t, u.shift(), 0.01, p.name)
	}
}

// overASlowLine is the same server at the end of a line that brings it in small pieces.
func (s *server) overASlowLine(t *testing.T) *server {
	t.Helper()
	at, err := url.Parse(s.url)
	require.NoError(t, err)
	line := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(at)
			r.Out.Header.Set("Accept-Encoding", "identity") // what is compressed comes all at once
		},
		ModifyResponse: func(r *http.Response) error {
			r.Body = trickle{r.Body}
			return nil
		},
		FlushInterval: -1,
	})
	t.Cleanup(line.Close)
	return &server{url: line.URL, dir: s.dir, sessions: map[string][]*http.Cookie{}}
}

// trickle is 2 KiB every other frame of a screen.
type trickle struct{ io.ReadCloser }

func (t trickle) Read(p []byte) (int, error) {
	// The pace is what a slow line is: nothing is waited for.
	time.Sleep(2 * time.Second / 60)
	return t.ReadCloser.Read(p[:min(len(p), 2<<10)])
}

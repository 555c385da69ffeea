package browser_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// listens waits until the page listens, or does not.
func (u *user) listens(wanted bool) {
	u.t.Helper()
	require.NoError(u.t, u.wait(patience, func() error {
		if n := u.watch.listens(); n > 1 || n == 1 != wanted {
			return fmt.Errorf("the page listens on %d streams", n)
		}
		return nil
	}))
}

func TestWhatComesWhileAPageIsHidden(t *testing.T) {
	t.Parallel()
	// Given a page that nobody looks at any more: it holds no connection.
	w := newWorkshop(t, "hidden")
	u := w.bob()
	u.open(w.page())
	u.listens(true)
	u.hide(true)
	u.listens(false)

	// When something is recorded meanwhile, then it is there once it is looked at again,
	w.do("add-area", `"title":{"en":"Batteries"}`)
	u.hide(false)
	u.sees("Batteries")

	// and so is what comes from then on.
	u.listens(true)
	w.do("add-area", `"title":{"en":"Turbines"}`)
	u.sees("Turbines")
}

func TestWhatComesWhileTheConnectionIsCut(t *testing.T) {
	t.Parallel()
	// Given a page that came through a proxy
	w := newWorkshop(t, "cut")
	behind, err := url.Parse(w.url)
	require.NoError(t, err)
	forward := &httputil.ReverseProxy{FlushInterval: -1, Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(behind) }}
	var cut atomic.Bool
	proxy := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if cut.Load() {
			rw.WriteHeader(http.StatusBadGateway)
			return
		}
		forward.ServeHTTP(rw, r)
	}))
	t.Cleanup(proxy.Close)
	u := w.bob()
	u.watch.host = hostOf(proxy.URL)
	u.open(proxy.URL + w.page())
	u.listens(true)

	// When what is behind the proxy goes away, and all connections with it,
	u.expects("502 Bad Gateway: GET")
	u.expects("net::ERR_")
	cut.Store(true)
	proxy.CloseClientConnections()
	require.NoError(t, u.wait(patience, func() error {
		if !u.watch.complained("502 Bad Gateway") {
			return assert.AnError
		}
		return nil
	}), "the page tries again")
	w.do("add-area", `"title":{"en":"Batteries"}`)

	// then it goes on when that is back, and misses nothing.
	cut.Store(false)
	u.sees("Batteries")
	u.listens(true)
	w.do("add-area", `"title":{"en":"Turbines"}`)
	u.sees("Turbines")
}

func TestWhoseTokenIsRevokedIsAskedToSignIn(t *testing.T) {
	t.Parallel()
	// Given somebody who looks at a page
	w := newWorkshop(t, "revoked")
	u := w.person(t, "eve", `"role":"viewer"`)
	u.open(w.page())
	u.listens(true)

	u.expects("401 Unauthorized: GET")
	// When their token is revoked, then the page asks them to sign in,
	w.server.do(t, "revoke-token", `{"principal":"eve","token":"browser"}`)
	u.sees("A token begins with mp_.")
	assert.Equal(t, "/sign-in?next="+url.QueryEscape(w.page()), u.path())

	// once, and listens no more.
	u.listens(false)
	assert.LessOrEqual(t, u.watch.askedFor("/sign-in?next="), 2, "by the page, and then as a page")
}

func TestManyTabsOfOnePerson(t *testing.T) {
	t.Parallel()
	// Given more tabs than a browser has connections to one host, of which one is seen
	w := newWorkshop(t, "tabs")
	u := w.bob()
	for range 7 {
		u.open(w.page())
		u.listens(true)
		u.hide(true)
		u.listens(false)
		u = u.anotherTab()
	}

	// then that one is there, and live.
	u.open(w.page())
	u.sees("Industry")
	w.do("add-area", `"title":{"en":"Batteries"}`)
	u.sees("Batteries")
}

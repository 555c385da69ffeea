package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What people and programs ask for goes through the proxy, and what it is not to let
// through is refused.
func TestOperations_theProxyPassesOn(t *testing.T) {
	// Given two servers behind the page's nginx, of which each answers every other request
	p := startProxied(t, spread)

	// Then pages are shown, with what tells browsers to come by https alone,
	page := p.ask(t, "GET", "/", "", "Accept: text/html")
	require.Equal(t, http.StatusOK, page.status, page.body)
	assert.Contains(t, page.body, "<h1>Overview</h1>")
	assert.NotEmpty(t, page.header.Get("Strict-Transport-Security"))

	// a command is done once, whichever server is asked again,
	const party = `{"party":"town","title":{"en":"Town"},"kind":"other"}`
	var first, again struct{ Seq uint64 }
	for i, status := range []int{http.StatusCreated, http.StatusOK, http.StatusOK} {
		answer := p.ask(t, "POST", "/v1/commands/register-party", party, `Idempotency-Key: "8e03978e"`, "Origin: https://"+proxiedHost)
		require.Equal(t, status, answer.status, answer.body)
		require.NoError(t, json.Unmarshal([]byte(answer.body), &again))
		if i == 0 {
			first = again
		}
		assert.Equal(t, first, again)
	}
	// who has written reads it from either,
	for range 4 {
		answer := p.ask(t, "GET", fmt.Sprintf("/v1/parties/town?min_seq=%d", first.Seq), "")
		require.Equal(t, http.StatusOK, answer.status, answer.body)
	}
	for _, s := range []*child{p.one, p.two} {
		assert.NotEmpty(t, s.metric(t, `milepost_http_requests_total{route="GET /v1/parties/{party}",status="200"}`), "one server has answered everything")
	}
	// files come and go that are larger than what nginx takes and keeps by itself,
	minutes := strings.Repeat("The minutes. ", 400_000)
	answer := p.ask(t, "POST", "/v1/evidence", minutes, "Content-Type: application/octet-stream")
	require.Equal(t, http.StatusCreated, answer.status, answer.body)
	answer = p.ask(t, "GET", answer.header.Get("Location"), "")
	assert.True(t, answer.body == minutes, "%d bytes came back", len(answer.body))

	// and a name that is not the ledger's is refused, as is what another site sends.
	answer = p.ask(t, "GET", "/v1/parties", "", "Host: evil.example")
	assert.Equal(t, http.StatusForbidden, answer.status)
	assert.Contains(t, answer.body, `"code":"forbidden-host"`)
	for _, other := range []string{"Origin: https://evil.example", "Sec-Fetch-Site: cross-site"} {
		answer = p.ask(t, "POST", "/v1/commands/register-party", party, other)
		assert.Equal(t, http.StatusForbidden, answer.status)
		assert.Contains(t, answer.body, `"code":"forbidden-origin"`)
	}
}

// Who asks stays at the server that knows their session, and what they have attached.
func TestOperations_theProxyKeepsWhoAsksAtOneServer(t *testing.T) {
	// Given two servers behind the page's nginx, and somebody who acts for a party
	p := startProxied(t, "")
	for _, verb := range []string{
		"import testdata/setup.jsonl",
		"do grant-access --principal li-wei --role representative --agreement pact --party city",
	} {
		_, code := p.one.run(t, nil, strings.Fields(verb)...)
		require.Equal(t, exitDone, code)
	}
	out, code := p.one.run(t, nil, "token", "create", "li-wei")
	require.Equal(t, exitDone, code)
	liWei := "Authorization: Bearer " + strings.TrimSpace(out)

	// When she attaches a file, then she may name it, though nothing that she sees does yet.
	for _, day := range []string{"2031-01-01", "2031-01-02"} {
		answer := p.ask(t, "POST", "/v1/evidence", "Minutes of "+day, liWei, "Content-Type: application/octet-stream")
		require.Equal(t, http.StatusCreated, answer.status, answer.body)
		file := filepath.Base(answer.header.Get("Location"))
		answer = p.ask(t, "POST", "/v1/commands/reforecast-milestone", `{"agreement":"pact","acting_for":"city","project":"base","milestone":"design",
			"forecast":"`+day+`","reason":"supplier-delay","evidence":["`+file+`"]}`, liWei)
		require.Equal(t, http.StatusCreated, answer.status, answer.body)
	}

	// When she signs in by a link, then every page knows her.
	answer := p.ask(t, "POST", "/v1/sign-in-links", "{}", liWei)
	require.Equal(t, http.StatusCreated, answer.status, answer.body)
	var link struct{ Link string }
	require.NoError(t, json.Unmarshal([]byte(answer.body), &link))
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	browser := &http.Client{Jar: jar, Transport: p.http.Transport}
	page := func(resp *http.Response, err error) string {
		t.Helper()
		require.NoError(t, err)
		defer func() { _ = resp.Body.Close() }()
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, resp.StatusCode, "%s", body)
		return string(body)
	}
	form := url.Values{}
	for _, m := range formFields.FindAllStringSubmatch(page(browser.Get(link.Link)), -1) {
		form.Set(m[1], m[2])
	}
	assert.Contains(t, page(browser.PostForm("https://"+proxiedHost+"/sign-in/link", form)), "<h1>Overview</h1>")
	for range 3 {
		assert.Contains(t, page(browser.Get("https://"+proxiedHost+"/account")), "<strong>li-wei</strong>")
	}
}

// Who follows the events by the proxy has each when it is there, once, whatever becomes
// of the server that sends them.
func TestOperations_theProxyStreams(t *testing.T) {
	// Given a subscription over HTTP/2 by the page's nginx
	p := startProxied(t, "")
	var out, errs lockedBuffer
	from := p.one.settled(t).LastSeq
	mark, err := openBookmark("", "", "", &from)
	require.NoError(t, err)
	s := subscription{
		app: &app{out: &out, err: &errs}, client: &client{base: p.base, token: p.token, http: *p.http},
		filter: url.Values{}, mark: mark, taker: printTaker{&out},
	}
	ended := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() { ended <- s.run(ctx) }()
	var serves, other *child
	require.Eventually(t, func() bool {
		for _, s := range [][2]*child{{p.one, p.two}, {p.two, p.one}} {
			if serves, other = s[0], s[1]; serves.metric(t, streamsOpen) == "1" {
				return true
			}
		}
		return false
	}, 20*time.Second, 5*time.Millisecond, "nobody has the stream: %s", &errs)
	has := func(within time.Duration, why string) {
		t.Helper()
		var want strings.Builder
		for seq, last := from+1, other.settled(t).LastSeq; seq <= last; seq++ {
			want.WriteString(other.stored(t, seq) + "\n")
		}
		require.Eventually(t, func() bool { return lineCount(out.String()) >= lineCount(want.String()) }, within, time.Millisecond, "%s: %s", why, &errs)
		require.Equal(t, want.String(), out.String(), why)
	}

	// When something happens, then it is told before anything else is sent that would push it through.
	other.register(t, 1)
	has(heartbeatOfStreams/2, "an event is held up")

	// When the server stops that sends them, while more happens, then the other one goes on where it was.
	stopping := make(chan struct{})
	go func() {
		defer close(stopping)
		other.register(t, 30)
	}()
	serves.stop(t, syscall.SIGTERM)
	<-stopping
	other.register(t, 1)
	has(20*time.Second, "after a stop")

	// And so when it is back, and the other one is killed.
	serves, other = other, serves.again(t)
	require.Equal(t, "1", serves.metric(t, streamsOpen))
	other.register(t, 5)
	serves.stop(t, syscall.SIGKILL)
	other.register(t, 5)
	has(20*time.Second, "after a kill")
	assert.GreaterOrEqual(t, strings.Count(errs.String(), "connecting again"), 2, "%s", &errs)
	cancel()
	require.NoError(t, <-ended)
}

const streamsOpen = "milepost_streams_open"

// heartbeatOfStreams is how often a stream says something when nothing happens.
const heartbeatOfStreams = streamSilence / 3

// A server that stops, as for an upgrade, is not noticed by who reads.
func TestOperations_theProxyTurnsToAnotherServer(t *testing.T) {
	// Given readers of pages and of the API
	p := startProxied(t, "", "--drain", "1s")
	var readers sync.WaitGroup
	var reads atomic.Int64
	stop := make(chan struct{})
	for _, path := range []string{"/", "/v1/parties", "/v1/events", "/v1/status"} {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				answer := p.ask(t, "GET", path, "", "Accept: text/html, application/json")
				if !assert.Equal(t, http.StatusOK, answer.status, "%s: %s", path, answer.body) {
					return
				}
				reads.Add(1)
			}
		})
	}
	defer func() { close(stop); readers.Wait() }()
	const answered = `milepost_http_requests_total{route="GET /v1/events",status="200"}`
	var serves *child
	require.Eventually(t, func() bool {
		for _, serves = range []*child{p.one, p.two} {
			if serves.metric(t, answered) != "" {
				return true
			}
		}
		return false
	}, 20*time.Second, 5*time.Millisecond)

	// When the server that answers them is told to stop, then it is not ready, and the two of them are,
	serves.signal(t)
	probed := p.directly(serves).ask(t, "GET", "/readyz", "", "Host: milepost-1:8080")
	require.Equal(t, http.StatusServiceUnavailable, probed.status)
	assert.Contains(t, probed.body, `"code":"stopping"`)
	for range 4 {
		require.Equal(t, http.StatusOK, p.ask(t, "GET", "/readyz", "").status)
	}
	// and reads are answered while it drains, and when it has ended.
	require.NoError(t, serves.cmd.Wait())
	gone := reads.Load()
	require.Eventually(t, func() bool { return reads.Load() > gone+20 }, 20*time.Second, time.Millisecond)
}

// A question that no server can answer yet takes none of them out.
func TestOperations_theProxyBearsAQuestionTooEarly(t *testing.T) {
	// Given two servers behind the page's nginx, of which each answers every other request
	p := startProxied(t, spread)

	// When what is not there yet is asked for, by several at a time
	var early sync.WaitGroup
	for range 4 {
		early.Go(func() {
			answer := p.ask(t, "GET", "/v1/parties?min_seq=1000000", "")
			assert.Equal(t, http.StatusServiceUnavailable, answer.status)
			assert.Contains(t, answer.body, `"code":"behind"`)
		})
	}
	early.Wait()

	// Then other questions are answered.
	for range 4 {
		answer := p.ask(t, "GET", "/v1/parties", "")
		assert.Equal(t, http.StatusOK, answer.status, answer.body)
	}
}

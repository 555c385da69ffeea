package signin

import (
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/access"
	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/eventstore"
)

// rig is a server of sign-in alone, over a real log and its directory, with a clock
// that the test moves.
type rig struct {
	t         *testing.T
	web       *httptest.Server
	ledger    *ledger.Ledger
	directory *access.Directory
	ann, bo   string // their tokens
	admin     string // the local administrator's
	*Service
	*world
}

// world is what the test decides for the server.
type world struct {
	mu     sync.Mutex
	asker  *access.Principal // who asked GET /who last
	time   time.Time
	silent bool // the log cannot be heard
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.time
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.time = w.time.Add(d)
}

func (w *world) silence(silent bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.silent = silent
}

func (w *world) connected() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.silent
}

// start serves sign-in with TLS or without, for two viewers of an agreement, ann and
// bo. GET /who answers who the session's owner is, as the API would ask.
func start(t *testing.T, tls bool, change ...func(*Config)) *rig {
	t.Helper()
	r := &rig{t: t, world: &world{time: time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)}}
	store, err := eventstore.Open(t.Context(), eventstore.Config{Dir: t.TempDir(), Ledger: "test"})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, store.Close()) })
	r.ledger = ledger.New(store, ledger.Options{Name: "test", Now: r.now})
	admin, hash := access.NewToken(access.Administrator)
	r.admin = admin
	r.directory, err = access.Open(t.Context(), store, "test", access.Options{Now: r.now, Connected: r.connected, AdminToken: hash})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, r.directory.Close()) })
	for _, name := range []string{"ann", "bo"} {
		r.do("grant-access", `{"principal":"`+name+`","grant":"g","name":"Ms <`+name+`>","role":"viewer","agreement":"pact"}`)
	}
	r.ann, r.bo = r.token("ann", "t1"), r.token("bo", "t2")

	mux := http.NewServeMux()
	r.web = httptest.NewUnstartedServer(mux)
	if tls {
		r.web.StartTLS()
	} else {
		r.web.Start()
	}
	t.Cleanup(r.web.Close)
	cfg := Config{Directory: r.directory, Ledger: "test", Base: r.web.URL, Now: r.now}
	for _, c := range change {
		c(&cfg)
	}
	r.Service = New(cfg)
	for pattern, h := range r.Routes(func(w http.ResponseWriter, _ *http.Request, status int, code, detail string) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, code+": "+detail)
	}) {
		mux.HandleFunc(pattern, h)
	}
	mux.HandleFunc("GET /who", func(w http.ResponseWriter, req *http.Request) {
		if p, ok := r.Principal(req); ok {
			r.mu.Lock()
			r.asker = p
			r.mu.Unlock()
			_, _ = io.WriteString(w, string(p.Key))
		}
	})
	return r
}

// do executes a command, and waits until the directory knows.
func (r *rig) do(command, body string) {
	r.t.Helper()
	req, err := ledger.Decode(command, []byte(body))
	require.NoError(r.t, err)
	req.Meta.Actor = "tester"
	receipt, err := r.ledger.Execute(r.t.Context(), req)
	require.NoError(r.t, err)
	require.NoError(r.t, r.directory.Wait(r.t.Context(), receipt.Seq))
}

// token gives a principal a token.
func (r *rig) token(principal, key domain.Key) string {
	r.t.Helper()
	token, hash := access.NewToken(key)
	r.do("issue-token", `{"principal":"`+string(principal)+`","token":"`+string(key)+`","hash":"`+string(hash)+`"}`)
	return token
}

// browser is one visitor, who keeps cookies and follows no redirects by itself.
type browser struct {
	*rig
	client *http.Client
	header http.Header
}

func (r *rig) browser() *browser {
	jar, err := cookiejar.New(nil)
	require.NoError(r.t, err)
	return &browser{rig: r, header: http.Header{"Accept": {"text/html,*/*"}}, client: &http.Client{
		Transport: r.web.Client().Transport, Jar: jar,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

type page struct {
	*http.Response
	body string
}

func (b *browser) send(method, address string, form url.Values) page {
	b.t.Helper()
	if strings.HasPrefix(address, "/") {
		address = b.web.URL + address
	}
	req, err := http.NewRequestWithContext(b.t.Context(), method, address, strings.NewReader(form.Encode()))
	require.NoError(b.t, err)
	for name, values := range b.header {
		req.Header[name] = values
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := b.client.Do(req)
	require.NoError(b.t, err)
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	require.NoError(b.t, err)
	return page{resp, string(body)}
}

func (b *browser) get(address string) page {
	b.t.Helper()
	return b.send(http.MethodGet, address, nil)
}

var hidden = regexp.MustCompile(`<input type="hidden" name="([a-z]+)" value="([^"]*)">`)

// fill returns the form on a page, not that of its foot, with what a person adds.
func fill(p page, more ...string) url.Values {
	form := url.Values{}
	body, _, _ := strings.Cut(p.body, "<footer>")
	for _, m := range hidden.FindAllStringSubmatch(body, -1) {
		form.Set(m[1], html.UnescapeString(m[2]))
	}
	for i := 0; i < len(more); i += 2 {
		form.Set(more[i], more[i+1])
	}
	return form
}

// signIn signs in by a token, as a person does.
func (b *browser) signIn(token string) page {
	b.t.Helper()
	return b.send(http.MethodPost, "/sign-in", fill(b.get("/sign-in"), "token", token))
}

func (b *browser) who() string {
	b.t.Helper()
	return b.get("/who").body
}

// refused checks that nobody was signed in, and why.
func (p page) refused(t *testing.T, status int, code string) {
	t.Helper()
	assert.Equal(t, status, p.StatusCode)
	assert.Contains(t, p.body, code)
}

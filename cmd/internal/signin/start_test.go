package signin

import (
	"errors"
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
	"github.com/milepost-ledger/milepost/domain"
	grants "github.com/milepost-ledger/milepost/domain/access"
)

// people is a directory that a test can change.
type people struct {
	mu         sync.Mutex
	tokens     map[string]*access.Principal
	identities map[string]*access.Principal // by issuer and subject
	err        error                        // why nobody is known
}

func (p *people) Token(token string) (*access.Principal, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if who := p.tokens[token]; who != nil && p.err == nil {
		return who, nil
	}
	return nil, errors.New("no such token")
}

func (p *people) Identity(issuer, subject string) (*access.Principal, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if who := p.identities[issuer+" "+subject]; who != nil {
		return who, nil
	}
	return nil, errors.New("no such identity")
}

func (p *people) Principal(key domain.Key) (*access.Principal, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, who := range p.tokens {
		if who.Key == key {
			return who, true
		}
	}
	return nil, false
}

func (p *people) Administrator() *access.Principal {
	return &access.Principal{Key: "administrator", Name: "Administrator", Grants: []grants.Grant{{Role: grants.Admin}}}
}

func (p *people) Err() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

func (p *people) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.err = err
}

func (p *people) revoke(token string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.tokens, token)
}

func (p *people) link(identity string, who *access.Principal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.identities[identity] = who
}

func principal(key domain.Key) *access.Principal {
	return &access.Principal{Key: key, Name: "Ms <" + string(key) + ">", Grants: []grants.Grant{{Role: grants.Viewer, Agreement: "pact"}}}
}

// rig is a server of sign-in alone, with a clock that the test moves.
type rig struct {
	t      *testing.T
	web    *httptest.Server
	people *people
	*Service

	mu   sync.Mutex
	time time.Time
}

func (r *rig) now() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.time
}

func (r *rig) pass(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.time = r.time.Add(d)
}

// start serves sign-in with TLS or without. GET /who answers who the session's
// owner is, as the API would ask.
func start(t *testing.T, tls bool, change ...func(*Config)) *rig {
	t.Helper()
	r := &rig{t: t, time: time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)}
	r.people = &people{
		tokens:     map[string]*access.Principal{"mp_t1_ann": principal("ann"), "mp_t2_bo": principal("bo")},
		identities: map[string]*access.Principal{},
	}
	mux := http.NewServeMux()
	r.web = httptest.NewUnstartedServer(mux)
	if tls {
		r.web.StartTLS()
	} else {
		r.web.Start()
	}
	t.Cleanup(r.web.Close)
	cfg := Config{Directory: r.people, Ledger: "test", Base: r.web.URL, Now: r.now}
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
			_, _ = io.WriteString(w, string(p.Key))
		}
	})
	return r
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

// fill returns the form on a page with what a person adds.
func fill(p page, more ...string) url.Values {
	form := url.Values{}
	for _, m := range hidden.FindAllStringSubmatch(p.body, -1) {
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

package web

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"
	"golang.org/x/sync/errgroup"

	"github.com/milepost-ledger/milepost/cmd/internal/access"
	"github.com/milepost-ledger/milepost/cmd/internal/api"
	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
	"github.com/milepost-ledger/milepost/cmd/internal/signin"
	"github.com/milepost-ledger/milepost/cmd/internal/signing"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/eventstore"
	"github.com/milepost-ledger/milepost/eventstore/notary"
	"github.com/milepost-ledger/milepost/projections"
)

// rig is a whole server with pages: a real log, real read models, a real connection.
type rig struct {
	t      *testing.T
	url    string
	ledger *ledger.Ledger
	models *projections.Models
	store  *eventstore.Store
	site   *site

	directory *access.Directory
	reads     string // directory of the access log
	admin     string // the administrator's token, sent unless token says another one
	token     string
	accept    string // Accept-Language
}

// start runs a server with an empty ledger. The clock is the real one.
func start(t *testing.T) *rig {
	t.Helper()
	shanghai, err := time.LoadLocation("Asia/Shanghai")
	require.NoError(t, err)
	dir, keys := t.TempDir(), t.TempDir()
	key, made, err := signing.Prepare(signing.KeyFile(keys), "test")
	require.NoError(t, err)
	store, err := eventstore.Open(t.Context(), eventstore.Config{Dir: t.TempDir(), Ledger: "test", Key: key.Public})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, store.Close()) })
	models, err := projections.Open(t.Context(), projections.Options{Dir: dir, Ledger: "test", Location: shanghai})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, models.Close()) })
	_, watch, err := signing.Watch(t.Context(), store, models, key, made, notary.Options{Dir: filepath.Join(keys, "checkpoints")})
	require.NoError(t, err)
	l := ledger.New(store, ledger.Options{Name: "test", Location: shanghai, Register: models})
	admin, hash := access.NewToken("admin")
	directory, err := access.Open(t.Context(), store, "test", access.Options{Location: shanghai, AdminToken: hash})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, directory.Close()) })
	views := projections.NewViews(models, store, projections.ViewsOptions{Dir: dir})
	t.Cleanup(func() { assert.NoError(t, views.Close()) })
	reads := filepath.Join(dir, "access")
	accessLog := access.OpenReadLog(reads, nil, shanghai)
	t.Cleanup(func() { assert.NoError(t, accessLog.Close()) })
	signIn := signin.New(signin.Config{Directory: directory, Ledger: "test", Base: "http://localhost"})
	handler := api.New(api.Config{
		Access: directory, Views: views, AccessLog: accessLog, Ledger: l, Models: models, Store: store, Notary: watch,
		Name: "test", Version: "1.2.3", Logger: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})), Location: shanghai, ModelsDir: dir, SignIn: signIn,
	})
	Serve(handler, Config{Ledger: "test", Location: shanghai, SignIn: signIn})
	server := httptest.NewUnstartedServer(nil)
	server.Config = api.Server(handler, nil).Server
	server.Start()
	t.Cleanup(server.Close)

	ctx, cancel := context.WithCancel(context.Background())
	var projector errgroup.Group
	projector.Go(func() error { return models.Follow(ctx, store) })
	t.Cleanup(func() {
		cancel()
		assert.NoError(t, projector.Wait())
	})
	return &rig{t: t, url: server.URL, ledger: l, models: models, store: store, site: &site{Config{Ledger: "test", Location: shanghai, SignIn: signIn, Logger: slog.New(slog.DiscardHandler)}, handler}, directory: directory, reads: reads, admin: admin, token: admin}
}

// startDemo is start with the demo's ledger in it.
func startDemo(t *testing.T) *rig {
	t.Helper()
	r := start(t)
	evidence, err := filepath.Glob("../../milepost/demo/evidence/*")
	require.NoError(t, err)
	require.NotEmpty(t, evidence)
	for _, name := range evidence {
		b, err := os.ReadFile(name)
		require.NoError(t, err)
		_, err = r.store.PutEvidence(t.Context(), bytes.NewReader(b), "")
		require.NoError(t, err)
	}
	b, err := os.ReadFile("../../milepost/demo/wuxi-cethik.jsonl")
	require.NoError(t, err)
	done, err := r.ledger.Import(t.Context(), ledger.Lines(bytes.NewReader(b)), nil)
	require.NoError(t, err)
	require.NoError(t, r.models.Wait(t.Context(), done.LastSeq))
	return r
}

// done has a command carried out, and waits until the pages show it.
func (r *rig) done(command, body string) ledger.Receipt {
	r.t.Helper()
	req, err := ledger.Decode(command, []byte(body))
	require.NoError(r.t, err)
	receipt, err := r.ledger.Execute(r.t.Context(), req)
	require.NoError(r.t, err)
	require.NoError(r.t, r.models.Wait(r.t.Context(), receipt.Seq))
	return receipt
}

// principal grants somebody a role by a command's fields, and returns them as
// whoever asks from then on.
func (r *rig) principal(name, fields string) *rig {
	r.t.Helper()
	token, hash := access.NewToken("laptop")
	r.done("grant-access", fmt.Sprintf(`{"principal":%q,"name":%q,%s}`, name, strings.ToUpper(name), fields))
	r.done("issue-token", fmt.Sprintf(`{"principal":%q,"token":"laptop","label":"laptop","hash":%q,"expires":%q}`,
		name, hash, domain.DateOf(time.Now(), time.UTC)+30))
	other := *r
	other.token = token
	require.Eventually(r.t, func() bool { return other.send(http.MethodGet, "/v1/agreements", nil).status == http.StatusOK },
		10*time.Second, 5*time.Millisecond)
	return &other
}

// in is r with another language.
func (r *rig) in(language string) *rig {
	other := *r
	other.accept = language
	return &other
}

// screen is a page as it came.
type screen struct {
	t      *testing.T
	status int
	header http.Header
	body   string
}

// get asks for a page and wants it to be there.
func (r *rig) get(path string) screen {
	r.t.Helper()
	s := r.send(http.MethodGet, path, nil)
	require.Equal(r.t, http.StatusOK, s.status, "%s: %s", path, s.body)
	s.wellFormed()
	return s
}

// send makes one request, as a browser does that goes on to no other page.
func (r *rig) send(method, path string, form url.Values) screen {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), method, r.url+path, strings.NewReader(form.Encode()))
	require.NoError(r.t, err)
	req.Header.Set("Accept", "text/html")
	req.Header.Set("Accept-Language", r.accept)
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if r.token != "" {
		req.Header.Set("Authorization", "Bearer "+r.token)
	}
	return r.answer(req)
}

func (r *rig) answer(req *http.Request) screen {
	r.t.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	require.NoError(r.t, err)
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	require.NoError(r.t, err)
	return screen{r.t, resp.StatusCode, resp.Header, string(b)}
}

// text is what a reader sees, with single spaces.
func (s screen) text() string {
	root, err := html.Parse(strings.NewReader(s.body))
	require.NoError(s.t, err)
	var b strings.Builder
	for n := range root.Descendants() {
		if n.Type == html.TextNode && n.Parent.Data != "script" && n.Parent.Data != "style" {
			b.WriteString(n.Data + " ")
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// says wants each of the texts to be there to read.
func (s screen) says(texts ...string) screen {
	s.t.Helper()
	text := s.text()
	for _, want := range texts {
		assert.Contains(s.t, text, want)
	}
	return s
}

// silentOn wants none of the texts to be there.
func (s screen) silentOn(texts ...string) screen {
	s.t.Helper()
	for _, not := range texts {
		assert.NotContains(s.t, s.body, not)
	}
	return s
}

// wellFormed wants what every page must have: an end, a title, one heading of the first
// rank, ids that are there once, and nothing inline, which the policy would block.
func (s screen) wellFormed() {
	s.t.Helper()
	assert.Contains(s.t, s.body, "</html>", "the page is cut off")
	assert.NotContains(s.t, s.body, "ZgotmplZ", "html/template refused a value")
	assert.NotContains(s.t, s.body, "%!", "a text was given the wrong values")
	assert.Equal(s.t, 1, strings.Count(s.body, "<h1"))
	root, err := html.Parse(strings.NewReader(s.body))
	require.NoError(s.t, err)
	ids := map[string]bool{}
	for n := range root.Descendants() {
		assert.False(s.t, n.Type == html.ElementNode && (n.Data == "style" || n.Data == "script" && n.FirstChild != nil), "a %s is inline", n.Data)
		for _, a := range n.Attr {
			assert.False(s.t, a.Key == "style" || strings.HasPrefix(a.Key, "on"), "%s=%q is inline", a.Key, a.Val)
			if slices.Contains([]string{"href", "src", "action", "formaction"}, a.Key) {
				assert.Regexp(s.t, `^($|[?#]|/([^/\\]|$))`, a.Val, "it leads to another host, or runs")
			}
			if a.Key == "id" {
				assert.False(s.t, ids[a.Val], "the id %q is there twice", a.Val)
				ids[a.Val] = true
			}
		}
	}
}

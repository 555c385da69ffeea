package api

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/milepost-ledger/milepost/cmd/internal/access"
	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
	"github.com/milepost-ledger/milepost/cmd/internal/signin"
	"github.com/milepost-ledger/milepost/cmd/internal/signing"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/eventstore"
	"github.com/milepost-ledger/milepost/eventstore/notary"
	"github.com/milepost-ledger/milepost/projections"
)

// rig is a whole server: a real log, real read models, a real connection.
type rig struct {
	t       *testing.T
	url     string
	store   *eventstore.Store
	models  *projections.Models
	ledger  *ledger.Ledger
	server  *server
	running *Serving // where a test serves it by itself
	token   string   // sent with each request that has no Authorization of its own
	reads   string   // directory of the access log
	follow  func()   // starts the projector
	halt    func()   // stops it, and waits until it has stopped
}

// start runs a server whose read models follow the log. Its clock stands at
// noon of 1 March 2019 in Shanghai and moves a second with each command.
func start(t *testing.T, change ...func(*Config)) *rig {
	r := startIdle(t, change...)
	r.follow()
	require.NoError(t, r.models.Wait(t.Context(), 0))
	return r
}

// startIdle is start with a projector that does not run before follow.
func startIdle(t *testing.T, change ...func(*Config)) *rig {
	t.Helper()
	shanghai, err := time.LoadLocation("Asia/Shanghai")
	require.NoError(t, err)
	var seconds atomic.Int64
	now := func() time.Time {
		return time.Date(2019, 3, 1, 12, 0, 0, 0, shanghai).Add(time.Duration(seconds.Add(1)) * time.Second)
	}
	metrics := NewMetrics(nil)

	dir, keys := t.TempDir(), t.TempDir()
	key, made, err := signing.Prepare(signing.KeyFile(keys), "test")
	require.NoError(t, err)
	store, err := eventstore.Open(t.Context(), eventstore.Config{Dir: t.TempDir(), Ledger: "test", Key: key.Public, Observe: metrics.ObserveAppend})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, store.Close()) })

	models, err := projections.Open(t.Context(), projections.Options{
		Dir: dir, Ledger: "test", Location: shanghai, Observe: metrics.ObserveProjection,
		Now: func() time.Time { return time.Date(2019, 3, 1, 20, 0, 0, 0, shanghai) },
	})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, models.Close()) })

	_, watch, err := signing.Watch(t.Context(), store, models, key, made, notary.Options{Dir: filepath.Join(keys, "checkpoints")})
	require.NoError(t, err)
	l := ledger.New(store, ledger.Options{
		Name: "test", Location: shanghai, Now: now, Register: models, Observe: metrics.ObserveCommand,
	})
	admin, adminHash := access.NewToken("admin")
	reads := filepath.Join(t.TempDir(), "access")
	directory, err := access.Open(t.Context(), store, "test", access.Options{Now: now, Location: shanghai, AdminToken: adminHash})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, directory.Close()) })
	views := projections.NewViews(models, store, projections.ViewsOptions{Dir: dir})
	t.Cleanup(func() { assert.NoError(t, views.Close()) })
	accessLog := access.OpenReadLog(reads, now, shanghai)
	t.Cleanup(func() { assert.NoError(t, accessLog.Close()) })
	cfg := Config{
		Access: directory, Views: views, AccessLog: accessLog,
		Ledger: l, Models: models, Store: store, Notary: watch, Name: "test", Version: "1.2.3", Logger: slog.New(slog.DiscardHandler),
		Location: shanghai, Metrics: metrics, ModelsDir: dir,
	}
	cfg.SignIn = signin.New(signin.Config{Directory: directory, Ledger: "test", Base: "http://localhost"})
	for _, c := range change {
		c(&cfg)
	}
	s := newServer(cfg)
	web := httptest.NewUnstartedServer(nil)
	web.Config = Server(s.handler(), cfg.Logger).Server
	web.Start()
	t.Cleanup(web.Close)

	ctx, cancel := context.WithCancel(context.Background())
	var projector errgroup.Group
	halt := func() {
		cancel()
		assert.NoError(t, projector.Wait())
	}
	t.Cleanup(halt)
	return &rig{
		t: t, url: web.URL, token: admin, reads: reads, store: store, models: models, ledger: l, server: s, halt: halt,
		follow: func() { projector.Go(func() error { return models.Follow(ctx, store) }) },
	}
}

// on is r for a subtest.
func (r *rig) on(t *testing.T) *rig {
	c := *r
	c.t = t
	return &c
}

// reply is an answer, read whole.
type reply struct {
	t      *testing.T
	status int
	header http.Header
	body   []byte
}

// into decodes the body.
func (r reply) into(v any) reply {
	r.t.Helper()
	require.NoError(r.t, json.Unmarshal(r.body, v), "%s", r.body)
	return r
}

// is requires a status.
func (r reply) is(status int) reply {
	r.t.Helper()
	require.Equal(r.t, status, r.status, "%s", r.body)
	return r
}

// problem requires a problem with a status and a code, and returns it.
func (r reply) problem(status int, code string) Problem {
	r.t.Helper()
	r.is(status)
	require.Equal(r.t, problemType, r.header.Get("Content-Type"))
	var p Problem
	dec := json.NewDecoder(bytes.NewReader(r.body))
	dec.DisallowUnknownFields()
	require.NoError(r.t, dec.Decode(&p), "%s", r.body)
	assert.Equal(r.t, code, p.Code, "%s", r.body)
	assert.Equal(r.t, status, p.Status)
	assert.Equal(r.t, "/problems/"+code, p.Type)
	assert.NotEmpty(r.t, p.Title)
	assert.NotEmpty(r.t, p.Detail)
	assert.Equal(r.t, r.header.Get("X-Request-Id"), p.RequestID)
	return p
}

// send makes one request; headers are "Name: value".
func (r *rig) send(method, path, body string, headers ...string) reply {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), method, r.url+path, strings.NewReader(body))
	require.NoError(r.t, err)
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/json")
	}
	if r.token != "" {
		req.Header.Set("Authorization", "Bearer "+r.token)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if name == "Host" {
			req.Host = value
			continue
		}
		req.Header.Set(name, value)
		if value == "" {
			req.Header.Del(name)
		}
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(r.t, err)
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	require.NoError(r.t, err)
	return reply{r.t, resp.StatusCode, resp.Header, answer}
}

func (r *rig) get(path string, headers ...string) reply {
	r.t.Helper()
	return r.send(http.MethodGet, path, "", headers...)
}

// request is a request of the rig's asker, for what send does not do.
func (r *rig) request(ctx context.Context, method, path string, body io.Reader) *http.Request {
	r.t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, r.url+path, body)
	require.NoError(r.t, err)
	if r.token != "" {
		req.Header.Set("Authorization", "Bearer "+r.token)
	}
	return req
}

// do sends a command.
func (r *rig) do(name, body string, headers ...string) reply {
	r.t.Helper()
	return r.send(http.MethodPost, "/v1/commands/"+name, body, headers...)
}

// done sends a command that must be done, and returns its receipt.
func (r *rig) done(name, body string, headers ...string) ledger.Receipt {
	r.t.Helper()
	var receipt ledger.Receipt
	r.do(name, body, headers...).is(http.StatusCreated).into(&receipt)
	return receipt
}

// last is the last sequence of the log.
func (r *rig) last() uint64 {
	r.t.Helper()
	last, err := r.store.Last(r.t.Context())
	require.NoError(r.t, err)
	return last
}

// hash names a document in tests.
func hash(c string) string { return strings.Repeat(c, 64) }

// signed gives the ledger two parties and an agreement between them that is in
// effect, and returns the last receipt.
func (r *rig) signed() ledger.Receipt {
	r.t.Helper()
	r.done("register-party", `{"party":"wuxi","title":{"en":"Wuxi","zh":"无锡"},"kind":"local-government"}`)
	r.done("register-party", `{"party":"cethik","title":"CETHIK","kind":"state-owned-enterprise"}`)
	r.done("draft-agreement", `{"agreement":"wuxi-2017","kind":"framework","title":"Framework","parties":["wuxi","cethik"],"document":"`+hash("a")+`"}`)
	r.done("open-consultation", `{"agreement":"wuxi-2017"}`)
	r.done("add-area", `{"agreement":"wuxi-2017","area":"iot","title":"Internet of Things"}`)
	for _, party := range []string{"wuxi", "cethik"} {
		r.done("sign-agreement", `{"agreement":"wuxi-2017","party":"`+party+`","signatory":"Mayor","date":"2017-02-28","document":"`+hash("a")+`"}`)
	}
	return r.done("propose-project", `{"agreement":"wuxi-2017","project":"iot-base","title":"IoT base","kind":"industry-base","areas":["iot"]}`)
}

// scheduled is signed with a milestone of the project.
func (r *rig) scheduled() ledger.Receipt {
	r.t.Helper()
	r.signed()
	r.done("approve-project", `{"agreement":"wuxi-2017","project":"iot-base"}`)
	r.done("start-project", `{"agreement":"wuxi-2017","project":"iot-base"}`)
	r.done("schedule-milestone", `{"agreement":"wuxi-2017","project":"iot-base","milestone":"design","title":"Design","due":"2019-06-30","type":"delivery","confirming":["wuxi"]}`)
	return r.done("approve-baseline", `{"agreement":"wuxi-2017","project":"iot-base"}`)
}

// poison appends an event of a type that this version does not know, as a
// later version might.
func poison(t *testing.T, r *rig) {
	t.Helper()
	env := domain.Envelope{
		ID: "018f0000-0000-7000-8000-000000000000", Source: "/ledgers/test", Ref: domain.Ref{Kind: "party", Key: "later"},
		Type: "milepost.party.renamed.v9", Time: time.Now(), Version: 1, Data: []byte("{}"),
	}
	_, err := r.store.Append(t.Context(), []eventstore.Message{{Subject: eventstore.Subject("test", eventstore.LedgerWide, "party", "later"), Data: env.Append(nil)}})
	require.NoError(t, err)
}

var eventstoreConflict = eventstore.AppendStats{Messages: 1, Appends: 1, Err: "conflict", Duration: time.Millisecond}

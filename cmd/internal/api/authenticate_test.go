package api

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/access"
	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
	"github.com/milepost-ledger/milepost/domain"
)

// syncBuffer is a log that is written to while it is read.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func TestWhoAsks(t *testing.T) {
	var log syncBuffer
	r := start(t, func(c *Config) {
		c.Logger = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	token := r.principal("ann", `"role":"viewer"`)
	stranger := r.as("")
	r.as(token).get("/v1/parties").is(http.StatusOK)
	stranger.get("/v1/parties", "Authorization: bearer  "+token).is(http.StatusOK)
	stranger.get("/v1/parties", "Authorization: Basic "+base64.StdEncoding.EncodeToString([]byte("anybody:"+token))).is(http.StatusOK)

	for name, headers := range map[string][]string{
		"nothing":        nil,
		"no token":       {"Authorization: Bearer nonsense"},
		"another scheme": {"Authorization: Digest " + token},
		"no password":    {"Authorization: Basic " + token},
		"a wrong one":    {"Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(token+":x"))},
		"only the token": {"Authorization: " + token},
		"another header": {"X-Token: " + token},
		"a cookie":       {"Cookie: token=" + token},
	} {
		answer := stranger.get("/v1/parties", headers...)
		answer.problem(http.StatusUnauthorized, CodeUnauthenticated)
		assert.Contains(t, answer.header.Get("WWW-Authenticate"), "Bearer", name)
		assert.NotContains(t, string(answer.body), token, name)
	}
	req := stranger.request(t.Context(), http.MethodGet, "/v1/parties", nil)
	req.Header["Authorization"] = []string{"Bearer " + token, "Bearer " + r.token}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Equal(t, http.StatusUnauthorized, resp.StatusCode, "two tokens")

	// and an address is no place for a token: it would stand in every log
	for _, query := range []string{"token=", "access_token=", "authorization=Bearer+"} {
		stranger.get("/v1/parties?"+query+token).problem(http.StatusUnauthorized, CodeUnauthenticated)
		r.get("/v1/parties?"+query+token).problem(http.StatusBadRequest, CodeUnknownParameter)
	}

	// and what is revoked is not taken by the very next request
	r.done("revoke-token", `{"principal":"ann","token":"t-ann"}`)
	r.as(token).get("/v1/parties").problem(http.StatusUnauthorized, CodeUnauthenticated)

	// and no log has a token, or its hash
	_, hash, err := access.ParseToken(token)
	require.NoError(t, err)
	for _, secret := range []string{token, r.token, string(hash)} {
		assert.NotContains(t, log.String(), secret)
	}
	assert.Contains(t, log.String(), `"principal":"ann"`)
}

// sessions are those of a test: a cookie names the principal.
type sessions struct{ directory *access.Directory }

func (s sessions) Principal(r *http.Request) (*access.Principal, bool) {
	cookie, err := r.Cookie("session")
	if err != nil {
		return nil, false
	}
	return s.directory.Principal(domain.Key(cookie.Value))
}

func TestSessions(t *testing.T) {
	r := start(t, func(c *Config) { c.Sessions = sessions{c.Access} })
	r.principal("ann", `"role":"viewer"`)
	stranger := r.as("")
	stranger.get("/v1/parties", "Cookie: session=ann").is(http.StatusOK)
	stranger.get("/v1/status", "Cookie: session=ann").problem(http.StatusForbidden, CodeForbidden)
	stranger.get("/v1/parties", "Cookie: session=bob").problem(http.StatusUnauthorized, CodeUnauthenticated)
	stranger.get("/v1/parties", "Cookie: session=ann", "Authorization: Bearer wrong").problem(http.StatusUnauthorized, CodeUnauthenticated)
}

// While nobody's rights are known nobody is let in, and the supervisor is
// answered.
func TestNobodysRightsAreKnown(t *testing.T) {
	r := start(t)
	require.NoError(t, r.server.cfg.Access.Close())
	p := r.get("/v1/parties").problem(http.StatusServiceUnavailable, CodeUnavailable)
	assert.Contains(t, p.Detail, "who may do what")
	r.as("").get("/v1/parties").problem(http.StatusServiceUnavailable, CodeUnavailable)
	r.get("/healthz").is(http.StatusOK)
	r.get("/readyz").is(http.StatusOK)
}

func TestNobodyServesWithoutRights(t *testing.T) {
	r := start(t)
	for name, without := range map[string]func(*Config){
		"directory": func(c *Config) { c.Access = nil }, "views": func(c *Config) { c.Views = nil }, "access log": func(c *Config) { c.AccessLog = nil },
	} {
		cfg := r.server.cfg
		cfg.Metrics = nil
		without(&cfg)
		assert.Panics(t, func() { New(cfg) }, name)
	}
}

// The actor of an event is who was authenticated. Only an administrator names
// another, and the event then says both.
func TestActorIsWhoAsks(t *testing.T) {
	r := start(t)
	r.scheduled()
	clerk := r.as(r.principal("clerk", `"role":"coordinator","agreement":"wuxi-2017"`, `"role":"viewer"`))
	chief := r.as(r.principal("chief", `"role":"admin","agreement":"wuxi-2017"`))
	recorded := func(asker *rig, body string, headers ...string) [2]string {
		receipt := asker.done("add-area", `{"agreement":"wuxi-2017","title":"A"`+body+`}`, headers...)
		var event struct{ Actor, Principal string }
		r.get(fmt.Sprintf("/v1/events/%d", receipt.Seq)).is(http.StatusOK).into(&event)
		return [2]string{event.Actor, event.Principal}
	}
	assert.Equal(t, [2]string{"clerk", ""}, recorded(clerk, ``))
	assert.Equal(t, [2]string{"clerk", ""}, recorded(clerk, `,"actor":"clerk"`))
	assert.Equal(t, [2]string{"administrator", ""}, recorded(r, ``))
	assert.Equal(t, [2]string{"li", "administrator"}, recorded(r, `,"actor":"li"`))
	assert.Equal(t, [2]string{"li", "chief"}, recorded(chief, ``, "Milepost-Actor: li"))
	for _, headers := range [][]string{nil, {"Milepost-Actor: li"}} {
		body := `{"agreement":"wuxi-2017","title":"A"}`
		if headers == nil {
			body = `{"agreement":"wuxi-2017","title":"A","actor":"li"}`
		}
		p := clerk.do("add-area", body, headers...).problem(http.StatusForbidden, CodeForbidden)
		assert.Equal(t, "actor", p.Field)
	}

	// and it asks in the name of a party that is its own
	p := clerk.do("add-area", `{"agreement":"wuxi-2017","title":"A","acting_for":"wuxi"}`).problem(http.StatusForbidden, CodeForbidden)
	assert.Equal(t, "acting_for", p.Field)
	envoy := r.as(r.principal("envoy", `"role":"representative","agreement":"wuxi-2017","party":"wuxi"`))
	const claim = `{"agreement":"wuxi-2017","project":"iot-base","milestone":"design","met_on":"2019-02-28","evidence":["` + "%s" + `"],"party":"%s"`
	file := r.attach("seen")
	p = envoy.do("claim-achievement", fmt.Sprintf(claim, file, "cethik")+`}`).problem(http.StatusForbidden, CodeForbidden)
	assert.Equal(t, "party", p.Field)
	envoy.do("claim-achievement", fmt.Sprintf(claim, file, "wuxi")+`,"acting_for":"cethik"}`).problem(http.StatusForbidden, CodeForbidden)

	// and an import is of who sent it, for whoever its lines name
	receipts := r.last()
	r.send(http.MethodPost, "/v1/import", strings.Join([]string{
		`{"command":"add-area","agreement":"wuxi-2017","area":"x1","title":"X","actor":"wang"}`,
		`{"command":"add-area","agreement":"wuxi-2017","area":"x2","title":"X"}`,
	}, "\n"), "Content-Type: application/x-ndjson").is(http.StatusOK)
	for i, want := range [][2]string{{"wang", "administrator"}, {"administrator", ""}} {
		var event struct{ Actor, Principal string }
		r.get(fmt.Sprintf("/v1/events/%d", receipts+1+uint64(i))).is(http.StatusOK).into(&event)
		assert.Equal(t, want, [2]string{event.Actor, event.Principal})
	}
	clerk.send(http.MethodPost, "/v1/import", `{}`, "Content-Type: application/x-ndjson").problem(http.StatusForbidden, CodeForbidden)
}

// A file is there for who sees something that names it, and whether it is stored
// is told to nobody else.
func TestEvidenceOfWhatIsNotSeen(t *testing.T) {
	r := start(t)
	r.cooperated()
	_, files := r.withSecret()
	clerk := r.as(r.principal("clerk", `"role":"contributor","agreement":"wuxi-2017"`))
	clerk.get("/v1/evidence/" + files[0]).is(http.StatusOK)
	r.done("restrict-access", `{"agreement":"wuxi-2017","project":"xq-hush"}`)
	clerk.get("/v1/evidence/"+files[0]).problem(http.StatusNotFound, domain.CodeNotFound)
	clerk.send(http.MethodPost, "/v1/evidence", "Xq Evidence of what nobody shall know").is(http.StatusCreated)
	r.get("/v1/evidence/" + files[0]).is(http.StatusOK)

	// and naming it elsewhere does not bring it to light, for who has not the file
	other := r.as(r.principal("other", `"role":"contributor","agreement":"wuxi-2017"`))
	p := other.do("report-progress", `{"agreement":"wuxi-2017","project":"iot-base","milestone":"design","percent":10,"evidence":["`+files[0]+`"]}`).
		problem(http.StatusUnprocessableEntity, ledger.CodeEvidenceNotStored)
	assert.Equal(t, "evidence[0]", p.Field)
	planner := r.as(r.principal("planner", `"role":"coordinator","agreement":"wuxi-2017"`))
	planner.do("record-minutes", `{"agreement":"wuxi-2017","meeting":"spring","minutes":"`+files[0]+`"}`).
		problem(http.StatusUnprocessableEntity, ledger.CodeEvidenceNotStored)
	planner.done("record-minutes", `{"agreement":"wuxi-2017","meeting":"spring","minutes":"`+hash("c")+`"}`)
	const progress = `{"agreement":"wuxi-2017","project":"iot-base","milestone":"design","percent":10,"evidence":["`
	clerk.done("report-progress", progress+files[0]+`"]}`) // who has the file shows it to whom it likes
	other.get("/v1/evidence/" + files[0]).is(http.StatusOK)
}

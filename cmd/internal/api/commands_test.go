package api

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/domaintest"
)

func TestCommandIsDone(t *testing.T) {
	// given
	r := start(t)

	// when
	answer := r.do("register-party", `{"party":"wuxi","title":"Wuxi","kind":"local-government"}`)

	// then
	var receipt ledger.Receipt
	answer.is(http.StatusCreated).into(&receipt)
	assert.Equal(t, "register-party", receipt.Command)
	assert.Equal(t, "party/wuxi", receipt.Aggregate)
	assert.EqualValues(t, 1, receipt.Seq)
	assert.EqualValues(t, 1, receipt.Version)
	assert.False(t, receipt.Replayed)
	assert.Equal(t, `"1"`, answer.header.Get("ETag"))
	assert.Equal(t, "/v1/parties/wuxi", answer.header.Get("Location"))
	assert.Equal(t, "application/json", answer.header.Get("Content-Type"))
	assert.Equal(t, "nosniff", answer.header.Get("X-Content-Type-Options"))
	assert.EqualValues(t, 1, r.last())
}

func TestLocationsAreServed(t *testing.T) {
	r := start(t)
	last := r.scheduled()

	for _, where := range []string{"/v1/parties/wuxi", "/v1/agreements/wuxi-2017", "/v1/agreements/wuxi-2017/projects/iot-base"} {
		r.get(fmt.Sprintf("%s?min_seq=%d", where, last.Seq)).is(http.StatusOK)
	}
	assert.Equal(t, "/v1/agreements/wuxi-2017/projects/iot-base", address("wuxi-2017", last.Aggregate))
	assert.Equal(t, "/v1/agreements/wuxi-2017", address("wuxi-2017", "agreement/wuxi-2017"))
	assert.Empty(t, address("wuxi-2017", "fund/one"))
}

func TestActor(t *testing.T) {
	r := start(t)
	actor := func(body string, headers ...string) string {
		receipt := r.done("register-party", body, headers...)
		var event struct{ Actor string }
		r.get(fmt.Sprintf("/v1/events/%d", receipt.Seq)).is(http.StatusOK).into(&event)
		return event.Actor
	}
	const fields = `"title":"A","kind":"other"`

	assert.Equal(t, "administrator", actor(`{"party":"a",`+fields+`}`))
	assert.Equal(t, "zhang", actor(`{"party":"b",`+fields+`}`, "Milepost-Actor: zhang"))
	assert.Equal(t, "li", actor(`{"party":"c","actor":"li",`+fields+`}`, "Milepost-Actor: zhang"), "the header is only the default")
	assert.Equal(t, "张伟", actor(`{"party":"d",`+fields+`}`, "Milepost-Actor: 张伟"))
	r.do("register-party", `{"party":"e",`+fields+`}`, "Milepost-Actor: \xff").problem(http.StatusBadRequest, CodeInvalidParameter)
}

func TestIdempotencyKey(t *testing.T) {
	const body = `{"party":"wuxi","title":"Wuxi","kind":"local-government"}`
	with := func(key string) string {
		return `{"party":"wuxi","title":"Wuxi","kind":"local-government","idempotency_key":"` + key + `"}`
	}
	r := start(t)
	first := r.done("register-party", body, `Idempotency-Key: "k1"`)

	for name, send := range map[string]func(*rig) reply{
		"quoted":      func(r *rig) reply { return r.do("register-party", body, `Idempotency-Key: "k1"`) },
		"bare":        func(r *rig) reply { return r.do("register-party", body, `Idempotency-Key: k1`) },
		"in the body": func(r *rig) reply { return r.do("register-party", with("k1")) },
		"in both":     func(r *rig) reply { return r.do("register-party", with("k1"), `Idempotency-Key: k1`) },
		"differently typed": func(r *rig) reply {
			return r.do("register-party", " "+strings.ReplaceAll(body, ",", " , "), `Idempotency-Key: k1`)
		},
	} {
		t.Run("replay, "+name, func(t *testing.T) {
			r := r.on(t)
			var again ledger.Receipt
			send(r).is(http.StatusOK).into(&again)
			assert.True(t, again.Replayed)
			again.Replayed = false
			assert.Equal(t, first, again)
			assert.EqualValues(t, 1, r.last(), "nothing is written twice")
		})
	}
	t.Run("another body", func(t *testing.T) {
		r := r.on(t)
		p := r.do("register-party", strings.Replace(body, "Wuxi", "Other", 1), `Idempotency-Key: k1`).
			problem(http.StatusUnprocessableEntity, domain.CodeKeyReused)
		assert.Equal(t, "idempotency_key", p.Field)
	})
	t.Run("another aggregate", func(t *testing.T) {
		r := r.on(t)
		r.do("register-party", strings.Replace(body, `"wuxi"`, `"other"`, 1), `Idempotency-Key: k1`).
			problem(http.StatusUnprocessableEntity, domain.CodeKeyReused)
	})
	t.Run("header and body differ", func(t *testing.T) {
		r := r.on(t)
		p := r.do("register-party", with("k2"), `Idempotency-Key: k3`).problem(http.StatusBadRequest, CodeInvalidParameter)
		assert.Equal(t, "Idempotency-Key", p.Field)
	})
	for _, bad := range []string{`""`, `"k`, `"a"b"`, `"a\"b"`, "k\u00e9"} {
		t.Run("malformed header "+bad, func(t *testing.T) {
			r := r.on(t)
			r.do("register-party", body, "Idempotency-Key: "+bad).problem(http.StatusBadRequest, CodeInvalidParameter)
		})
	}
	t.Run("a key that is too long", func(t *testing.T) {
		p := r.on(t).do("register-party", with(strings.Repeat("k", 201))).problem(http.StatusUnprocessableEntity, domain.CodeInvalidValue)
		assert.Equal(t, "idempotency_key", p.Field)
	})
	assert.EqualValues(t, 1, r.last())
}

func TestIfMatch(t *testing.T) {
	r := start(t)
	r.done("register-party", `{"party":"wuxi","title":"Wuxi","kind":"local-government"}`, `If-Match: "0"`)
	const change = `{"party":"wuxi","title":"Wuxi City"}`

	p := r.do("change-party", change, `If-Match: "7"`).problem(http.StatusPreconditionFailed, domain.CodeStaleVersion)
	assert.Equal(t, "expected_version", p.Field)
	r.do("change-party", `{"party":"wuxi","title":"Wuxi City","expected_version":9}`).problem(http.StatusPreconditionFailed, domain.CodeStaleVersion)
	r.do("change-party", `{"party":"wuxi","title":"Wuxi City","expected_version":2}`, `If-Match: "1"`).problem(http.StatusBadRequest, CodeInvalidParameter)
	for _, bad := range []string{`1`, `W/"1"`, `*`, `"1", "2"`, `"01"`, `"-1"`, `"x"`, `""`} {
		p := r.do("change-party", change, "If-Match: "+bad).problem(http.StatusBadRequest, CodeInvalidParameter)
		assert.Equal(t, "If-Match", p.Field, bad)
	}
	assert.EqualValues(t, 1, r.last(), "nothing was written")

	tag := r.get("/v1/parties/wuxi?min_seq=1").is(http.StatusOK).header.Get("ETag")
	r.done("change-party", change, "If-Match: "+tag)
	assert.EqualValues(t, 2, r.last())
}

func TestRefusedCommands(t *testing.T) {
	domaintest.Exhausting(t)
	r := start(t)
	r.scheduled()
	before := r.last()
	const project = `"agreement":"wuxi-2017","project":"iot-base"`

	for name, c := range map[string]struct {
		command, body string
		headers       []string
		status        int
		code, field   string
	}{
		"not JSON":           {"register-party", `{"party":`, nil, 400, "malformed", ""},
		"not an object":      {"register-party", `["wuxi"]`, nil, 400, "malformed", ""},
		"empty":              {"register-party", ``, nil, 400, "malformed", ""},
		"unknown command":    {"register-partei", `{}`, nil, 404, "unknown-command", "command"},
		"not found":          {"change-party", `{"party":"nobody","title":"A"}`, nil, 404, "not-found", "party"},
		"too large":          {"register-party", `{"party":"big","title":"` + strings.Repeat("x", MaxBody) + `","kind":"other"}`, nil, 413, "too-large", ""},
		"no content type":    {"register-party", `{}`, []string{"Content-Type: "}, 415, "unsupported-media-type", "Content-Type"},
		"a form":             {"register-party", `party=a`, []string{"Content-Type: application/x-www-form-urlencoded"}, 415, "unsupported-media-type", "Content-Type"},
		"another charset":    {"register-party", `{}`, []string{"Content-Type: application/json; charset=latin1"}, 415, "unsupported-media-type", "Content-Type"},
		"compressed":         {"register-party", `{}`, []string{"Content-Encoding: gzip"}, 415, "unsupported-media-type", "Content-Encoding"},
		"unknown field":      {"register-party", `{"party":"x","title":"X","kind":"other","colour":"red"}`, nil, 422, "unknown-field", "colour"},
		"missing field":      {"register-party", `{"party":"x","title":"X"}`, nil, 422, "missing-field", "kind"},
		"invalid value":      {"register-party", `{"party":"X!","title":"X","kind":"other"}`, nil, 422, "invalid-value", "party"},
		"a date that is not": {"schedule-milestone", `{` + project + `,"milestone":"m","title":"M","due":"2025-02-30","confirming":["wuxi"]}`, nil, 422, "invalid-value", "due"},
		"already exists":     {"register-party", `{"party":"wuxi","title":"X","kind":"other"}`, nil, 422, "already-exists", "party"},
		"a second signature": {"sign-agreement", `{"agreement":"wuxi-2017","party":"wuxi","signatory":"M","date":"2017-02-28","document":"` + hash("a") + `"}`, nil, 422, "already-signed", "party"},
		"no reason":          {"reforecast-milestone", `{` + project + `,"milestone":"design","forecast":"2019-09-30"}`, nil, 422, "reason-required", "reason"},
		"a query":            {"register-party?dry_run=1", `{"party":"x","title":"X","kind":"other"}`, nil, 400, "unknown-parameter", "dry_run"},
	} {
		t.Run(name, func(t *testing.T) {
			r := r.on(t)
			p := r.do(c.command, c.body, c.headers...).problem(c.status, c.code)
			assert.Equal(t, c.field, p.Field)
			assert.Equal(t, before, r.last(), "nothing was written")
		})
	}
}

// A body whose length is not announced is read only as far as it may go.
func TestBodyOfUnknownLength(t *testing.T) {
	r := start(t)
	body := io.MultiReader(strings.NewReader(`{"party":"big","kind":"other",`+strings.Repeat(" ", MaxBody)), strings.NewReader(`"title":"Big"}`))
	req := r.request(t.Context(), http.MethodPost, "/v1/commands/register-party", body)
	req.Header.Set("Content-Type", "application/json")

	resp, err := http.DefaultClient.Do(req)

	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	assert.Equal(t, http.StatusRequestEntityTooLarge, resp.StatusCode)
	assert.Zero(t, r.last())
}

func TestTooManyCommands(t *testing.T) {
	// given a server that takes two commands at a time, and two are under way
	r := start(t, func(c *Config) { c.MaxInFlight = 2 })
	one, err := r.server.admit()
	require.NoError(t, err)
	two, err := r.server.admit()
	require.NoError(t, err)

	// when
	answer := r.do("register-party", `{"party":"a","title":"A","kind":"other"}`)

	// then
	answer.problem(http.StatusServiceUnavailable, CodeOverloaded)
	assert.Equal(t, "1", answer.header.Get("Retry-After"))
	assert.EqualValues(t, 2, r.metric("milepost_commands_in_flight"))
	assert.EqualValues(t, 2, r.metric("milepost_commands_in_flight_limit"))
	assert.Positive(t, r.metric("milepost_commands_retry_after_seconds"))

	// and when one is done
	one()
	defer two()
	r.done("register-party", `{"party":"a","title":"A","kind":"other"}`)
}

func TestClosedStore(t *testing.T) {
	r := start(t)
	r.halt()
	require.NoError(t, r.store.Close())

	answer := r.do("register-party", `{"party":"a","title":"A","kind":"other"}`)

	answer.problem(http.StatusServiceUnavailable, CodeUnavailable)
	assert.NotEmpty(t, answer.header.Get("Retry-After"))
}

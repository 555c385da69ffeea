package api

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
	"github.com/milepost-ledger/milepost/projections"
)

func TestReadiness(t *testing.T) {
	// given a log with an event, and read models that do not follow it yet
	r := startIdle(t, func(c *Config) { c.Patience = 50 * time.Millisecond })
	r.done("register-party", `{"party":"a","title":"A","kind":"other"}`)

	// then it lives, and is not ready, and answers no question
	r.get("/healthz").is(http.StatusOK)
	answer := r.get("/readyz")
	p := answer.problem(http.StatusServiceUnavailable, CodeNotReady)
	assert.NotEmpty(t, p.Reasons)
	assert.EqualValues(t, 1, *p.Asked)
	assert.EqualValues(t, 0, *p.Reached)
	assert.NotEmpty(t, answer.header.Get("Retry-After"))
	for _, path := range []string{"/v1/parties", "/v1/parties/a", "/v1/agreements", "/v1/changes", "/v1/events"} {
		r.get(path).problem(http.StatusServiceUnavailable, CodeBehind)
	}
	var status Status
	r.get("/v1/status").is(http.StatusOK).into(&status)
	assert.False(t, status.Ready)

	// when they follow and have caught up
	r.follow()
	require.NoError(t, r.models.Wait(t.Context(), 1))

	// then it is ready
	r.get("/readyz").is(http.StatusOK)
	r.get("/v1/parties").is(http.StatusOK)

	// and a little behind is ready still, and far behind is not
	r.server.cfg.MaxLag = 2
	position := projections.Position{Seq: 10, Ready: true}
	assert.Empty(t, r.server.notReady(position, 12, true))
	assert.Len(t, r.server.notReady(position, 13, true), 1)
	assert.Len(t, r.server.notReady(position, 12, false), 1)
	position.Err = projections.ErrClosed
	assert.Len(t, r.server.notReady(position, 12, false), 2)

	// and when the log is gone it is not
	r.halt()
	require.NoError(t, r.store.Close())
	r.get("/readyz").problem(http.StatusServiceUnavailable, CodeUnavailable)
}

func TestStoppedProjector(t *testing.T) {
	// given read models that stopped because of an event that they do not know
	r := start(t)
	r.done("register-party", `{"party":"a","title":"A","kind":"other"}`)
	require.NoError(t, r.models.Wait(t.Context(), 1))
	r.get("/v1/parties").is(http.StatusOK)
	r.halt()
	poison(t, r)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	require.Error(t, r.models.Follow(ctx, r.store))

	// then no question is answered as if nothing had happened
	for _, path := range []string{"/v1/parties", "/v1/changes", "/v1/events"} {
		p := r.get(path).problem(http.StatusServiceUnavailable, CodeNotReady)
		assert.EqualValues(t, 1, *p.Reached)
	}
	p := r.get("/readyz").problem(http.StatusServiceUnavailable, CodeNotReady)
	assert.Contains(t, strings.Join(p.Reasons, " "), "stopped")
}

func TestStatus(t *testing.T) {
	r := start(t)
	var empty, full map[string]any
	r.get("/v1/status").is(http.StatusOK).into(&empty)
	assert.EqualValues(t, 0, empty["first_seq"])
	assert.EqualValues(t, 0, empty["last_seq"])
	assert.Nil(t, empty["at"])

	r.done("register-party", `{"party":"a","title":"A","kind":"other"}`)
	r.done("register-party", `{"party":"b","title":"B","kind":"other"}`)
	r.get("/v1/status?min_seq=2").is(http.StatusOK).into(&full)

	assert.Equal(t, "test", full["ledger"])
	assert.EqualValues(t, 1, full["first_seq"])
	assert.EqualValues(t, 2, full["last_seq"])
	assert.EqualValues(t, 2, full["projected_seq"])
	assert.EqualValues(t, 2, full["events"])
	assert.Regexp(t, regexp.MustCompile("^[0-9a-f]{64}$"), full["digest"])
	assert.NotEqual(t, empty["digest"], full["digest"])
	assert.Equal(t, "Asia/Shanghai", full["timezone"])
	assert.Equal(t, "1.2.3", full["version"])
	assert.Equal(t, true, full["ready"])
	assert.Equal(t, []any{}, full["reasons"])
	nats := full["nats"].(map[string]any)
	assert.Equal(t, "embedded", nats["mode"])
	assert.Equal(t, true, nats["sync_always"])
	assert.NotEmpty(t, nats["server_version"])
}

// metric reads a sample of /metrics, 0 when it is not there.
func (r *rig) metric(name string) float64 {
	r.t.Helper()
	for line := range strings.Lines(string(r.get("/metrics").is(http.StatusOK).body)) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			v, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			require.NoError(r.t, err)
			return v
		}
	}
	return 0
}

func TestMetrics(t *testing.T) {
	// given
	r := start(t)
	r.done("register-party", `{"party":"a","title":"A","kind":"other"}`)
	r.do("register-party", `{"party":"a","title":"A","kind":"other"}`).problem(http.StatusUnprocessableEntity, "already-exists")
	require.NoError(t, r.models.Wait(t.Context(), 1))
	r.get("/v1/parties").is(http.StatusOK)
	r.get("/nowhere").problem(http.StatusNotFound, CodeUnknownRoute)

	// then
	for name, want := range map[string]float64{
		`milepost_commands_total{code="ok",command="register-party"}`:                            1,
		`milepost_commands_total{code="already-exists",command="register-party"}`:                1,
		`milepost_command_duration_seconds_count`:                                                2,
		`milepost_append_duration_seconds_count{result="ok"}`:                                    1,
		`milepost_append_messages_sum`:                                                           1,
		`milepost_projected_events_total`:                                                        1,
		`milepost_projection_batch_duration_seconds_count`:                                       1,
		`milepost_projection_lag_seconds_count`:                                                  1,
		`milepost_projected_sequence`:                                                            1,
		`milepost_projection_lag_events`:                                                         0,
		`milepost_log_last_sequence`:                                                             1,
		`milepost_log_events`:                                                                    1,
		`milepost_http_requests_total{route="GET /v1/parties",status="200"}`:                     1,
		`milepost_http_requests_total{route="POST /v1/commands/register-party",status="201"}`:    1,
		`milepost_http_requests_total{route="none",status="404"}`:                                1,
		`milepost_http_request_duration_seconds_count{route="POST /v1/commands/register-party"}`: 2,
	} {
		assert.Equal(t, want, r.metric(name), name)
	}
	for _, name := range []string{"milepost_log_bytes", "milepost_read_models_bytes", "go_goroutines"} {
		assert.Positive(t, r.metric(name), name)
	}

	// and they move
	bytes := r.metric("milepost_log_bytes")
	r.done("register-party", `{"party":"b","title":"B","kind":"other"}`)
	require.NoError(t, r.models.Wait(t.Context(), 2))
	assert.Equal(t, 2.0, r.metric("milepost_projected_sequence"))
	assert.Greater(t, r.metric("milepost_log_bytes"), bytes)

	// and of the appends, conflicts are counted by themselves
	r.server.metrics.ObserveAppend(eventstoreConflict)
	assert.Equal(t, 1.0, r.metric("milepost_append_conflicts_total"))
}

func TestImport(t *testing.T) {
	r := start(t)
	send := func(r *rig, body string, headers ...string) reply {
		return r.send(http.MethodPost, "/v1/import", body, append([]string{"Content-Type: application/x-ndjson"}, headers...)...)
	}
	var file strings.Builder
	for i := range 1500 { // more than one batch, more than a command's body
		fmt.Fprintf(&file, `{"command":"register-party","party":"p%d","title":"%s","kind":"other"}`+"\n", i, strings.Repeat("x", 1000))
	}
	require.Greater(t, file.Len(), MaxBody)

	t.Run("adds everything once", func(t *testing.T) {
		r := r.on(t)
		var sum map[string]any
		send(r, file.String(), "Milepost-Actor: zhang").is(http.StatusOK).into(&sum)
		assert.Equal(t, object{"lines": 1500.0, "commands": 1500.0, "events": 1500.0, "first_seq": 1.0, "last_seq": 1500.0, "skipped": 0.0}, sum)

		send(r, file.String(), "Milepost-Actor: zhang").is(http.StatusOK).into(&sum)
		assert.Equal(t, object{"lines": 1500.0, "commands": 0.0, "events": 0.0, "first_seq": 0.0, "last_seq": 0.0, "skipped": 1500.0}, sum)
		assert.EqualValues(t, 1500, r.last())
		var event struct{ Actor string }
		r.get("/v1/events/1").into(&event)
		assert.Equal(t, "zhang", event.Actor)
		assert.Equal(t, 1500.0, r.metric("milepost_imported_commands_total"))
	})
	for name, c := range map[string]struct {
		line, code, field string
		status            int
	}{
		"a rule":             {`{"command":"register-party","party":"p1","title":"Other","kind":"other"}`, "already-exists", "party", 422},
		"not found":          {`{"command":"change-party","party":"nobody","title":"A"}`, "not-found", "party", 422},
		"an unknown field":   {`{"command":"register-party","party":"y","title":"A","kind":"other","colour":1}`, "unknown-field", "colour", 422},
		"an unknown command": {`{"command":"register"}`, "unknown-command", "command", 422},
		"not JSON":           {`{"command":`, "malformed", "", 422},
		"a long line":        {`{"command":"register-party","title":"` + strings.Repeat("x", ledger.MaxLine) + `"}`, "too-large", "", 422},
	} {
		t.Run("stops at "+name, func(t *testing.T) {
			r := r.on(t)
			before := r.last()
			good := fmt.Sprintf(`{"command":"register-party","party":"n%d","title":"A","kind":"other"}`, before)
			p := send(r, good+"\n\n"+c.line+"\n"+`{"command":"register-party","party":"never","title":"A","kind":"other"}`).problem(c.status, c.code)
			assert.Equal(t, 3, p.Line)
			assert.Equal(t, c.field, p.Field)
			require.NotNil(t, p.Summary)
			assert.Equal(t, 1, p.Summary.Commands)
			assert.Equal(t, before+1, p.Summary.LastSeq)
			assert.Equal(t, before+1, r.last(), "what came before stays, and nothing after it is added")
		})
	}
	t.Run("takes a package by OCDS", func(t *testing.T) {
		r := r.on(t)
		const contract = `{"releases":[{"ocid":"ocds-1","id":"1","date":"2019-01-15T00:00:00Z","language":"en",
			"parties":[{"id":"GOV-1","name":"City","roles":["buyer"]},{"id":"ACME","name":"Acme","roles":["supplier"]}],
			"contracts":[{"id":"7","title":"Works","status":"active","dateSigned":"2019-01-10T00:00:00Z","signatories":[{"id":"GOV-1"},{"id":"ACME"}],
			"implementation":{"milestones":[{"id":"roof","title":"Roof","type":"delivery","status":"scheduled","dueDate":"2019-06-30T00:00:00Z"}]}}]}]}`
		ocds := func(body string) reply {
			return r.send(http.MethodPost, "/v1/import", body, "Content-Type: application/json")
		}
		var sum ledger.Summary
		ocds(contract).is(http.StatusOK).into(&sum)
		assert.Positive(t, sum.Events)
		assert.Equal(t, r.last(), sum.LastSeq)
		var agreements page
		r.get(fmt.Sprintf("/v1/agreements?min_seq=%d", sum.LastSeq)).is(http.StatusOK).into(&agreements)
		assert.Equal(t, []string{"ocds-1-7"}, agreements.keys("agreement"))

		done := sum.Commands
		ocds(contract).is(http.StatusOK).into(&sum)
		assert.Zero(t, sum.Events)
		assert.Equal(t, done, sum.Skipped)

		ocds(`{"releases":`).problem(http.StatusBadRequest, "malformed")
		ocds(`{"tag":"other"}`).problem(http.StatusUnprocessableEntity, "not-ocds")
	})
	t.Run("takes lines and packages only", func(t *testing.T) {
		r := r.on(t)
		send(r, `{}`, "Content-Type: text/plain").problem(http.StatusUnsupportedMediaType, CodeMediaType)
		send(r, `{}`, "Content-Type: ").problem(http.StatusUnsupportedMediaType, CodeMediaType)
	})
}

// A build that fails is told of in every way, and is no reason to send requests
// elsewhere.
func TestAFailedBuildIsTold(t *testing.T) {
	// given a server that cannot make new read models
	r := start(t)
	last := r.scheduled()
	require.NoError(t, r.models.Wait(t.Context(), last.Seq))
	files, err := filepath.Glob(filepath.Join(r.server.cfg.ModelsDir, "read-v*-000001.db"))
	require.NoError(t, err)
	require.Len(t, files, 1)
	taken := strings.Replace(files[0], "000001", "000002", 1) + ".load"
	require.NoError(t, os.MkdirAll(filepath.Join(taken, "x"), 0o700))
	// when it is asked to
	p := r.send(http.MethodPost, "/v1/rebuild", "").problem(http.StatusInternalServerError, CodeBuildFailed)
	// then it says so, and why, and is ready
	assert.NotContains(t, p.Detail, taken)
	var status Status
	r.get("/v1/status").is(http.StatusOK).into(&status)
	assert.True(t, status.Ready)
	assert.Equal(t, "failed", status.Build.State)
	assert.Equal(t, "it was asked for", status.Build.Why)
	assert.Contains(t, status.Build.Error, taken)
	assert.NotNil(t, status.Build.Ended)
	r.get("/readyz").is(http.StatusOK)
	r.get("/v1/parties").is(http.StatusOK)
	assert.Equal(t, 1.0, r.metric(`milepost_builds_total{result="done"}`), "the first ones")
	assert.Equal(t, 1.0, r.metric(`milepost_builds_total{result="failed"}`))
	assert.Zero(t, r.metric("milepost_build_running"))
	// and when it can
	require.NoError(t, os.RemoveAll(taken))
	r.send(http.MethodPost, "/v1/rebuild", "").is(http.StatusOK)
	r.get("/v1/status").is(http.StatusOK).into(&status)
	assert.Equal(t, "done", status.Build.State)
	assert.Empty(t, status.Build.Error)
	assert.Equal(t, last.Seq, status.Build.Seq)
	assert.Equal(t, 2.0, r.metric(`milepost_builds_total{result="done"}`))
	assert.Equal(t, float64(last.Seq), r.metric("milepost_build_sequence"))
}

func TestRebuild(t *testing.T) {
	r := start(t)
	last := r.scheduled()
	require.NoError(t, r.models.Wait(t.Context(), last.Seq))

	var got projections.Rebuilt
	r.send(http.MethodPost, "/v1/rebuild", "").is(http.StatusOK).into(&got)

	assert.True(t, got.Identical)
	assert.Equal(t, last.Seq, got.Seq)
	assert.Equal(t, got.Live, got.Fresh)
	r.get("/v1/parties").is(http.StatusOK)
	assert.Contains(t, string(r.get("/v1/status").body), got.Fresh)
}

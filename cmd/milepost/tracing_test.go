package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/milepost-ledger/milepost/cmd/internal/signin"
)

// traceTaker is a collector of traces, as the environment names one.
type traceTaker struct {
	mu       sync.Mutex
	spans    []*trace.Span
	resource map[string]string
	raw      bytes.Buffer // all that came
}

func takeTraces(t *testing.T) *traceTaker {
	t.Helper()
	taker := &traceTaker{}
	server := httptest.NewServer(taker)
	t.Cleanup(server.Close)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", server.URL)
	t.Setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
	return taker
}

func (c *traceTaker) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var request collector.ExportTraceServiceRequest
	if err != nil || r.URL.Path != "/v1/traces" || proto.Unmarshal(body, &request) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.raw.Write(body)
	for _, of := range request.ResourceSpans {
		c.resource = words(of.Resource.Attributes)
		for _, scope := range of.ScopeSpans {
			c.spans = append(c.spans, scope.Spans...)
		}
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
}

func words(attributes []*common.KeyValue) map[string]string {
	said := map[string]string{}
	for _, a := range attributes {
		said[a.Key] = a.Value.GetStringValue()
	}
	return said
}

// named waits for the span of a name, in a trace if that is not "".
func (c *traceTaker) named(t *testing.T, name, inTrace string) *trace.Span {
	t.Helper()
	return c.find(t, name, func(s *trace.Span) bool { return inTrace == "" || hex.EncodeToString(s.TraceId) == inTrace })
}

// below waits for the span of a name below another one.
func (c *traceTaker) below(t *testing.T, parent *trace.Span, name string) *trace.Span {
	t.Helper()
	return c.find(t, name, func(s *trace.Span) bool {
		return bytes.Equal(s.TraceId, parent.TraceId) && bytes.Equal(s.ParentSpanId, parent.SpanId)
	})
}

func (c *traceTaker) find(t *testing.T, name string, is func(*trace.Span) bool) (found *trace.Span) {
	t.Helper()
	require.Eventually(t, func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, s := range c.spans {
			if s.Name == name && is(s) {
				found = s
				return true
			}
		}
		return false
	}, 20*time.Second, 10*time.Millisecond, "no span %q", name)
	return found
}

func TestTracesOfACommand(t *testing.T) {
	// given a server that is told who takes its traces, and logs each request
	taker := takeTraces(t)
	s := startServer(t, t.TempDir(), "--ledger", "city", "--log-level", "info", "--log-format", "json")
	token, err := signin.ReadAdminToken(s.dir)
	require.NoError(t, err)

	// when a command comes in the trace of a caller, with what nobody else is to know
	const theirs, caller = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
	ask := func(method, path, body string) *http.Response {
		req, err := http.NewRequest(method, s.url+path, strings.NewReader(body))
		require.NoError(t, err)
		for name, value := range map[string]string{
			"Authorization": "Bearer " + token, "Content-Type": "application/json", "traceparent": "00-" + theirs + "-" + caller + "-01",
			"tracestate": "vendor=hush-state", "X-Request-Id": "hush-request", "Idempotency-Key": "hush-idempotency", "Milepost-Actor": "hush-actor",
		} {
			req.Header.Set(name, value)
		}
		answer, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		return answer
	}
	const body = `{"party":"hush-key","title":{"en":"hush-title"},"kind":"other","note":"hush-note"}`
	require.Equal(t, http.StatusCreated, ask("POST", "/v1/commands/register-party", body).StatusCode)
	// and questions, also for what is not there
	require.Equal(t, http.StatusOK, ask("GET", "/v1/parties/hush-key?min_seq=1", "").StatusCode)
	require.Equal(t, http.StatusNotFound, ask("GET", "/hush-path", "").StatusCode)

	// then the command's span is the caller's child, and has what it took below it
	request := taker.named(t, "POST /v1/commands/register-party", theirs)
	assert.Equal(t, caller, hex.EncodeToString(request.ParentSpanId))
	assert.Equal(t, trace.Span_SPAN_KIND_SERVER, request.Kind)
	assert.Empty(t, request.TraceState)
	for _, name := range []string{"decide", "append"} {
		below := taker.below(t, request, name)
		assert.LessOrEqual(t, request.StartTimeUnixNano, below.StartTimeUnixNano, name)
		assert.GreaterOrEqual(t, request.EndTimeUnixNano, below.EndTimeUnixNano, name)
	}
	// a question has its read, the projector a trace of its own
	taker.below(t, taker.named(t, "GET /v1/parties/{party}", theirs), "read")
	assert.Empty(t, taker.named(t, "project", "").ParentSpanId)
	taker.named(t, "none", theirs)
	// the log has the trace's id beside the request's
	require.Eventually(t, func() bool { return strings.Contains(s.log.String(), `"route":"POST /v1/commands/register-party"`) }, 10*time.Second, 10*time.Millisecond)
	for line := range strings.Lines(s.log.String()) {
		var entry struct {
			Msg     string
			TraceID string `json:"trace_id"`
		}
		if json.Unmarshal([]byte(line), &entry) == nil && entry.Msg == "request" {
			assert.Equal(t, theirs, entry.TraceID, line)
		}
	}
	// and nothing went out that somebody else wrote, nor any secret
	s.stop(t, syscall.SIGTERM)
	taker.mu.Lock()
	defer taker.mu.Unlock()
	assert.Equal(t, "milepost", taker.resource["service.name"])
	assert.Equal(t, "city", taker.resource["milepost.ledger"])
	assert.NotContains(t, taker.raw.String(), "hush")
	assert.NotContains(t, taker.raw.String(), token)
}

// A refusal is no failure, and says its code; the span that begins nobody's trace
// has a trace of its own.
func TestTracesOfARefusal(t *testing.T) {
	taker := takeTraces(t)
	s := startServer(t, t.TempDir())
	answer, err := s.ask("POST", "/v1/commands/retire-witness", `{"party":"nobody","note":"x"}`)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	require.Equal(t, http.StatusNotFound, answer.StatusCode)

	request := taker.named(t, "POST /v1/commands/retire-witness", "")
	assert.Empty(t, request.ParentSpanId)
	decide := taker.below(t, request, "decide")
	assert.Equal(t, "not-found", words(decide.Attributes)["milepost.code"])
	for _, span := range []*trace.Span{request, decide} {
		assert.NotEqual(t, trace.Status_STATUS_CODE_ERROR, span.GetStatus().GetCode(), span.Name)
	}
	s.stop(t, syscall.SIGTERM)
}

// Nobody who takes the traces is no reason to serve worse, or to stop late.
func TestTracesThatNobodyTakes(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://127.0.0.1:1/v1/traces")
	s := startServer(t, t.TempDir())
	s.register(t, 3)
	begun := time.Now()
	s.stop(t, syscall.SIGTERM)
	assert.Less(t, time.Since(begun), traceGrace+5*time.Second)
	assert.Contains(t, s.log.String(), "traces")
}

func TestTracesByWhatIsNotSpoken(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4317")
	t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
	var stderr strings.Builder
	code := Main([]string{"serve", "--data", t.TempDir(), "--listen", "127.0.0.1:0"}, nil, io.Discard, &stderr, os.Getenv)
	require.Equal(t, exitUsage, code)
	assert.Contains(t, stderr.String(), "OTEL_EXPORTER_OTLP_PROTOCOL=grpc: traces are sent by http/protobuf only")
}

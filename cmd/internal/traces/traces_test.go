package traces

import (
	"context"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestWhatAsksForTraces(t *testing.T) {
	for name, c := range map[string]struct {
		env  map[string]string
		want bool
	}{
		"nothing":                 {nil, false},
		"an endpoint":             {map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://a:4318"}, true},
		"one for traces":          {map[string]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://a:4318/v1/traces"}, true},
		"how, and not to whom":    {map[string]string{"OTEL_TRACES_SAMPLER": "always_on"}, false},
		"switched off":            {map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://a:4318", "OTEL_SDK_DISABLED": "true"}, false},
		"for something else":      {map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://a:4318", "OTEL_TRACES_EXPORTER": "none"}, false},
		"in the one way there is": {map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://a:4318", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Asked(func(name string) string { return c.env[name] })
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
	_, err := Asked(func(name string) string {
		return map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://a:4317", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "grpc"}[name]
	})
	require.ErrorContains(t, err, "http/protobuf only")
	for _, name := range []string{"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"} {
		for _, to := range []string{"collector", "collector:4318", "://", "http://", "grpc://collector:4317"} {
			_, err := Asked(func(asked string) string { return map[string]string{name: to}[asked] })
			require.EqualError(t, err, name+": want an address with its scheme, such as http://collector:4318")
		}
	}
	// What the traces' own variable says counts.
	asked, err := Asked(func(asked string) string {
		return map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4317", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4318"}[asked]
	})
	require.NoError(t, err)
	require.True(t, asked)
}

// What is not traced costs nothing: this is in the path of every command.
func TestNothingIsDoneWithoutATracer(t *testing.T) {
	var none *Tracer
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	ctx := context.WithValue(t.Context(), none, 1)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		same, span := none.Request(r)
		inner, below := Start(ctx, "decide")
		if same != r || inner != ctx {
			t.Error("something began")
		}
		below.Word("milepost.code", "ok")
		below.Number("milepost.events", 1)
		below.Failed()
		below.End()
		span.Name("other")
		span.End()
	}))
	none.Done("project", time.Second, func(Span) { t.Error("something began") })
	require.NoError(t, none.Close(ctx))
}

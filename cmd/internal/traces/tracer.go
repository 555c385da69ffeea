package traces

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-logr/logr"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/milepost-ledger/milepost/cmd/internal/logs"
)

// Tracer begins traces and sends them. A nil Tracer does neither.
type Tracer struct {
	provider *sdk.TracerProvider
	tracer   trace.Tracer
}

// Options of a tracer.
type Options struct {
	Ledger, Version string
	Logger          *slog.Logger // what could not be sent
}

// scope names who makes the spans.
const scope = "github.com/milepost-ledger/milepost"

// Asked says whether the environment asks for traces. An error is one of its
// variables that asks for what the program cannot do.
func Asked(env func(string) string) (bool, error) {
	if env("OTEL_EXPORTER_OTLP_ENDPOINT") == "" && env("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") == "" ||
		strings.EqualFold(env("OTEL_SDK_DISABLED"), "true") || env("OTEL_TRACES_EXPORTER") == "none" {
		return false, nil
	}
	if by := cmp.Or(env("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"), env("OTEL_EXPORTER_OTLP_PROTOCOL"), "http/protobuf"); by != "http/protobuf" {
		return false, fmt.Errorf("OTEL_EXPORTER_OTLP_PROTOCOL=%s: traces are sent by http/protobuf only: set that, and the endpoint's port for it (4318 as a rule)", by)
	}
	name := "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT" // which wins
	if env(name) == "" {
		name = "OTEL_EXPORTER_OTLP_ENDPOINT"
	}
	if !isAddress(env(name)) { // the library would send them to this machine, or nowhere; there may be a password in it
		return false, fmt.Errorf("%s: want an address with its scheme, such as http://collector:4318", name)
	}
	return true, nil
}

func isAddress(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

// Open makes a tracer for an environment in which traces are asked for. The
// library reads that of the process by itself, and is told to complain to the
// logger: its hooks hold for the program, which has one tracer.
func Open(ctx context.Context, opts Options) (*Tracer, error) {
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { opts.Logger.Warn("traces", "error", err) }))
	otel.SetLogger(logr.FromSlogHandler(opts.Logger.Handler()))
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, fmt.Errorf("traces: %w", err)
	}
	about, err := resource.New(ctx, // not what the library finds out by itself, such as the command line
		resource.WithAttributes(attribute.String("service.name", "milepost"), attribute.String("service.version", opts.Version), attribute.String("milepost.ledger", opts.Ledger)),
		resource.WithTelemetrySDK(), resource.WithFromEnv())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("traces: %w", err), exporter.Shutdown(ctx))
	}
	provider := sdk.NewTracerProvider(sdk.WithBatcher(exporter), sdk.WithResource(about))
	return &Tracer{provider, provider.Tracer(scope, trace.WithInstrumentationVersion(opts.Version))}, nil
}

// Close sends what is not sent yet, while ctx lasts.
func (t *Tracer) Close(ctx context.Context) error {
	if t == nil {
		return nil
	}
	return t.provider.Shutdown(ctx)
}

// Request begins the span of a request to the server, in the trace that the
// caller says, else in a new one.
func (t *Tracer) Request(r *http.Request) (*http.Request, Span) {
	if t == nil {
		return r, Span{}
	}
	// Not what else the caller hands on, which is the words of others.
	from := propagation.MapCarrier{"traceparent": r.Header.Get("traceparent")}
	ctx := propagation.TraceContext{}.Extract(r.Context(), from)
	ctx, span := t.tracer.Start(ctx, "request", trace.WithSpanKind(trace.SpanKindServer))
	if id := span.SpanContext(); id.IsValid() {
		logs.Note(ctx, slog.String("trace_id", id.TraceID().String()))
	}
	return r.WithContext(ctx), Span{span}
}

// Done makes the span of what was begun by no request and has ended now, in a
// trace of its own. What it is to say has to be said before that, by say.
func (t *Tracer) Done(name string, took time.Duration, say func(Span)) {
	if t == nil {
		return
	}
	now := time.Now()
	_, span := t.tracer.Start(context.Background(), name, trace.WithTimestamp(now.Add(-took)))
	say(Span{span})
	span.End(trace.WithTimestamp(now))
}

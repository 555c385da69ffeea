package main

import (
	"context"
	"time"

	"github.com/milepost-ledger/milepost/cmd/internal/traces"
	"github.com/milepost-ledger/milepost/projections"
)

const tracingHelp = "Where the environment names who takes traces (OTEL_EXPORTER_OTLP_ENDPOINT and OpenTelemetry's other variables), requests,\n" +
	"commands, appends and reads are traced, by OTLP over HTTP. Traces have routes, codes and numbers, and nothing of what is recorded."

// traceGrace is how long who takes the traces may take for the last of them.
const traceGrace = 3 * time.Second

// tracing makes the tracer that the environment asks for, nil where it does not.
// Call end when nothing is traced any more.
func (a *app) tracing(ctx context.Context, cfg nodeConfig) (tracer *traces.Tracer, end func(), err error) {
	wanted, err := traces.Asked(a.env)
	if err != nil {
		return nil, nil, &usageError{err}
	}
	if !wanted {
		return nil, func() {}, nil
	}
	if tracer, err = traces.Open(ctx, traces.Options{Ledger: cfg.name, Version: version(), Logger: cfg.log}); err != nil {
		return nil, nil, err
	}
	return tracer, func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), traceGrace)
		defer cancel()
		if err := tracer.Close(ctx); err != nil {
			cfg.log.Warn("the last traces were not taken", "error", err)
		}
	}, nil
}

// projected counts and traces a commit of the read models.
func (n *node) projected(b projections.Batch) {
	n.metrics.ObserveProjection(b)
	n.cfg.tracer.Done("project", b.Duration, func(span traces.Span) {
		span.Number("milepost.events", b.Events)
		span.Number("milepost.rows", b.Rows)
		span.Number("milepost.seq", int(b.Seq))
	})
}

// asked traces the questions to the read models.
func (cfg nodeConfig) asked() func(context.Context) func() {
	if cfg.tracer == nil {
		return nil
	}
	return func(ctx context.Context) func() {
		_, span := traces.Start(ctx, "read")
		return span.End
	}
}

package traces

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// Span is a part of a trace. The zero Span is of none, and swallows what it is told.
type Span struct{ of trace.Span }

// Start begins a span under the one of the context, if it has one: where nothing is
// traced nothing begins.
func Start(ctx context.Context, name string) (context.Context, Span) {
	parent := trace.SpanFromContext(ctx)
	if !parent.IsRecording() {
		return ctx, Span{}
	}
	ctx, span := parent.TracerProvider().Tracer(scope).Start(ctx, name)
	return ctx, Span{span}
}

// Name renames the span, by what was found out since it began.
func (s Span) Name(name string) {
	if s.of != nil {
		s.of.SetName(name)
	}
}

// Word says something by a word of the program's own: never by one that was sent.
func (s Span) Word(key, word string) {
	if s.of != nil {
		s.of.SetAttributes(attribute.String(key, word))
	}
}

// Number says how many.
func (s Span) Number(key string, n int) {
	if s.of != nil {
		s.of.SetAttributes(attribute.Int(key, n))
	}
}

// Failed marks the span as one in which the server failed: not as a refusal. Why is
// in the log, under the id of the trace.
func (s Span) Failed() {
	if s.of != nil {
		s.of.SetStatus(codes.Error, "")
	}
}

// End ends the span.
func (s Span) End() {
	if s.of != nil {
		s.of.End()
	}
}

// Package traces tells where the time of a request went, by OpenTelemetry.
//
// A server traces when the environment names who takes it, by the standard
// variables (OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, and
// what goes with them: headers, certificates, OTEL_TRACES_SAMPLER,
// OTEL_RESOURCE_ATTRIBUTES, OTEL_SERVICE_NAME). Spans go out as OTLP by HTTP, in the
// background, and are dropped where nobody takes them: no request waits for that.
//
//   - Without such a variable nothing is opened, sent or remembered, and [Start] costs
//     a look into its context, without an allocation.
//   - A span belongs to that of the context it is started with. That of a request
//     belongs to the one that its traceparent header names (W3C Trace Context), so a
//     caller finds its command in its own trace. The trace's id is in each line that
//     is logged about the request.
//   - What a span says is written by the program: routes, names of commands, codes,
//     numbers. Nothing that somebody typed or sent goes out: no key, path, token,
//     name, text, or error message. So whoever reads traces learns how the server
//     does, and nothing of what the ledger holds.
//
// It alone knows the libraries, and [Span] offers no way to say more than that.
package traces

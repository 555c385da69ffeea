package api

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/milepost-ledger/milepost/cmd/internal/logs"
	"github.com/milepost-ledger/milepost/cmd/internal/traces"
	"github.com/milepost-ledger/milepost/domain"
)

// guarded is what every request goes through before its route: it gets an id,
// is checked to come from this machine and this site, is logged and counted,
// and is answered even if the route panics.
func (s *server) guarded(routes http.Handler) http.Handler {
	crossOrigin := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		id := requestID(r)
		r = r.WithContext(logs.Scope(context.WithValue(r.Context(), requestIDKey{}, id), slog.String("request", id)))
		var span traces.Span
		if !probed(r.URL.Path) {
			r, span = s.cfg.Tracer.Request(r)
		}
		if stopping(r.Context()) {
			w.Header().Set("Connection", "close") // the next request shall find another server
		}
		if s.cfg.Front.Secure(r) && !loopback(r.Host) {
			w.Header().Set("Strict-Transport-Security", "max-age=31536000")
		}
		w.Header().Set("X-Request-Id", id)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-store") // answers move with the log and with the day
		rec := &recorder{ResponseWriter: w}
		defer func() { s.finish(rec, r, id, start, span, recover()) }()

		if p := s.cfg.Front.check(r); p != nil {
			s.fail(rec, r, p)
			return
		}
		if err := crossOrigin.Check(r); err != nil {
			s.fail(rec, r, newProblem(CodeForbiddenOrigin, "Origin", "A browser sent this from another site, which is not allowed."))
			return
		}
		routes.ServeHTTP(rec, r)
	})
}

// probed reports whether a path is asked every few seconds, by machines.
func probed(path string) bool { return path == "/healthz" || path == "/readyz" || path == "/metrics" }

// finish answers for a route that panicked, writes the request's line of the log,
// and ends its span.
func (s *server) finish(w *recorder, r *http.Request, id string, start time.Time, span traces.Span, panicked any) {
	defer span.End()
	if panicked != nil && panicked != http.ErrAbortHandler && r.Context().Err() == nil {
		s.cfg.Logger.ErrorContext(r.Context(), "panic", "panic", panicked, "stack", string(debug.Stack()))
		if w.status == 0 {
			p := newProblem(CodeInternal, "", "The server failed. Its log says why, by the request id.")
			p.RequestID = id
			p.write(w)
			panicked = nil
		}
	}
	route := r.Pattern
	if route == "" {
		route = "none" // every unknown address counts as one
	}
	took := time.Since(start)
	observed := took
	if w.Header().Get("Content-Type") == mediaStream {
		observed = 0 // it lasts as long as somebody listens, which is no time of the server's
	}
	s.metrics.observeRequest(route, w.status, observed)
	span.Name(route)
	span.Word("http.route", route)
	span.Number("http.response.status_code", w.status)
	if w.status >= 500 {
		span.Failed()
	}
	level := slog.LevelInfo
	switch {
	case w.status >= 500 && w.status != http.StatusServiceUnavailable:
		level = slog.LevelError
	case w.status >= 500:
		level = slog.LevelWarn
	case probed(r.URL.Path):
		level = slog.LevelDebug
	}
	s.cfg.Logger.Log(r.Context(), level, "request", "method", r.Method, "path", r.URL.Path,
		"route", route, "principal", w.principal, "status", w.status, "bytes", w.bytes, "took", took)
	if panicked != nil {
		panic(http.ErrAbortHandler) // an answer was begun: cut it off, so that it is not taken for whole
	}
}

// fail answers with the problem that err is, and logs what the client is not told.
func (s *server) fail(w http.ResponseWriter, r *http.Request, err error) {
	p := s.problem(r.Context(), err)
	if s.tellsPerson(r) {
		s.people(w, r, p)
		return
	}
	p.write(w)
}

func (s *server) problem(ctx context.Context, err error) *Problem {
	p := problemOf(err)
	if p.Code == CodeTimeout && isCut(ctx) {
		p = stoppingProblem()
	}
	p.RequestID, _ = ctx.Value(requestIDKey{}).(string)
	if p.Status >= 500 && p.cause != nil {
		s.cfg.Logger.WarnContext(ctx, "request failed", "code", p.Code, "error", p.cause)
	}
	return p
}

type requestIDKey struct{}

// requestID takes the caller's X-Request-Id when it can stand in a log as it
// is, else makes one.
func requestID(r *http.Request) string {
	id := r.Header.Get("X-Request-Id")
	sane := len(id) > 0 && len(id) <= 64
	for i := 0; sane && i < len(id); i++ {
		c := id[i]
		sane = c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.'
	}
	if !sane {
		id = uuid.Must(uuid.NewV7()).String()
	}
	return id
}

// loopback reports whether a host, with or without a port, is this machine.
func loopback(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = strings.Trim(hostport, "[]")
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// recorder notes what was answered.
type recorder struct {
	http.ResponseWriter
	principal domain.Key // who asked, "" for a stranger
	status    int        // 0 until the header is written
	bytes     int64
}

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController through to the connection.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

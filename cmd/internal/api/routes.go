package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/milepost-ledger/milepost/cmd/internal/access"
)

// patterns is a ServeMux that remembers what it serves, for the test that every
// route is in the OpenAPI document.
type patterns struct {
	*http.ServeMux
	all      []string
	admitted func(pattern string, route http.HandlerFunc) http.HandlerFunc
}

func (p *patterns) HandleFunc(pattern string, h func(http.ResponseWriter, *http.Request)) {
	p.all = append(p.all, pattern)
	p.ServeMux.HandleFunc(pattern, p.admitted(pattern, h))
}

// route serves the routes, and answers for what is none of them: to strangers, who
// shall not learn what there is, as for what there is.
func (s *server) route() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		found, pattern := s.mux.Handler(r)
		r.Pattern = pattern // for the log of requests, which has this one and not a copy
		if right, _ := s.rights(pattern); !right.Open() {
			p, err := s.asker(r)
			if err != nil {
				s.fail(w, r, err)
				return
			}
			r = r.WithContext(access.With(r.Context(), p))
			if rec, ok := w.(*recorder); ok {
				rec.principal = p.Key
			}
		}
		switch {
		case strings.Contains(pattern, "{"): // the mux finds the values
			s.mux.ServeHTTP(w, r)
			return
		case pattern != "":
			found.ServeHTTP(w, r)
			return
		}
		// The mux knows whether it is the address or the method; only its words
		// are replaced.
		verdict := &silent{header: http.Header{}}
		found.ServeHTTP(verdict, r)
		if verdict.status != http.StatusMethodNotAllowed {
			s.fail(w, r, newProblem(CodeUnknownRoute, "", "There is nothing at "+r.URL.Path+"; /openapi.json lists what there is."))
			return
		}
		allow := verdict.header.Get("Allow")
		w.Header().Set("Allow", allow)
		s.fail(w, r, newProblem(CodeMethod, "", "This address takes "+allow+"."))
	})
}

// silent keeps the status and headers of an answer and drops its body.
type silent struct {
	header http.Header
	status int
}

func (w *silent) Header() http.Header         { return w.header }
func (w *silent) Write(b []byte) (int, error) { return len(b), nil }
func (w *silent) WriteHeader(status int)      { w.status = status }

// handle serves an operation that reads and writes HTTP itself. What it returns
// as an error is answered as a problem. Of a copy, only what reads is served, and
// what is about the server alone.
func (s *server) handle(op huma.Operation, h func(http.ResponseWriter, *http.Request) error) {
	s.addErrors(&op)
	s.api.OpenAPI().AddOperation(&op)
	s.undocumented(op.Method+" "+op.Path, func(w http.ResponseWriter, r *http.Request) error {
		if err := checkQuery(&op, *r.URL); err != nil {
			return err
		}
		if op.Method != http.MethodGet && !ofServer[op.OperationID] {
			if err := s.cfg.Store.Writable(); err != nil {
				return err
			}
		}
		return h(w, r)
	})
}

// ofServer are the operations that are no question and yet write nothing into
// the ledger.
var ofServer = map[string]bool{"rebuild": true, "replay": true, "replay-models": true}

// undocumented serves a pattern that is no operation of its own.
func (s *server) undocumented(pattern string, h func(http.ResponseWriter, *http.Request) error) {
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		if err := h(w, r); err != nil {
			s.fail(w, r, err)
		}
	})
}

// get serves a question with typed parameters I and answer O, which are also
// its declaration in the OpenAPI document.
func get[I, O any](s *server, op huma.Operation, h func(context.Context, *I) (*O, error)) {
	op.Method = http.MethodGet
	s.addErrors(&op)
	op.Errors = nil // they are there; huma would add some that are not answered
	huma.Register(s.api, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := h(ctx, in)
		if err != nil {
			return nil, s.problem(ctx, err)
		}
		return out, nil
	})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v) // a client that is gone hears nothing
}

// huma's own findings about parameters, and what it says of anything else, are
// answered as problems like all the others. These are hooks of the library and
// hold for the program; no other package of ours uses huma.
func init() {
	huma.DefaultArrayNullable = false // our lists are empty, never null
	huma.NewErrorWithContext = func(ctx huma.Context, status int, msg string, errs ...error) huma.StatusError {
		p := humaProblem(status, msg, errs)
		if ctx != nil {
			p.RequestID, _ = ctx.Context().Value(requestIDKey{}).(string)
		}
		return p
	}
	huma.NewError = func(status int, msg string, errs ...error) huma.StatusError { return humaProblem(status, msg, errs) }
}

func humaProblem(status int, msg string, errs []error) *Problem {
	if status >= 500 {
		return problemOf(nil)
	}
	for _, err := range errs {
		if d, ok := err.(huma.ErrorDetailer); ok {
			detail := d.ErrorDetail()
			_, name, _ := strings.Cut(detail.Location, ".")
			return newProblem(CodeInvalidParameter, name, detail.Message)
		}
	}
	return newProblem(CodeInvalidParameter, "", msg)
}

// strictQuery is huma's middleware for what handle does for the others.
func (s *server) strictQuery(ctx huma.Context, next func(huma.Context)) {
	if err := checkQuery(ctx.Operation(), ctx.URL()); err != nil {
		r, w := humago.Unwrap(ctx)
		s.fail(w, r, err)
		return
	}
	next(ctx)
}

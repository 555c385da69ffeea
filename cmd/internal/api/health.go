package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/milepost-ledger/milepost/projections"
)

// health serves what supervisors ask: is it alive, may it be sent requests, how
// is it doing.
func (s *server) health() {
	plain := func(doc string) map[string]*huma.Response {
		return map[string]*huma.Response{"200": {Description: doc, Content: map[string]*huma.MediaType{
			"text/plain": {Schema: &huma.Schema{Type: huma.TypeString}},
		}}}
	}
	ok := func(w http.ResponseWriter) error {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte("ok\n"))
		return nil
	}
	s.handle(huma.Operation{
		OperationID: "healthz", Method: http.MethodGet, Path: "/healthz", Tags: []string{"operations"},
		Summary: "Whether the process lives.", Responses: plain("It does."), Errors: []int{400, 403},
	}, func(w http.ResponseWriter, _ *http.Request) error { return ok(w) })

	s.handle(huma.Operation{
		OperationID: "readyz", Method: http.MethodGet, Path: "/readyz", Tags: []string{"operations"},
		Summary:   "Whether it can serve: the log answers, and the read models follow it.",
		Responses: plain("It can."), Errors: []int{400, 403, 503},
	}, func(w http.ResponseWriter, r *http.Request) error {
		if stopping(r.Context()) {
			return newProblem(CodeStopping, "", "The server is told to stop. Ask another one, or this one in a moment.")
		}
		ctx, cancel := context.WithTimeout(r.Context(), s.cfg.Patience)
		defer cancel()
		status, err := s.readStatus(ctx)
		if err != nil {
			return err
		}
		if status.Ready {
			return ok(w)
		}
		p := newProblem(CodeNotReady, "", "The server is not ready; reasons says why.")
		p.Asked, p.Reached = &status.LastSeq, &status.ProjectedSeq
		for _, reason := range status.Reasons {
			if strings.HasPrefix(reason, modelsStopped) {
				reason = modelsStopped // at what is not for strangers
			}
			p.Reasons = append(p.Reasons, reason)
		}
		return p
	})

	metrics := s.metrics.handler()
	s.handle(huma.Operation{
		OperationID: "metrics", Method: http.MethodGet, Path: "/metrics", Tags: []string{"operations"},
		Summary: "Metrics, for Prometheus.", Responses: plain("In Prometheus' text format."), Errors: []int{403},
	}, func(w http.ResponseWriter, r *http.Request) error {
		metrics.ServeHTTP(w, r)
		return nil
	})
}

const modelsStopped = "the read models have stopped"

// notReady says why requests should go elsewhere, if they should. Once the read
// models have caught up, being a little behind a busy log is no reason.
func (s *server) notReady(position projections.Position, last uint64, connected bool) []string {
	reasons := []string{}
	if !connected {
		reasons = append(reasons, "there is no connection to the log")
	}
	switch lag := int64(last) - int64(position.Seq); {
	case position.Err != nil:
		reasons = append(reasons, modelsStopped+": "+position.Err.Error())
	case !position.Ready:
		reasons = append(reasons, "the read models are being made")
	case lag <= 0:
		s.caughtUp.Store(true)
	case !s.caughtUp.Load():
		reasons = append(reasons, "the read models have not caught up with the log yet")
	case lag > int64(s.cfg.MaxLag):
		reasons = append(reasons, "the read models are too far behind the log")
	}
	if err := s.cfg.Notary.Err(); err != nil {
		reasons = append(reasons, err.Error())
	}
	return reasons
}

package api

import (
	"net/http"
	"slices"

	"github.com/milepost-ledger/milepost/cmd/internal/access"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/projections"
)

// note writes a line of the access log where the answer could show what is
// restricted. What cannot be noted is not shown.
func (s *server) note(r *http.Request, pattern string, right access.Right, p *access.Principal) error {
	if !right.Shows {
		return nil
	}
	return s.noteRead(r, pattern, p, couldShow(r, p))
}

// couldShow lists what is restricted now and could be in an answer to the asker.
func couldShow(r *http.Request, p *access.Principal) (shown []projections.Restriction) {
	agreement, project := asked(r, "agreement"), asked(r, "project")
	if access.IsPage(r.Pattern) {
		agreement, project = pageOf(r)
	}
	for _, x := range p.Cleared(agreement) {
		if project == "" || x.Project == "" || x.Project == project { // of an area it is not known here which projects are in it
			shown = append(shown, x)
		}
	}
	return shown
}

// pageOf is what a page keeps to: what its path names. A page takes parameters that it
// does not go by, so these do not narrow it. Some widen it: as of a point, it tells of
// events of all its agreement; and any event can be the one that was recorded.
func pageOf(r *http.Request) (agreement, project domain.Key) {
	agreement, project = domain.Key(r.PathValue("agreement")), domain.Key(r.PathValue("project"))
	query := r.URL.Query()
	if query.Has("as_of") {
		project = ""
	}
	if query.Has("done") {
		return "", ""
	}
	return agreement, project
}

func (s *server) noteRead(r *http.Request, pattern string, p *access.Principal, shown []projections.Restriction) error {
	if len(shown) == 0 {
		return nil
	}
	id, _ := r.Context().Value(requestIDKey{}).(string)
	err := s.cfg.AccessLog.Write(access.Read{
		Request: id, Principal: p.Key, Method: r.Method, Route: pattern, Path: r.URL.Path, Restricted: access.Paths(shown),
	})
	if err != nil {
		s.cfg.Logger.ErrorContext(r.Context(), "the access log cannot be written; what is restricted is not shown to anybody", "error", err)
		return newProblem(CodeUnavailable, "", "The access log cannot be written, so this is not answered. The server's log says why.")
	}
	return nil
}

// noteAlong returns what notes, for an answer that goes on and was noted when it
// began, whatever is restricted since. It is called before more goes out.
func (s *server) noteAlong(r *http.Request, pattern string, p *access.Principal) func() error {
	noted := couldShow(r, p)
	return func() error {
		now := couldShow(r, p)
		if slices.Equal(noted, now) {
			return nil
		}
		since := slices.DeleteFunc(slices.Clone(now), func(x projections.Restriction) bool { return slices.Contains(noted, x) })
		noted = now
		return s.noteRead(r, pattern, p, since)
	}
}

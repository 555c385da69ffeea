package web

import (
	"net/http"
	"net/url"

	"github.com/milepost-ledger/milepost/cmd/internal/api"
)

// problemPage tells what went wrong.
var problemPage = page{template: "problem", shows: problemAnswer{}}

type problemAnswer struct {
	*visit
	Problem *api.Problem
}

// tell answers a person for whom something went wrong: who is not known is asked to
// sign in, and comes back to where they wanted to go.
func (s *site) tell(w http.ResponseWriter, r *http.Request, p *api.Problem) {
	if p.Status == http.StatusUnauthorized && r.Method == http.MethodGet {
		http.Redirect(w, r, "/sign-in?next="+url.QueryEscape(r.URL.RequestURI()), http.StatusSeeOther)
		return
	}
	v := s.stranger(w, r)
	v.Title = v.Label(p.Code)
	for name, values := range p.GetHeaders() {
		w.Header()[name] = values
	}
	if err := s.render(w, p.Status, v, problemPage.template, problemAnswer{v, p}); err != nil {
		s.Logger.Error("the page of a problem cannot be shown", "error", err)
		http.Error(w, p.Detail, p.Status)
	}
}

package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/milepost-ledger/milepost/cmd/internal/api"
)

// problemPage tells what went wrong.
var problemPage = page{template: "problem", shows: problemAnswer{}}

type problemAnswer struct {
	*visit
	Problem *api.Problem
	Kept    string // what became of what was sent; "" where nothing was, or nobody knows
}

// Detail is what went wrong as a sentence.
func (a problemAnswer) Detail() string {
	text := a.Problem.Detail
	if first, size := utf8.DecodeRuneInString(text); size > 0 {
		text = string(unicode.ToUpper(first)) + text[size:]
	}
	if text != "" && !strings.ContainsAny(text[len(text)-1:], ".?!") {
		text += "."
	}
	return text
}

// unsure are the codes of problems after which something may have been recorded.
var unsure = []string{api.CodeOutcomeUnknown, api.CodeBehind, api.CodeInternal, api.CodeLogDamaged}

// kept says what became of what was sent.
func (v *visit) kept(p *api.Problem) string {
	if v.request.Method != http.MethodPost || slices.Contains(unsure, p.Code) {
		return ""
	}
	return v.Say("Nothing was recorded.")
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
	if err := s.render(w, p.Status, v, problemPage.template, problemAnswer{v, p, v.kept(p)}); err != nil {
		s.Logger.ErrorContext(r.Context(), "the page of a problem cannot be shown", "error", err)
		http.Error(w, p.Detail, p.Status)
	}
}

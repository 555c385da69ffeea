package signin

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/milepost-ledger/milepost/cmd/internal/access"
	"github.com/milepost-ledger/milepost/cmd/internal/words"
)

// Routes are the patterns that the service serves. All are for those whom nobody
// knows yet. fail writes the problems that programs get.
func (s *Service) Routes(fail Fail) map[string]http.HandlerFunc {
	routes := map[string]http.HandlerFunc{"GET /sign-in/style.css": style}
	for pattern, h := range map[string]func(http.ResponseWriter, *http.Request) error{
		"GET /account":               s.home,
		"GET /sign-in":               s.showForm,
		"POST /sign-in":              s.takeToken,
		"GET /sign-in/link":          s.showLink,
		"POST /sign-in/link":         s.takeLink,
		"POST /sign-out":             s.leave,
		"GET /sign-in/oidc":          s.beginFlow,
		"GET /sign-in/oidc/callback": s.endFlow,
	} {
		routes[pattern] = func(w http.ResponseWriter, r *http.Request) {
			if err := h(w, r); err != nil {
				s.answer(w, r, err, fail)
			}
		}
	}
	return routes
}

// home shows who is signed in, and what that one may do.
func (s *Service) home(w http.ResponseWriter, r *http.Request) error {
	p, ok := s.Principal(r)
	if token, shown := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); !ok && shown {
		p, ok = s.byToken(token)()
	}
	switch {
	case ok:
		return s.page(w, r, http.StatusOK, "home", view{Principal: p, Form: s.FormToken(w, r)})
	case !wantsPage(r):
		return refuse(http.StatusUnauthorized, CodeUnauthenticated)
	}
	http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
	return nil
}

func (s *Service) showForm(w http.ResponseWriter, r *http.Request) error {
	return s.page(w, r, http.StatusOK, "sign-in", view{Form: s.FormToken(w, r), Next: local(r.URL.Query().Get("next"))})
}

// takeToken signs in by a token. That no such token is there, that it has
// expired and that its principal has no grant are one answer.
func (s *Service) takeToken(w http.ResponseWriter, r *http.Request) error {
	form, err := s.attempt(w, r)
	if err != nil {
		return err
	}
	token := form.Get("token")
	proof := s.byToken(token)
	p, ok := proof()
	if !ok {
		return s.unknown(CodeWrongToken)
	}
	s.enter(w, r, p, proof, "token")
	http.Redirect(w, r, local(form.Get("next")), http.StatusSeeOther)
	return nil
}

// showLink says as whom a link signs in, and leaves it unused.
func (s *Service) showLink(w http.ResponseWriter, r *http.Request) error {
	code := r.URL.Query().Get("code")
	link, ok := s.links.peek(code)
	if !ok {
		return refuse(http.StatusForbidden, CodeLinkUsed)
	}
	p, ok := link.proof()
	if !ok {
		return s.unknown(CodeLinkUsed)
	}
	return s.page(w, r, http.StatusOK, "link", view{Principal: p, Code: code, Form: s.FormToken(w, r)})
}

func (s *Service) takeLink(w http.ResponseWriter, r *http.Request) error {
	form, err := s.attempt(w, r)
	if err != nil {
		return err
	}
	link, ok := s.links.use(form.Get("code"))
	if !ok {
		return refuse(http.StatusForbidden, CodeLinkUsed)
	}
	p, ok := link.proof()
	if !ok {
		return s.unknown(CodeLinkUsed)
	}
	s.enter(w, r, p, link.proof, "link")
	http.Redirect(w, r, "/", http.StatusSeeOther)
	return nil
}

// unknown is the refusal of who is not known; while nobody is, that is said
// instead.
func (s *Service) unknown(code string) error {
	if err := s.cfg.Directory.Err(); err != nil {
		return &Refusal{Status: http.StatusServiceUnavailable, Code: CodeUnavailable, Wait: time.Second, cause: err}
	}
	return refuse(http.StatusForbidden, code)
}

// attempt reads the form of an attempt to sign in, unless there were too many.
func (s *Service) attempt(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	if err := s.admit(r); err != nil {
		return nil, err
	}
	return s.form(w, r)
}

// admit counts an attempt.
func (s *Service) admit(r *http.Request) error {
	if wait := s.attempts.take(s.cfg.Address(r), s.cfg.Now()); wait > 0 {
		refused := refuse(http.StatusTooManyRequests, CodeTooManyAttempts)
		refused.Wait = wait
		return refused
	}
	return nil
}

// leave signs out.
func (s *Service) leave(w http.ResponseWriter, r *http.Request) error {
	if _, err := s.form(w, r); err != nil {
		return err
	}
	if id, ok := s.cookie(r, sessionCookie); ok {
		s.sessions.end(hashOf(id))
	}
	s.setCookie(w, r, sessionCookie, "")
	http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
	return nil
}

// view is what the templates are given.
type view struct {
	*words.Language
	Here      string // where the choice of a language comes back to
	Ledger    string
	Title     string
	Provider  string // name of the organisation's provider, "" for none
	Form      string // the form's token
	Next      string
	Code      string
	Principal *access.Principal
	Refusal   *Refusal
}

// Languages are those to choose from.
func (view) Languages() []*words.Language { return words.All }

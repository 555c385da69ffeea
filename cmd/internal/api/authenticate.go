package api

import (
	"net/http"
	"strings"

	"github.com/milepost-ledger/milepost/cmd/internal/access"
)

// Sessions knows who signed in with a browser.
type Sessions interface {
	// Principal returns who asks, false where the request has no session that
	// stands.
	Principal(r *http.Request) (*access.Principal, bool)
}

// tokenOf reads the token that a request shows in the header Authorization, where
// it may be the password of anybody; "" where there is no such header.
func tokenOf(r *http.Request) (token string, err error) {
	values := r.Header.Values("Authorization")
	if len(values) == 0 {
		return "", nil
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	if _, password, basic := r.BasicAuth(); basic { // calendars know no other way
		scheme, token = "Bearer", password
	}
	if token = strings.TrimSpace(token); len(values) > 1 || !strings.EqualFold(scheme, "Bearer") || token == "" {
		return "", unauthenticated("Authorization", "Send one token: Authorization: Bearer mp_..., or the token as the password of Basic.")
	}
	return token, nil
}

// asker finds out who asks: by the token that is shown, else by the session. A
// header that is there and wrong is not made good by a session.
func (s *server) asker(r *http.Request) (*access.Principal, error) {
	if err := s.cfg.Access.Err(); err != nil {
		return nil, err
	}
	token, err := tokenOf(r)
	if err != nil {
		return nil, err
	}
	if token != "" {
		p, err := s.cfg.Access.Token(token)
		if err == access.ErrUnknown {
			return nil, unauthenticated("Authorization", "The token is not one of this ledger's, has expired or was revoked. An administrator issues another with milepost token create.")
		}
		return p, err
	}
	if s.cfg.Sessions != nil {
		if p, ok := s.cfg.Sessions.Principal(r); ok {
			return p, nil
		}
	}
	return nil, unauthenticated("", "Sign in, or send a token: Authorization: Bearer mp_...")
}

func unauthenticated(field, detail string) *Problem {
	return newProblem(CodeUnauthenticated, field, detail)
}

// forbidden refuses what takes a right that the asker has not.
func forbidden(field string, right access.Right) *Problem {
	return newProblem(CodeForbidden, field, "This takes "+right.String()+".")
}

// admitted lets a request through to its route when the asker has the right that
// the table says, over anything at all; what is asked for decides the rest. A
// route that is not in the table is nobody's.
func (s *server) admitted(pattern string, route http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		right, ok := s.rights(pattern)
		if right.Open() {
			route(w, r)
			return
		}
		p := access.From(r.Context())
		switch {
		case !ok:
			s.cfg.Logger.ErrorContext(r.Context(), "a route is not in the table of rights, so nobody may use it", "route", pattern)
			s.fail(w, r, forbidden("", right))
		case !p.Begin(right):
			s.fail(w, r, forbidden("", right))
		default:
			if err := s.note(r, pattern, right, p); err != nil {
				s.fail(w, r, err)
				return
			}
			route(w, r)
		}
	}
}

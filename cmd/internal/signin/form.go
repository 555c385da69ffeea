package signin

import (
	"crypto/subtle"
	"net/http"
	"net/url"
	"strings"
)

// formLimit bounds the body of a form.
const formLimit = 16 << 10

// FormToken returns what a form must carry so that its POST is believed to come
// from a page of ours: the value of a cookie that only this server sets. It is
// needed before anybody is signed in, or another site could sign its visitor in
// as somebody else; the API's own check needs a browser that says where a
// request comes from.
func (s *Service) FormToken(w http.ResponseWriter, r *http.Request) string {
	if value, ok := s.cookie(r, formCookie); ok {
		return value
	}
	value := secret()
	s.setCookie(w, r, formCookie, value)
	return value
}

// form reads a form of ours.
func (s *Service) form(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	r.Body = http.MaxBytesReader(w, r.Body, formLimit)
	if err := r.ParseForm(); err != nil {
		return nil, refuse(http.StatusBadRequest, CodeInvalidForm)
	}
	if !s.Genuine(r, r.PostForm.Get("form")) {
		return nil, refuse(http.StatusForbidden, CodeForeignForm)
	}
	return r.PostForm, nil
}

// Genuine reports whether a form that carries token comes from a page of ours.
func (s *Service) Genuine(r *http.Request, token string) bool {
	want, ok := s.cookie(r, formCookie)
	return s.origin.Check(r) == nil && ok && subtle.ConstantTimeCompare([]byte(token), []byte(want)) == 1
}

// local returns where to go after sign-in: the path if it is one of this server,
// else the first page.
func local(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.IsAbs() || u.Host != "" || u.User != nil || u.Opaque != "" ||
		!strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.HasPrefix(next, "/sign-") ||
		strings.ContainsFunc(next, func(c rune) bool { return c <= ' ' || c == '\\' || c == 0x7f }) {
		return "/"
	}
	return next
}

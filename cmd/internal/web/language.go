package web

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/milepost-ledger/milepost/cmd/internal/api"
	"github.com/milepost-ledger/milepost/cmd/internal/words"
)

// setLanguage keeps a choice for a year.
func (s *site) setLanguage(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, 16<<10)
	if err := r.ParseForm(); err != nil {
		return api.InvalidParameter("language", "The form could not be read. Go back and send it again.")
	}
	http.SetCookie(w, &http.Cookie{
		Name: words.Cookie, Value: words.For(r.PostForm.Get("language"), "").Code, Path: "/", MaxAge: 365 * 24 * 3600,
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: s.SignIn != nil && s.SignIn.Secure(r),
	})
	http.Redirect(w, r, local(r.PostForm.Get("next")), http.StatusSeeOther)
	return nil
}

// local is an address of this server, or else the first page.
func local(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\r\n\t") {
		return "/"
	}
	return next
}

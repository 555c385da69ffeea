package web

import (
	"bytes"
	"net/http"
)

// policy lets a page have its own styles, script and pictures, talk to this server,
// and nothing else: nothing that is inline runs, and nothing of another host.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// render writes a page when all of it is there.
func (s *site) render(w http.ResponseWriter, status int, v *visit, name string, data any) error {
	var b bytes.Buffer
	if err := templates()[name].ExecuteTemplate(&b, "base.html", data); err != nil {
		return err
	}
	if v.failed != nil {
		return v.failed
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", v.Language.Code)
	h.Set("Content-Security-Policy", policy)
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Vary", "Accept-Language, Cookie")
	write(w, v.request, status, b.Bytes(), nil)
	return nil
}

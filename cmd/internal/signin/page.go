package signin

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"

	"github.com/milepost-ledger/milepost/cmd/internal/words"
)

//go:embed pages.html
var pagesHTML string

//go:embed style.css
var styleCSS []byte

var pages = template.Must(template.New("pages").Parse(pagesHTML))

// policy lets a page show itself and send its forms here, and nothing else.
const policy = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// page answers with a page in the language that was chosen, or that the browser asks
// for.
func (s *Service) page(w http.ResponseWriter, r *http.Request, status int, name string, v view) error {
	v.Language, v.Ledger, v.Here = words.FromRequest(r), s.cfg.Ledger, "/sign-in"
	v.Title = v.Say(titles[name])
	if r.Method == http.MethodGet && v.Refusal == nil {
		v.Here = r.URL.RequestURI()
	}
	if s.cfg.Provider != nil {
		v.Provider = s.cfg.Provider.name()
	}
	var b bytes.Buffer
	if err := pages.ExecuteTemplate(&b, name, v); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", v.Language.Code)
	h.Set("Content-Security-Policy", policy)
	h.Set("Referrer-Policy", "no-referrer") // the address of a link is a secret
	h.Set("Cache-Control", "no-store")
	h.Set("Vary", "Accept-Language, Cookie")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // a browser that is gone sees nothing
	return nil
}

func style(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Header().Set("Cache-Control", "max-age=3600")
	_, _ = w.Write(styleCSS) // a browser that is gone sees nothing
}

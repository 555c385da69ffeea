package web

import (
	"cmp"
	"context"
	"html/template"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/milepost-ledger/milepost/cmd/internal/api"
)

// SignIn vouches for forms: that they come from a page of this server.
type SignIn interface {
	// FormToken is what a form must carry; it is bound to the browser by a cookie.
	FormToken(w http.ResponseWriter, r *http.Request) string
	// Genuine reports whether token is that of the browser that asks.
	Genuine(r *http.Request, token string) bool
	// Secure reports whether the browser came by TLS.
	Secure(r *http.Request) bool
}

// Config is what the pages need beside the API.
type Config struct {
	Ledger   string         // its name
	Location *time.Location // its time zone; nil is UTC
	SignIn   SignIn
	Logger   *slog.Logger // nil discards
}

// site is the pages of one server.
type site struct {
	Config
	api *api.API
}

// page is one of them: its pattern, the name of its template, and what asks the
// question. The answer embeds the visit.
type page struct {
	pattern  string
	template string
	shows    any // an empty answer, for checking the template
	load     func(*site, context.Context, *visit) (any, error)
}

// Serve adds the pages to what the API serves.
func Serve(a *api.API, cfg Config) {
	if cfg.Location == nil {
		cfg.Location = time.UTC
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	s := &site{Config: cfg, api: a}
	templates() // or the first visitor waits for them
	assets()
	a.ForPeople(s.tell)
	for _, p := range pages() {
		a.Page(p.pattern, func(w http.ResponseWriter, r *http.Request) error { return s.show(w, r, p) })
	}
	a.Page("GET /assets/{file}", s.asset)
	a.Page("POST /language", s.setLanguage)
}

// pages lists the pages, in the order in which the site leads to them.
func pages() []page {
	return []page{
		overview, awaitingPage, changesPage, partyPage,
		agreementPage, amendmentPage, projectsPage, projectPage, milestonePage,
		resultsPage, indicatorPage, fundsPage, fundPage, meetingsPage, meetingPage,
		doPage, commandPage, givePage,
		auditPage, eventPage, replayPage,
		accessPage, principalPage, connectionsPage, secretPage,
	}
}

// of gives load functions their page's own type.
func of[T any](load func(*site, context.Context, *visit) (T, error)) func(*site, context.Context, *visit) (any, error) {
	return func(s *site, ctx context.Context, v *visit) (any, error) { return load(s, ctx, v) }
}

// show answers with a page.
func (s *site) show(w http.ResponseWriter, r *http.Request, p page) error {
	if to := r.URL.Query().Get(toEvent); to != "" {
		http.Redirect(w, r, stepped(r.URL, to), http.StatusSeeOther)
		return nil
	}
	v, err := s.visit(w, r)
	if err != nil {
		return err
	}
	answer, err := p.load(s, r.Context(), v)
	switch {
	case err != nil && v.stepping() && notThere(err):
		return s.notThereThen(r.Context(), v, err)
	case err != nil:
		return err
	}
	if err := v.loadStep(r.Context()); err != nil {
		return err
	}
	if v.goTo != "" {
		http.Redirect(w, r, v.goTo, http.StatusSeeOther)
		return nil
	}
	return s.render(w, cmp.Or(v.status, http.StatusOK), v, p.template, answer)
}

// templates are those of the pages. A verb that shows none does without.
var templates = sync.OnceValue(parse)

// parse makes a template of each page, with what all of them have.
func parse() map[string]*template.Template {
	base := template.Must(template.New("base.html").ParseFS(files, "pages/base.html", "pages/parts*.html"))
	all := map[string]*template.Template{}
	for _, p := range append(pages(), problemPage) {
		all[p.template] = template.Must(template.Must(base.Clone()).ParseFS(files, "pages/"+p.template+".html"))
	}
	return all
}

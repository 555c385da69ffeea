package web

import (
	"html/template"
	"net/http"
	"net/url"
	"strings"

	"github.com/milepost-ledger/milepost/cmd/internal/access"
	"github.com/milepost-ledger/milepost/cmd/internal/api"
	"github.com/milepost-ledger/milepost/cmd/internal/words"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/projections"
)

// visit is one request for a page: who asks, in which language, as of when. Each
// answer embeds it, and templates call its methods.
type visit struct {
	*words.Language
	Principal *access.Principal
	Form      string // what forms must carry

	Title     string  // of the page, in the language
	Crumbs    []crumb // the way to it
	Section   string  // of the navigation
	Agreement domain.Key

	// The point that the page is as of, and how it was asked for.
	At                projections.Point
	AsOf, EffectiveAt string
	Since             string // from which on changes are marked; "" for not at all
	AtStep            *step  // where the page is in history, on pages that are as of an event

	Done                          string // what was recorded by the form before, for a line at the top
	StyleSheet, Script, Icon, URI string

	status int    // of the answer; 0 is that all is well
	goTo   string // where the browser is to go instead of being answered
	still  bool   // the page does not follow the ledger
	failed error  // the first failure that nobody could hand on

	models *projections.Models // of what the asker sees
	titles titles
	marks  marks

	site    *site
	request *http.Request
	writer  http.ResponseWriter
}

// crumb is a page on the way to this one.
type crumb struct{ Title, Path string }

// visit finds out who asks for what.
func (s *site) visit(w http.ResponseWriter, r *http.Request) (*visit, error) {
	v := s.stranger(w, r)
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil { // what does not read would be left out, and the page be of something else
		return nil, api.InvalidParameter("query", "The address does not read: "+err.Error()+".")
	}
	v.AsOf = strings.ReplaceAll(query.Get("as_of"), " ", "+") // no point is written with a space
	v.EffectiveAt, v.Since = query.Get("effective_at"), strings.ReplaceAll(query.Get("since"), " ", "+")
	v.Agreement = domain.Key(r.PathValue("agreement"))
	if v.Agreement == "" {
		v.EffectiveAt = "" // it is of one agreement
	}
	minSeq, err := minSeq(query.Get("min_seq"))
	if err != nil {
		return nil, err
	}
	ctx := r.Context()
	if v.models, err = s.api.Seen(ctx, minSeq, projections.AsOf(v.AsOf), projections.AsOf(v.Since)); err != nil {
		return nil, err
	}
	page := projections.Page{Cursor: query.Get("cursor")}
	if v.At, err = v.models.ResolveEffective(ctx, projections.AsOf(v.AsOf), v.Agreement, v.EffectiveAt, page); err != nil {
		return nil, err
	}
	if v.Done, err = v.doneBefore(ctx, query.Get("done")); err != nil {
		return nil, err
	}
	return v, v.resolveMarks(ctx)
}

// stranger is a visit of whom nothing need be known.
func (s *site) stranger(w http.ResponseWriter, r *http.Request) *visit {
	v := &visit{
		Language: words.FromRequest(r), Principal: access.From(r.Context()), site: s, request: r, writer: w,
		StyleSheet: assets().style.address(), Script: assets().script.address(), Icon: assets().icon.address(), URI: pageAgain(r),
	}
	if s.SignIn != nil {
		v.Form = s.SignIn.FormToken(w, r)
	}
	return v
}

// pageAgain is where the page can be asked for again: after the answer to a form, its
// address where that is a page as well, else the first page.
func pageAgain(r *http.Request) string {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return r.URL.RequestURI()
	}
	if _, path, _ := strings.Cut(r.Pattern, " "); access.IsPage("GET " + path) {
		return r.URL.Path
	}
	return "/"
}

// Ledger is the name of the ledger.
func (v *visit) Ledger() string { return v.site.Config.Ledger }

// Languages are those to choose from.
func (v *visit) Languages() []*words.Language { return words.All }

// Now reports whether the page is of the present.
func (v *visit) Now() bool { return v.AsOf == "" && v.EffectiveAt == "" }

// Live is where the page hears that the ledger moves; "" where it is of the past.
func (v *visit) Live() string {
	if v.models == nil || !v.Now() || v.still {
		return ""
	}
	query := url.Values{"after": {uintText(v.At.Seq)}}
	if v.Agreement != "" {
		query.Set("agreement", string(v.Agreement))
	}
	return "/v1/events?" + query.Encode()
}

// Link is the address of another page, as of the same point.
func (v *visit) Link(path string) string { return v.link(path, nil) }

// LinkWith is Link with one more parameter.
func (v *visit) LinkWith(path, name, value string) string {
	return v.link(path, url.Values{name: {value}})
}

func (v *visit) link(path string, more url.Values) string {
	query := url.Values{}
	for name, value := range map[string]string{"as_of": v.AsOf, "effective_at": v.EffectiveAt, "since": v.Since} {
		if value != "" && (name != "effective_at" || strings.HasPrefix(path, "/agreements/")) {
			query.Set(name, value)
		}
	}
	for name, values := range more {
		query[name] = values
	}
	if len(query) == 0 {
		return path
	}
	return path + "?" + query.Encode()
}

// Here is the address of this page with a parameter set, or with "" left out.
func (v *visit) Here(name, value string) string {
	query := v.request.URL.Query()
	query.Del("min_seq")
	query.Del("cursor")
	query.Del("done")
	query.Set(name, value)
	if value == "" {
		query.Del(name)
	}
	if len(query) == 0 {
		return v.request.URL.Path
	}
	return v.request.URL.Path + "?" + query.Encode()
}

// Others are the parameters of this page but for the named ones, for forms that set
// those.
func (v *visit) Others(names ...string) []parameter {
	query := v.request.URL.Query()
	for _, name := range append(names, "min_seq", "cursor", "done") {
		query.Del(name)
	}
	var others []parameter
	for name := range query {
		others = append(others, parameter{name, query.Get(name)})
	}
	return sorted(others)
}

// Text shows a text in the language of the page, or in another that is then said.
func (v *visit) Text(t domain.Text) template.HTML {
	text, tag := v.Language.Text(t)
	if tag == v.Language.Code {
		return escaped(text)
	}
	return template.HTML(`<span lang="` + template.HTMLEscapeString(tag) + `">` + template.HTMLEscapeString(text) + `</span>`)
}

// Plain is a text for where no markup can be.
func (v *visit) Plain(t domain.Text) string {
	text, _ := v.Language.Text(t)
	return text
}

// page is the part of a list that is asked for.
func (v *visit) page() projections.Page {
	return projections.Page{Cursor: v.request.URL.Query().Get("cursor")}
}

// fail keeps the first failure of what templates ask for, and of other places that have
// no error to hand on. [site.render] shows no page after it: what could not be read must
// not look as if it were not there.
func (v *visit) fail(err error) {
	if v.failed == nil {
		v.failed = err
	}
}

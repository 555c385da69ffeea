package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"path"
	"reflect"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/negotiation"

	"github.com/milepost-ledger/milepost/cmd/internal/sheet"
	"github.com/milepost-ledger/milepost/projections"
)

// Every list can be had as a table: as CSV or as a workbook, by ?format= or by
// the header Accept, of which the first wins. Package sheet says how.

// forms are the forms of a list and how each is asked for.
var forms = map[string]string{"json": mediaJSON, "csv": sheet.MediaCSV, "xlsx": sheet.MediaXLSX}

// listing is a page of a list, whatever it is a list of.
type listing struct {
	body  any               // as JSON
	items any               // the slice of those in body
	next  string            // cursor of what follows, "" at the end
	at    projections.Point // that it is as of
}

// listAnswer is a listing in one of its forms.
type listAnswer struct {
	ContentType string `header:"Content-Type" hidden:"true"`
	Disposition string `header:"Content-Disposition" doc:"The name of the file, where it is one."`
	Link        string `header:"Link" doc:"The address of what follows, rel=next; absent at the end."`
	AsOfHeaders
	Body any
}

// getListing serves a list of T, which is B as JSON.
func getListing[I interface{ page() projections.Page }, B, T any](s *server, op huma.Operation, read func(context.Context, *I) (listing, error)) {
	schema := s.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[B](), true, "")
	binary := &huma.Schema{Type: huma.TypeString, Format: "binary"}
	op.Responses = map[string]*huma.Response{"200": {
		Description: "A page of the list. As a table, each item is a row, and the next page is in the header Link alone.",
		Content: map[string]*huma.MediaType{
			mediaJSON:       {Schema: schema},
			sheet.MediaCSV:  {Schema: &huma.Schema{Type: huma.TypeString, Description: "Columns are the members of the items, title.en for a member of a member; a list is joined by semicolons. A text that begins with =, +, -, @, a tab or a line break has an apostrophe before it."}},
			sheet.MediaXLSX: {Schema: binary},
		},
	}}
	op.Middlewares = append(op.Middlewares, rememberRequest)
	first := memberNames[T]()
	get(s, op, func(ctx context.Context, in *I) (*listAnswer, error) {
		l, err := read(ctx, in)
		if err != nil {
			return nil, err
		}
		return l.answer(ctx, s.cfg.Name, first)
	})
}

// requested is what a list needs of its request to choose its form and to name
// the page after it.
type requested struct {
	url    url.URL
	accept string
}

type requestedKey struct{}

func rememberRequest(ctx huma.Context, next func(huma.Context)) {
	next(huma.WithValue(ctx, requestedKey{}, requested{ctx.URL(), ctx.Header("Accept")}))
}

// form is the one that was asked for, json when none was.
func (r requested) form() string {
	if f := r.url.Query().Get("format"); f != "" {
		return f // an unknown one was refused
	}
	media := negotiation.SelectQValue(r.accept, []string{mediaJSON, sheet.MediaCSV, sheet.MediaXLSX})
	for name, m := range forms {
		if m == media {
			return name
		}
	}
	return "json"
}

// answer writes the list in the form that was asked for.
func (l listing) answer(ctx context.Context, ledger string, first []string) (*listAnswer, error) {
	r, _ := ctx.Value(requestedKey{}).(requested)
	a := &listAnswer{AsOfHeaders: asOfHeaders(l.at), Body: l.body}
	if l.next != "" {
		q := r.url.Query()
		q.Set("cursor", l.next)
		a.Link = fmt.Sprintf(`<%s?%s>; rel="next"`, r.url.EscapedPath(), q.Encode())
	}
	form := r.form()
	if form == "json" {
		return a, nil
	}
	grid, err := gridOf(first, l.items)
	if err != nil {
		return nil, err
	}
	name := path.Base(r.url.Path)
	var b bytes.Buffer
	a.ContentType = forms[form]
	if form == "csv" {
		a.ContentType += "; charset=utf-8; header=present"
		err = grid.WriteCSV(&b)
	} else {
		err = grid.WriteXLSX(&b, name, l.facts(ledger, r.url, a)...)
	}
	a.Disposition = fmt.Sprintf(`attachment; filename="%s.%s"`, name, form)
	a.Body = b.Bytes()
	return a, err
}

// facts are what a workbook says of itself, since it may be looked at for years.
func (l listing) facts(ledger string, u url.URL, a *listAnswer) []sheet.Fact {
	facts := []sheet.Fact{
		{Name: "ledger", Value: ledger}, {Name: "question", Value: u.RequestURI()},
		{Name: "as of sequence", Value: strconv.FormatUint(a.Seq, 10)}, {Name: "as of", Value: a.At},
	}
	if a.Effective != "" {
		facts = append(facts, sheet.Fact{Name: "effective by", Value: a.Effective})
	}
	rest := "none: this is the end of the list"
	if l.next != "" {
		rest = "more follows: ask with cursor=" + l.next
	}
	return append(facts, sheet.Fact{Name: "rest", Value: rest})
}

func gridOf(first []string, items any) (sheet.Grid, error) {
	raw, err := json.Marshal(items)
	if err != nil {
		return sheet.Grid{}, err
	}
	var objects []json.RawMessage
	if err := json.Unmarshal(raw, &objects); err != nil {
		return sheet.Grid{}, err
	}
	return sheet.FromJSON(first, objects)
}

// memberNames are the members of T in JSON, so that an empty list has its
// columns too.
func memberNames[T any]() []string {
	var names []string
	for _, f := range reflect.VisibleFields(reflect.TypeFor[T]()) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name != "" && name != "-" {
			names = append(names, name)
		}
	}
	return names
}

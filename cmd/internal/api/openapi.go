package api

import (
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
)

// openAPI is the document's head. Nothing in it is fetched from elsewhere, and
// there is no page that would.
func openAPI(cfg Config) huma.Config {
	return huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title: "Milepost ledger " + cfg.Name, Version: cfg.Version,
				Description: "A ledger of agreements and projects: commands go in, and every answer can be had as of any instant. " +
					"Errors are problems by RFC 9457 with a stable code.",
			},
			Components: &huma.Components{Schemas: registry()},
		},
		Formats: huma.DefaultFormats, DefaultFormat: "application/json",
	}
}

// document serves the OpenAPI document.
func (s *server) document() {
	doc := sync.OnceValues(func() ([]byte, error) { return json.Marshal(s.api.OpenAPI()) }) // all routes are in it by then
	s.handle(huma.Operation{
		OperationID: "openapi", Method: http.MethodGet, Path: "/openapi.json", Tags: []string{"operations"},
		Summary:   "This document: every route, as OpenAPI 3.1.",
		Responses: map[string]*huma.Response{"200": answer("The document.", &huma.Schema{Type: huma.TypeObject})},
	}, func(w http.ResponseWriter, _ *http.Request) error {
		raw, err := doc()
		if err != nil {
			return err
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(raw) // a client that is gone hears nothing
		return nil
	})
}

// addErrors documents the problems that an operation answers.
func (s *server) addErrors(op *huma.Operation) {
	schema := s.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Problem](), true, "Problem")
	if op.Responses == nil {
		op.Responses = map[string]*huma.Response{}
	}
	for _, status := range op.Errors {
		var codes []string
		for code, s := range statuses {
			if s == status {
				codes = append(codes, code)
			}
		}
		slices.Sort(codes)
		doc := http.StatusText(status)
		if len(codes) > 0 {
			doc += ". Codes: " + strings.Join(codes, ", ") + "."
		}
		op.Responses[strconv.Itoa(status)] = &huma.Response{
			Description: doc, Content: map[string]*huma.MediaType{problemType: {Schema: schema}},
		}
	}
}

// answer documents a successful answer with its headers.
func answer(doc string, schema *huma.Schema, headers ...string) *huma.Response {
	r := &huma.Response{Description: doc, Content: map[string]*huma.MediaType{"application/json": {Schema: schema}}}
	for _, h := range headers {
		if r.Headers == nil {
			r.Headers = map[string]*huma.Param{}
		}
		r.Headers[h] = &huma.Param{Schema: &huma.Schema{Type: huma.TypeString}}
	}
	return r
}

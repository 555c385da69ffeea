package api

import (
	"encoding/json"
	"net/http"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/milepost-ledger/milepost/cmd/internal/schema"
	"github.com/milepost-ledger/milepost/projections"
)

// Schemas lists the schemas of events, for those who read events.
type Schemas struct {
	AsOf     projections.Point `json:"as_of" doc:"Now: the schemas are those of the program."`
	Items    []schema.TypeDoc  `json:"items"`
	Next     string            `json:"next" doc:"Empty: this is all."`
	Envelope string            `json:"envelope" doc:"Address of the schema of what all events share."`
	AsyncAPI string            `json:"asyncapi" doc:"Address of the AsyncAPI document: the ways by which events are read."`
}

// schemas serves the forms of events, which are those of the program: every
// ledger has the same.
func (s *server) schemas() {
	doc := Schemas{Items: schema.Index(), Envelope: schema.Address(schema.EnvelopeName), AsyncAPI: "/asyncapi.json"}
	s.handle(huma.Operation{
		OperationID: "list-schemas", Method: http.MethodGet, Path: "/v1/schemas", Tags: []string{"schemas"},
		Summary:   "Every event type, with the address of its JSON Schema.",
		Responses: map[string]*huma.Response{"200": answer("The event types.", s.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Schemas](), true, "Schemas"))},
		Errors:    []int{400, 403, 500, 503},
	}, func(w http.ResponseWriter, r *http.Request) error {
		at, err := s.cfg.Models.Resolve(r.Context(), "")
		if err != nil {
			return err
		}
		answer := doc
		answer.AsOf = at
		writeJSON(w, http.StatusOK, answer)
		return nil
	})
	s.handle(huma.Operation{
		OperationID: "get-schema", Method: http.MethodGet, Path: "/v1/schemas/{type}", Tags: []string{"schemas"},
		Summary: "The JSON Schema of an event type: of the whole CloudEvent.",
		Parameters: []*huma.Param{{Name: "type", In: "path", Required: true, Description: "An event type; or " + schema.EnvelopeName + ", for what all events share.",
			Schema: &huma.Schema{Type: huma.TypeString}, Example: "milepost.project.milestone-reforecast.v1"}},
		Responses: map[string]*huma.Response{"200": {Description: "The schema, of JSON Schema 2020-12. It refers to nothing outside itself.",
			Content: map[string]*huma.MediaType{schema.MediaType: {Schema: &huma.Schema{Type: huma.TypeObject}}}}},
		Errors: []int{400, 403, 404, 500},
	}, func(w http.ResponseWriter, r *http.Request) error {
		found, err := schema.Named(r.PathValue("type"))
		if err != nil {
			return err
		}
		return writeDocument(w, schema.MediaType, found)
	})
	s.handle(huma.Operation{
		OperationID: "asyncapi", Method: http.MethodGet, Path: "/asyncapi.json", Tags: []string{"schemas"},
		Summary:   "The ways by which events are read, as AsyncAPI 3.0: NATS, server-sent events and webhooks.",
		Responses: map[string]*huma.Response{"200": answer("The document.", &huma.Schema{Type: huma.TypeObject})},
		Errors:    []int{400, 403, 500},
	}, func(w http.ResponseWriter, r *http.Request) error {
		return writeDocument(w, "application/json", schema.AsyncAPI(schema.Source{
			Ledger: s.cfg.Name, Version: s.cfg.Version, Address: r.Host, TLS: r.TLS != nil, NATS: s.natsHost(),
		}))
	})
}

// natsHost is where subscribers connect to the embedded server, "" where none
// do. An external one may go by other names than those that this server uses.
func (s *server) natsHost() string {
	if !s.cfg.Store.Embedded() {
		return ""
	}
	_, host, _ := strings.Cut(s.cfg.Store.Address(), "://")
	return host
}

func writeDocument(w http.ResponseWriter, media string, doc any) error {
	raw, err := schema.Encode(doc)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", media)
	_, _ = w.Write(raw) // a client that is gone hears nothing
	return nil
}

// storedEvent is an event as it is in the log.
type storedEvent struct{ json.RawMessage }

// Schema names the envelope: what else an event has, its type's schema says.
func (storedEvent) Schema(r huma.Registry) *huma.Schema {
	if _, ok := r.Map()["CloudEvent"]; !ok {
		envelope := humaSchema(schema.Envelope())
		envelope.Title = "CloudEvent"
		envelope.Description += " GET /v1/schemas/<type> has the schema of each type."
		r.Map()["CloudEvent"] = envelope
	}
	return &huma.Schema{Ref: "#/components/schemas/CloudEvent"}
}

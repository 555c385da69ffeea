package api

import (
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/catalogue"
	"github.com/milepost-ledger/milepost/projections"
)

// Catalogue lists every command, for those who make forms or flags of them.
type Catalogue struct {
	AsOf   projections.Point `json:"as_of" doc:"Now: the catalogue is that of the program."`
	Items  []CommandDoc      `json:"items"`
	Next   string            `json:"next" doc:"Empty: this is all."`
	Common []FieldDoc        `json:"common_fields" doc:"Fields that every command may carry."`
}

// CommandDoc is the declaration of one command.
type CommandDoc struct {
	Command   string     `json:"command" doc:"Its name, as in POST /v1/commands/<name>."`
	Doc       string     `json:"doc"`
	Aggregate string     `json:"aggregate" doc:"Kind of the aggregate that it is asked of."`
	Fields    []FieldDoc `json:"fields" doc:"Its own fields."`
}

// FieldDoc is the declaration of one field; see domain.Field.
type FieldDoc struct {
	Name     string     `json:"name,omitempty"`
	Doc      string     `json:"doc,omitempty"`
	Type     string     `json:"type" enum:"string,integer,boolean,array,object,text,command" doc:"As in JSON; text is a string, or an object of texts by language; command is a command as in a line of an import."`
	Format   string     `json:"format,omitempty"`
	Pattern  string     `json:"pattern,omitempty"`
	Enum     []string   `json:"enum,omitempty"`
	Required bool       `json:"required"`
	Min      *int       `json:"min,omitempty" doc:"Least value, length in characters or number of entries."`
	Max      *int       `json:"max,omitempty" doc:"Greatest value, length in characters or number of entries."`
	Example  any        `json:"example,omitempty"`
	Items    *FieldDoc  `json:"items,omitempty" doc:"What an array has."`
	Fields   []FieldDoc `json:"fields,omitempty" doc:"What an object has."`
}

func (s *server) catalogue() {
	doc := Catalogue{Common: fieldDocs(domain.MetaFields())}
	for _, a := range catalogue.Aggregates {
		for _, c := range a.Commands {
			doc.Items = append(doc.Items, CommandDoc{c.Name, c.Doc, a.Kind, fieldDocs(c.Fields)})
		}
	}
	schema := s.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Catalogue](), true, "Catalogue")
	s.handle(huma.Operation{
		OperationID: "list-commands", Method: http.MethodGet, Path: "/v1/commands", Tags: []string{"commands"},
		Summary:   "Every command with its fields.",
		Responses: map[string]*huma.Response{"200": answer("The catalogue.", schema)},
		Errors:    []int{400, 403, 500},
	}, func(w http.ResponseWriter, r *http.Request) error {
		at, err := s.cfg.Models.Resolve(r.Context(), "") // which says no more than how far the log goes
		if err != nil {
			return err
		}
		answer := doc
		answer.AsOf = at
		writeJSON(w, http.StatusOK, answer)
		return nil
	})
}

func fieldDocs(fields []domain.Field) []FieldDoc {
	docs := make([]FieldDoc, len(fields))
	for i, f := range fields {
		docs[i] = fieldDoc(f)
	}
	return docs
}

func fieldDoc(f domain.Field) FieldDoc {
	d := FieldDoc{
		Name: f.Name, Doc: f.Doc, Type: f.Type, Format: f.Format, Pattern: f.Pattern, Enum: f.Enum, Required: f.Required,
		Min: f.Min, Max: f.Max, Example: f.Example,
	}
	if f.Items != nil {
		items := fieldDoc(*f.Items)
		d.Items = &items
	}
	if f.Type == "object" {
		d.Fields = fieldDocs(f.Fields)
	}
	return d
}

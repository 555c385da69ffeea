package api

import (
	"reflect"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/projections"
)

// commandSchema is the JSON Schema of a command's body: the fields that the
// catalogue declares, those that every command may carry, and no others.
func commandSchema(c domain.CommandType) *huma.Schema {
	s := objectSchema(slices.Concat(c.Fields, domain.MetaFields()))
	s.Title, s.Description = c.Name, c.Doc
	return s
}

func objectSchema(fields []domain.Field) *huma.Schema {
	s := &huma.Schema{Type: huma.TypeObject, Properties: map[string]*huma.Schema{}, AdditionalProperties: false}
	for _, f := range fields {
		s.Properties[f.Name] = fieldSchema(f)
		if f.Required {
			s.Required = append(s.Required, f.Name)
		}
	}
	return s
}

// fieldSchema says in JSON Schema what a field declares.
func fieldSchema(f domain.Field) *huma.Schema {
	s := &huma.Schema{Type: f.Type, Description: f.Doc, Format: f.Format, Pattern: f.Pattern}
	for _, v := range f.Enum {
		s.Enum = append(s.Enum, v)
	}
	if f.Example != nil {
		s.Examples = []any{f.Example}
	}
	switch f.Type {
	case "text":
		return textSchema(s)
	case "string":
		s.MaxLength = f.Max
		if s.MinLength = f.Min; s.MinLength == nil && f.Required {
			one := 1 // an empty text counts as absent
			s.MinLength = &one
		}
	case "integer":
		s.Minimum, s.Maximum = float(f.Min), float(f.Max)
	case "array":
		items := fieldSchema(*f.Items)
		s.Items, s.MinItems, s.MaxItems = items, f.Min, f.Max
		if s.MinItems == nil && f.Required {
			one := 1
			s.MinItems = &one
		}
	case "command":
		s.Type, s.Required = huma.TypeObject, []string{"command"}
		s.Properties = map[string]*huma.Schema{"command": {Type: huma.TypeString, Description: "Name of the command; its fields stand beside it."}}
		s.AdditionalProperties = true
	case "object":
		o := objectSchema(f.Fields)
		s.Properties, s.Required, s.AdditionalProperties = o.Properties, o.Required, false
	}
	return s
}

// textSchema: a plain string is English, an object says it by language.
func textSchema(s *huma.Schema) *huma.Schema {
	one := 1
	plain := &huma.Schema{Type: huma.TypeString, MinLength: &one}
	s.Type = ""
	s.OneOf = []*huma.Schema{plain, {Type: huma.TypeObject, MinProperties: &one, AdditionalProperties: plain}}
	return s
}

func float(n *int) *float64 {
	if n == nil {
		return nil
	}
	v := float64(*n)
	return &v
}

// registry collects the schemas of answers. The domain's values know how to
// write themselves as JSON; here is what they write.
func registry() huma.Registry {
	r := huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)
	r.RegisterTypeAlias(reflect.TypeFor[domain.Date](), reflect.TypeFor[dateAnswer]())
	r.RegisterTypeAlias(reflect.TypeFor[projections.Point](), reflect.TypeFor[Point]())
	r.RegisterTypeAlias(reflect.TypeFor[domain.Text](), reflect.TypeFor[textAnswer]())
	r.RegisterTypeAlias(reflect.TypeFor[projections.Percent](), reflect.TypeFor[percentAnswer]())
	r.RegisterTypeAlias(reflect.TypeFor[domain.Decimal](), reflect.TypeFor[decimalAnswer]())
	r.RegisterTypeAlias(reflect.TypeFor[domain.Clause](), reflect.TypeFor[clauseAnswer]())
	return r
}

// Point is projections.Point as it is in JSON.
type Point struct {
	Seq uint64     `json:"seq" doc:"Everything up to and with this event is known."`
	At  *time.Time `json:"at" doc:"Ledger time of the event; null before the first."`

	EffectiveAt string `json:"effective_at,omitempty" format:"date" doc:"Of that, what is effective by this date; absent where effective_at was not asked for."`
}

type (
	dateAnswer    struct{}
	textAnswer    struct{}
	percentAnswer struct{}
	decimalAnswer struct{}
	clauseAnswer  struct{}
)

func (dateAnswer) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Nullable: true, Format: "date", Description: "A civil date; null for none."}
}

func (textAnswer) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: &huma.Schema{Type: huma.TypeString},
		Description: "A text by language tag.", Examples: []any{map[string]any{"en": "IoT base", "zh": "物联网基地"}}}
}

func (decimalAnswer) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Description: "An exact decimal number; empty for none.", Examples: []any{"1250000.5"}}
}

func (clauseAnswer) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, Required: []string{"command"}, AdditionalProperties: true,
		Properties:  map[string]*huma.Schema{"command": {Type: huma.TypeString, Description: "Name of the command; its fields stand beside it."}},
		Description: "A command that is carried out when the amendment takes effect."}
}

func (percentAnswer) Schema(huma.Registry) *huma.Schema {
	zero, hundred := 0.0, 100.0
	return &huma.Schema{Type: huma.TypeNumber, Nullable: true, Minimum: &zero, Maximum: &hundred, Description: "Percent with at most two decimals; null where there is no weight."}
}

package api

import (
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/milepost-ledger/milepost/cmd/internal/schema"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/projections"
)

// humaSchema is a schema in the OpenAPI library's terms.
func humaSchema(s *schema.Schema) *huma.Schema {
	if s == nil {
		return nil
	}
	h := &huma.Schema{
		Type: s.Type, Title: s.Title, Description: s.Description, Format: s.Format, Pattern: s.Pattern, Examples: s.Examples,
		Minimum: float(s.Minimum), Maximum: float(s.Maximum), MinLength: s.MinLength, MaxLength: s.MaxLength,
		MinItems: s.MinItems, MaxItems: s.MaxItems, MinProperties: s.MinProperties,
		Items: humaSchema(s.Items), Required: s.Required, AdditionalProperties: s.AdditionalProperties,
		OneOf: humaSchemas(s.OneOf), AnyOf: humaSchemas(s.AnyOf), AllOf: humaSchemas(s.AllOf),
	}
	if of, ok := s.AdditionalProperties.(*schema.Schema); ok {
		h.AdditionalProperties = humaSchema(of)
	}
	if s.Const != "" {
		h.Enum = []any{s.Const}
	}
	for _, v := range s.Enum {
		h.Enum = append(h.Enum, v)
	}
	for name, property := range s.Properties {
		if h.Properties == nil {
			h.Properties = map[string]*huma.Schema{}
		}
		h.Properties[name] = humaSchema(property)
	}
	return h
}

func humaSchemas(all []*schema.Schema) (to []*huma.Schema) {
	for _, s := range all {
		to = append(to, humaSchema(s))
	}
	return to
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

package schema

// Dialect is the dialect of JSON Schema that the schemas are in.
const Dialect = "https://json-schema.org/draft/2020-12/schema"

// MediaType is what a schema is served as.
const MediaType = "application/schema+json"

// Schema is a JSON Schema, as far as this program writes any.
type Schema struct {
	Dialect     string   `json:"$schema,omitempty"`
	ID          string   `json:"$id,omitempty"`
	Ref         string   `json:"$ref,omitempty"`
	Title       string   `json:"title,omitempty"`
	Description string   `json:"description,omitempty"`
	Type        string   `json:"type,omitempty"`
	Const       string   `json:"const,omitempty"`
	Enum        []string `json:"enum,omitempty"`
	Format      string   `json:"format,omitempty"`
	Pattern     string   `json:"pattern,omitempty"`
	Examples    []any    `json:"examples,omitempty"`

	Minimum       *int `json:"minimum,omitempty"`
	Maximum       *int `json:"maximum,omitempty"`
	MinLength     *int `json:"minLength,omitempty"`
	MaxLength     *int `json:"maxLength,omitempty"`
	MinItems      *int `json:"minItems,omitempty"`
	MaxItems      *int `json:"maxItems,omitempty"`
	MinProperties *int `json:"minProperties,omitempty"`

	Items                *Schema            `json:"items,omitempty"`
	Properties           map[string]*Schema `json:"properties,omitempty"`
	Required             []string           `json:"required,omitempty"`
	AdditionalProperties any                `json:"additionalProperties,omitempty"` // a bool or a *Schema
	OneOf                []*Schema          `json:"oneOf,omitempty"`
	AnyOf                []*Schema          `json:"anyOf,omitempty"`
	AllOf                []*Schema          `json:"allOf,omitempty"`
}

var one = 1 // for the bounds that are pointers

package schema

import (
	"slices"

	"github.com/milepost-ledger/milepost/domain"
)

// Command is the schema of a command's body: the fields that the catalogue
// declares, those that every command may carry, and no others.
func Command(c domain.CommandType) *Schema {
	s := asked.object(slices.Concat(c.Fields, domain.MetaFields()))
	s.Title, s.Description = c.Name, c.Doc
	return s
}

// Asked is the schema of one field of a command.
func Asked(f domain.Field) *Schema { return asked.field(f) }

// side is the side from which fields are seen: a command's are checked when it
// comes, an event's are as they were written.
type side bool

const (
	asked  side = false
	stored side = true
)

// object is the schema of an object with these fields. One that is asked has no
// others; one that is stored may have more in a later version.
func (by side) object(fields []domain.Field) *Schema {
	s := &Schema{Type: "object", Properties: map[string]*Schema{}}
	if by == asked {
		s.AdditionalProperties = false
	}
	for _, f := range fields {
		s.Properties[f.Name] = by.field(f)
		if by == asked && f.Required || by == stored && !f.Omitted {
			s.Required = append(s.Required, f.Name)
		}
	}
	return s
}

// field says in JSON Schema what a field declares.
func (by side) field(f domain.Field) *Schema {
	s := &Schema{Type: f.Type, Description: f.Doc, Format: f.Format, Pattern: f.Pattern}
	if f.Example != nil {
		s.Examples = []any{f.Example}
	}
	needed := by == asked && f.Required
	switch f.Type {
	case "text":
		return by.text(s)
	case "string":
		s.MaxLength = f.Max
		if s.MinLength = f.Min; s.MinLength == nil && needed {
			s.MinLength = &one // an empty text counts as absent
		}
		by.listed(s, f.Enum)
	case "integer":
		s.Minimum, s.Maximum = f.Min, f.Max
	case "array":
		s.Items, s.MinItems, s.MaxItems = by.field(*f.Items), f.Min, f.Max
		if s.MinItems == nil && needed {
			s.MinItems = &one
		}
	case "command":
		s.Type, s.Required = "object", []string{"command"}
		s.Properties = map[string]*Schema{"command": {Type: "string", Description: "Name of the command; its fields stand beside it."}}
		s.AdditionalProperties = true
	case "object":
		o := by.object(f.Fields)
		s.Properties, s.Required, s.AdditionalProperties = o.Properties, o.Required, o.AdditionalProperties
	}
	return s
}

// listed names the values of a string. A command may have no others. An event
// of a later version may have a value that is not listed yet: the list is then
// for people and for tools that make types of it.
func (by side) listed(s *Schema, values []string) {
	switch {
	case values == nil:
	case by == asked:
		s.Enum = values
	default:
		s.Type = ""
		s.AnyOf = []*Schema{{Type: "string", Enum: values}, {Type: "string", Description: "A value that a later version adds."}}
	}
}

// text is the schema of a text by language; a plain string that is asked is
// English.
func (by side) text(s *Schema) *Schema {
	plain := &Schema{Type: "string", MinLength: &one}
	languages := &Schema{Type: "object", MinProperties: &one, AdditionalProperties: plain}
	if by == asked {
		s.Type, s.OneOf = "", []*Schema{plain, languages}
		return s
	}
	s.Type, s.MinProperties, s.AdditionalProperties = languages.Type, languages.MinProperties, plain
	return s
}

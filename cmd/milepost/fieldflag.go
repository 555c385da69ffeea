package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/milepost-ledger/milepost/domain"
)

// fieldFlag is the flag of one field of a command: it makes JSON of what is
// typed. Whether the value is allowed is not decided here but where the
// command is decoded, as on every other surface.
type fieldFlag struct {
	field domain.Field
	path  string                // "due", "term.start"
	into  func() map[string]any // the object that the field is a member of
	given string                // as typed, for pflag
}

// addFieldFlags gives set a flag for each of fields that it does not have yet.
// What is typed goes to the object that into returns. The fields of objects
// have flags of their own, --term.start.
func addFieldFlags(set *pflag.FlagSet, fields []domain.Field, prefix string, into func() map[string]any) []*fieldFlag {
	var flags []*fieldFlag
	for _, f := range fields {
		flag := &fieldFlag{field: f, path: prefix + f.Name, into: into}
		if set.Lookup(flag.name()) != nil {
			continue
		}
		added := set.VarPF(flag, flag.name(), "", flag.usage())
		if f.Type == "boolean" {
			added.NoOptDefVal = "true"
		}
		flags = append(flags, flag)
		if f.Type == "object" {
			nested := func() map[string]any {
				object, _ := into()[f.Name].(map[string]any)
				if object == nil {
					object = map[string]any{}
					into()[f.Name] = object
				}
				return object
			}
			flags = append(flags, addFieldFlags(set, f.Fields, flag.path+".", nested)...)
		}
	}
	return flags
}

// name of the flag: field acting_for is --acting-for.
func (f *fieldFlag) name() string { return flagName(f.path) }

func flagName(path string) string { return strings.ReplaceAll(path, "_", "-") }

func (f *fieldFlag) usage() string {
	doc := strings.ReplaceAll(strings.TrimSuffix(f.field.Doc, "."), "`", "'") // back quotes name the value in help
	if f.field.Required {
		doc += " (required)"
	}
	if values := f.enum(); len(values) > 0 {
		doc += ": " + strings.Join(values, ", ")
	}
	return doc
}

// enum is the values to choose from, of the field or of the items of a list.
func (f *fieldFlag) enum() []string {
	if f.field.Items != nil {
		return f.field.Items.Enum
	}
	return f.field.Enum
}

// Type names the kind of value in help.
func (f *fieldFlag) Type() string {
	field := &f.field
	if field.Items != nil {
		if field.Items.Type == "object" || field.Items.Type == "command" {
			return "json,..."
		}
		return typeName(field.Items) + ",..."
	}
	return typeName(field)
}

func typeName(f *domain.Field) string {
	switch {
	case f.Type == "text":
		return "[lang=]text"
	case f.Type == "object":
		return "json"
	case f.Pattern == domain.KeyPattern:
		return "key"
	case f.Pattern == domain.HashPattern:
		return "sha256"
	case f.Pattern == domain.VerifierKeyPattern:
		return "verifier-key"
	case f.Format != "":
		return f.Format
	case f.Enum != nil:
		return "word"
	}
	return f.Type
}

func (f *fieldFlag) String() string { return f.given }

// Set takes one value as typed. Lists and texts may be given several times; of
// the others, another value is refused, and the same one is not, because shell
// completion parses a line twice.
func (f *fieldFlag) Set(typed string) error {
	object := f.into()
	value, err := parseValue(&f.field, typed)
	if err != nil {
		return err
	}
	switch before := object[f.field.Name].(type) {
	case nil:
		object[f.field.Name] = value
	case []any:
		object[f.field.Name] = append(before, value.([]any)...)
	case map[string]any:
		for name, v := range value.(map[string]any) {
			if other, twice := before[name]; twice && other != v {
				return fmt.Errorf("%s is given twice", name)
			}
			before[name] = v
		}
	default:
		if before != value {
			return fmt.Errorf("given twice")
		}
	}
	f.given = typed
	return nil
}

// languagePrefix is what tells the language of a text: --title zh=物联网基地.
var languagePrefix = regexp.MustCompile(`^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*=`)

func parseValue(field *domain.Field, typed string) (any, error) {
	switch field.Type {
	case "integer":
		n, err := strconv.ParseInt(typed, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("want a whole number")
		}
		return n, nil
	case "boolean":
		b, err := strconv.ParseBool(typed)
		if err != nil {
			return nil, fmt.Errorf("want true or false")
		}
		return b, nil
	case "text":
		if strings.HasPrefix(typed, "{") {
			return parseObject(typed)
		}
		if prefix := languagePrefix.FindString(typed); prefix != "" {
			return map[string]any{strings.TrimSuffix(prefix, "="): typed[len(prefix):]}, nil
		}
		return map[string]any{"en": typed}, nil
	case "object", "command":
		return parseObject(typed)
	case "array":
		return parseList(field.Items, typed)
	}
	return typed, nil
}

func parseObject(typed string) (map[string]any, error) {
	var object map[string]any
	if err := json.Unmarshal([]byte(typed), &object); err != nil || object == nil {
		return nil, fmt.Errorf("want a JSON object")
	}
	return object, nil
}

func parseList(items *domain.Field, typed string) ([]any, error) {
	if strings.HasPrefix(typed, "[") {
		var list []any
		if err := json.Unmarshal([]byte(typed), &list); err != nil {
			return nil, fmt.Errorf("want a JSON array")
		}
		return list, nil
	}
	parts := []string{typed}
	if items.Type != "object" && items.Type != "command" && items.Type != "text" {
		parts = strings.Split(typed, ",")
	}
	var list []any
	for _, part := range parts {
		v, err := parseValue(items, strings.TrimSpace(part))
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, nil
}

package domain

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"
)

// Decode reads a command, and what it carries beside its own fields, from one
// JSON object. It is strict: a field that is not declared, given twice, absent
// though required, or of the wrong form is refused by its name. A field
// "command" may stand in the object when it names this command.
func (c CommandType) Decode(raw []byte) (Command, Meta, error) {
	var meta Meta
	if err := c.checkNames(raw); err != nil {
		return nil, meta, err
	}
	if err := json.Unmarshal(raw, &meta); err != nil {
		return nil, meta, c.blame(raw, err)
	}
	cmd, err := c.decode(raw)
	if err != nil {
		return nil, meta, c.blame(raw, err)
	}
	if r := checkFields(metaFields, reflect.ValueOf(meta), ""); r != nil {
		return nil, meta, r
	}
	if r := checkFields(c.Fields, reflect.ValueOf(cmd), ""); r != nil {
		return nil, meta, r
	}
	return cmd, meta, nil
}

// Check refuses a command that was made in code and not by Decode when its
// declaration does not allow it.
func (c CommandType) Check(cmd Command, meta Meta) error {
	v := reflect.ValueOf(cmd)
	for i := range c.Fields {
		if f := &c.Fields[i]; f.Required && v.FieldByIndex(f.index).IsZero() && f.Type != "integer" && f.Type != "boolean" {
			return Refuse(CodeMissingField, f.Name, "%s needs this field", c.Name)
		}
	}
	if r := checkFields(metaFields, reflect.ValueOf(meta), ""); r != nil {
		return r
	}
	if r := checkFields(c.Fields, v, ""); r != nil {
		return r
	}
	return nil
}

var metaFields = MetaFields()

func decodeCommand[C Command](raw []byte) (Command, error) {
	var c C
	err := json.Unmarshal(raw, &c)
	return c, err
}

func decodeEvent[E Event](data []byte) (Event, error) {
	var e E
	err := json.Unmarshal(data, &e)
	return e, err
}

func malformed(format string, args ...any) *Rejected {
	return Refuse(CodeMalformed, "", format, args...)
}

// checkNames refuses an object whose names are not those of the command.
func (c CommandType) checkNames(raw []byte) error {
	var given, says [64]bool // by place in c.Fields, then in metaFields
	if len(c.Fields)+len(metaFields) > len(given) {
		panic("domain: too many fields in " + c.Name)
	}
	err := eachMember(raw, "", func(name string, value []byte) error {
		if name == "command" {
			var s string
			if json.Unmarshal(value, &s) != nil || s != c.Name {
				return Refuse(CodeInvalidValue, "command", "this is not %s", c.Name)
			}
			return nil
		}
		i, f := findField(c.Fields, name)
		if f == nil {
			if i, f = findField(metaFields, name); f == nil {
				return Refuse(CodeUnknownField, name, "%s has no such field; it has %s", c.Name, fieldNames(c.Fields))
			}
			i += len(c.Fields)
		}
		if given[i] {
			return Refuse(CodeInvalidValue, name, "given twice")
		}
		given[i], says[i] = true, !isEmpty(value)
		return f.checkNested(value, name)
	})
	if err != nil {
		return err
	}
	for i := range c.Fields {
		if f := &c.Fields[i]; f.Required && !says[i] {
			return Refuse(CodeMissingField, f.Name, "%s needs this field: %s", c.Name, f.Doc)
		}
	}
	return nil
}

func isEmpty(value []byte) bool {
	switch string(value) {
	case "null", `""`, "[]", "{}":
		return true
	}
	return false
}

func findField(fields []Field, name string) (int, *Field) {
	for i := range fields {
		if fields[i].Name == name {
			return i, &fields[i]
		}
	}
	return -1, nil
}

func fieldNames(fields []Field) string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Name
	}
	return strings.Join(names, ", ")
}

// checkNested checks the names within a field's objects.
func (f *Field) checkNested(value []byte, path string) error {
	switch {
	case f.Type == "object" && len(value) > 0 && value[0] == '{':
		present := map[string]bool{}
		err := eachMember(value, path+".", func(name string, v []byte) error {
			_, nested := findField(f.Fields, name)
			switch {
			case nested == nil:
				return Refuse(CodeUnknownField, path+"."+name, "no such field; it has %s", fieldNames(f.Fields))
			case present[name]:
				return Refuse(CodeInvalidValue, path+"."+name, "given twice")
			}
			present[name] = true
			return nested.checkNested(v, path+"."+name)
		})
		for i := range f.Fields {
			if n := &f.Fields[i]; err == nil && n.Required && !present[n.Name] {
				return Refuse(CodeMissingField, path+"."+n.Name, "%s needs this field", path)
			}
		}
		return err
	case f.Type == "text" && len(value) > 0 && value[0] == '{':
		languages := map[string]bool{}
		return eachMember(value, path+".", func(name string, _ []byte) error {
			if languages[name] {
				return Refuse(CodeInvalidValue, path+"."+name, "given twice")
			}
			languages[name] = true
			return nil
		})
	case f.Type == "array" && f.Items.Type == "object":
		var items []json.RawMessage
		if json.Unmarshal(value, &items) != nil {
			return nil // the type is refused by decoding
		}
		for i, item := range items {
			if err := f.Items.checkNested(item, fmt.Sprintf("%s[%d]", path, i)); err != nil {
				return err
			}
		}
	}
	return nil
}

// eachMember calls f for each member of the JSON object raw, with its value
// trimmed. It checks that raw is JSON in UTF-8 and an object.
func eachMember(raw []byte, prefix string, f func(name string, value []byte) error) error {
	raw = bytes.TrimSpace(raw)
	if !utf8.Valid(raw) {
		return malformed("%stext that is not UTF-8", prefix)
	}
	if !json.Valid(raw) {
		var probe any
		return malformed("not JSON: %v", json.Unmarshal(raw, &probe))
	}
	if raw[0] != '{' {
		return malformed("want one JSON object")
	}
	for i := skipSpace(raw, 1); raw[i] != '}'; {
		if raw[i] == ',' {
			i = skipSpace(raw, i+1)
		}
		end := skipString(raw, i)
		name := string(raw[i+1 : end-1])
		if strings.IndexByte(name, '\\') >= 0 {
			if err := json.Unmarshal(raw[i:end], &name); err != nil {
				return malformed("%s%v", prefix, err)
			}
		}
		i = skipSpace(raw, skipSpace(raw, end)+1) // past the colon
		end = skipValue(raw, i)
		if err := f(name, bytes.TrimSpace(raw[i:end])); err != nil {
			return err
		}
		i = skipSpace(raw, end)
	}
	return nil
}

func skipSpace(b []byte, i int) int {
	for b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r' {
		i++
	}
	return i
}

// skipString returns the index after the string that starts at i.
func skipString(b []byte, i int) int {
	for i++; b[i] != '"'; i++ {
		if b[i] == '\\' {
			i++
		}
	}
	return i + 1
}

// skipValue returns the index after the value that starts at i of valid JSON.
func skipValue(b []byte, i int) int {
	for depth := 0; ; {
		switch b[i] {
		case '"':
			if i = skipString(b, i); depth == 0 {
				return i
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return i // the end of a number or literal within its parent
			}
			if depth--; depth == 0 {
				return i + 1
			}
		case ',':
			if depth == 0 {
				return i
			}
		}
		i++
	}
}

// blame finds the field that err, from decoding raw, is about. It decodes
// field by field, which only refusals pay for.
func (c CommandType) blame(raw []byte, err error) error {
	var found *Rejected
	_ = eachMember(raw, "", func(name string, value []byte) error {
		one := []byte(fmt.Sprintf(`{%q:%s}`, name, value))
		_, e := c.decode(one)
		if e == nil {
			e = json.Unmarshal(one, new(Meta))
		}
		if e != nil && found == nil {
			found = Refuse(CodeInvalidValue, name, "%s", describe(e))
		}
		return nil
	})
	if found == nil {
		return malformed("%v", err)
	}
	return found
}

func describe(err error) string {
	var format *FormatError
	var typed *json.UnmarshalTypeError
	switch {
	case errors.As(err, &format):
		return format.Error()
	case errors.As(err, &typed):
		return fmt.Sprintf("want %s, got %s", typed.Type.Kind(), typed.Value)
	}
	return err.Error()
}

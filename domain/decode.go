package domain

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
)

// Decode reads a command, and what it carries beside its own fields, from one
// JSON object. It is strict: a field that is not declared, given twice, absent
// though required, or of the wrong form is refused by its name. A field
// "command" may stand in the object when it names this command.
func (c CommandType) Decode(raw []byte) (Command, Meta, error) {
	var meta Meta
	cmd, err := c.decode(func(own reflect.Value) error {
		carried := reflect.ValueOf(&meta).Elem()
		if err := c.readMembers(raw, own, carried); err != nil {
			return err
		}
		if r := checkFields(metaFields, carried, ""); r != nil {
			return r
		}
		if r := checkFields(c.Fields, own, ""); r != nil {
			return r
		}
		return nil
	})
	return cmd, meta, err
}

// CommandNamed returns the name that a JSON object gives in its field
// "command", "" when it gives none. An object that begins with that field is not
// looked at any further: whoever decodes the command does that, and refuses what
// names another.
func CommandNamed(raw []byte) (name string, err error) {
	if rest, ok := bytes.CutPrefix(raw, []byte(`{"command":"`)); ok {
		if end := bytes.IndexAny(rest, "\"\\"); end > 0 && rest[end] == '"' {
			return string(rest[:end]), nil
		}
	}
	err = eachMember(raw, "", func(member string, value []byte) error {
		if member == "command" && json.Unmarshal(value, &name) != nil {
			return Refuse(CodeInvalidValue, "command", "want the name of a command, a string")
		}
		return nil
	})
	return name, err
}

// Check refuses a command that was made in code and not by Decode when its
// declaration does not allow it.
func (c CommandType) Check(cmd Command, meta Meta) error {
	v := reflect.ValueOf(cmd)
	if r := requireFields(c.Fields, v, "", c.Name); r != nil {
		return r
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

// decodeCommand returns the command that read fills in.
func decodeCommand[C Command](read func(own reflect.Value) error) (Command, error) {
	var c C
	err := read(reflect.ValueOf(&c).Elem())
	return c, err
}

// eventDecoder returns what reads an event's data.
func eventDecoder[E Event](fields []Field) func(data []byte) (Event, error) {
	_, itself := any(new(E)).(json.Unmarshaler)
	return func(data []byte) (Event, error) {
		if !itself {
			var plain E
			if readPlain(fields, data, reflect.ValueOf(&plain).Elem()) {
				return plain, nil
			}
		}
		var e E
		err := json.Unmarshal(data, &e)
		return e, err
	}
}

func malformed(format string, args ...any) *Rejected {
	return Refuse(CodeMalformed, "", format, args...)
}

// readMembers reads an object into the command's own fields and those that it
// carries, and refuses names that are not theirs.
func (c CommandType) readMembers(raw []byte, own, carried reflect.Value) error {
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
		in := own
		if f == nil {
			in = carried
			if i, f = findField(metaFields, name); f == nil {
				return Refuse(CodeUnknownField, name, "%s has no such field; it has %s", c.Name, fieldNames(c.Fields))
			}
			i += len(c.Fields)
		}
		if given[i] {
			return Refuse(CodeInvalidValue, name, "given twice")
		}
		given[i], says[i] = true, !isEmpty(value)
		return f.decode(value, in.FieldByIndex(f.index), name)
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

// decode reads the value of a field into v. What is wrong within an object is
// blamed on the member, "value.currency".
func (f *Field) decode(value []byte, v reflect.Value, path string) error {
	switch {
	case f.Type == "object" && value[0] == '{':
		return f.decodeObject(value, v, path)
	case f.Type == "array" && f.Items.Type == "object" && value[0] == '[':
		var items []json.RawMessage
		if err := json.Unmarshal(value, &items); err != nil {
			return Refuse(CodeInvalidValue, path, "%s", describe(err))
		}
		v.Set(reflect.MakeSlice(v.Type(), len(items), len(items)))
		for i, item := range items {
			if err := f.Items.decode(item, v.Index(i), fmt.Sprintf("%s[%d]", path, i)); err != nil {
				return err
			}
		}
		return nil
	case f.Type == "text" && value[0] == '{':
		if err := eachLanguageOnce(value, path); err != nil {
			return err
		}
	}
	if err := decodeValue(value, v); err != nil {
		return Refuse(CodeInvalidValue, path, "%s", describe(err))
	}
	return nil
}

// decodeObject reads an object's members, as strictly as those of a command.
func (f *Field) decodeObject(value []byte, v reflect.Value, path string) error {
	given, says := map[string]bool{}, map[string]bool{}
	err := eachMember(value, path+".", func(name string, member []byte) error {
		_, nested := findField(f.Fields, name)
		switch {
		case nested == nil:
			return Refuse(CodeUnknownField, path+"."+name, "no such field; it has %s", fieldNames(f.Fields))
		case given[name]:
			return Refuse(CodeInvalidValue, path+"."+name, "given twice")
		}
		given[name], says[name] = true, !isEmpty(member)
		return nested.decode(member, v.FieldByIndex(nested.index), path+"."+name)
	})
	for i := range f.Fields {
		if n := &f.Fields[i]; err == nil && n.Required && !says[n.Name] {
			return Refuse(CodeMissingField, path+"."+n.Name, "%s needs this field", path)
		}
	}
	return err
}

func eachLanguageOnce(value []byte, path string) error {
	languages := map[string]bool{}
	return eachMember(value, path+".", func(name string, _ []byte) error {
		if languages[name] {
			return Refuse(CodeInvalidValue, path+"."+name, "given twice")
		}
		languages[name] = true
		return nil
	})
}

// decodeValue reads one valid JSON value into v. It does what json.Unmarshal
// would, but for the kinds that most fields are without its preparations.
func decodeValue(raw []byte, v reflect.Value) error {
	if string(raw) == "null" {
		return nil
	}
	if u, ok := v.Addr().Interface().(json.Unmarshaler); ok {
		return u.UnmarshalJSON(raw)
	}
	if v.Kind() == reflect.String && raw[0] == '"' {
		s, err := unquote(raw)
		v.SetString(s)
		return err
	}
	return json.Unmarshal(raw, v.Addr().Interface())
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

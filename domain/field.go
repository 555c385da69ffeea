package domain

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Field declares one field of a command or an event: enough to make a JSON
// Schema, a command-line flag and a form input of it. It comes from the struct
// field's type and its tags:
//
//	json:"due" doc:"Agreed date." required:"true" enum:"a,b" min:"1" max:"100" format:"uuid"
//
// min and max bound a number's value, a string's length in characters or an
// array's length.
type Field struct {
	Name     string
	Doc      string
	Type     string // string, integer, boolean, array, object, text (see Text), command (see Clause)
	Format   string // as in JSON Schema: date, uuid, date-time
	Pattern  string
	Enum     []string
	Required bool // of a command
	Omitted  bool // not written where it says nothing
	Min, Max *int
	Example  any
	Items    *Field  // of an array
	Fields   []Field // of an object

	index []int // of the struct field, for checking values
}

// specified is implemented by the shared values, which describe themselves.
type specified interface{ FieldSpec() Field }

var specifiedType = reflect.TypeFor[specified]()

// FieldsOf returns the fields of struct type T in order of declaration, those
// of embedded structs in their place. It panics on a type that has no place in
// a declaration, which a test of the catalogue would meet first.
func FieldsOf[T any]() []Field { return fieldsOf(reflect.TypeFor[T]()) }

// MetaFields returns the fields that every command may carry.
func MetaFields() []Field { return FieldsOf[Meta]() }

func fieldsOf(t reflect.Type) []Field {
	var fields []Field
	for _, sf := range reflect.VisibleFields(t) {
		name, options, _ := strings.Cut(sf.Tag.Get("json"), ",")
		if sf.Anonymous && name == "" || name == "-" || !sf.IsExported() {
			continue
		}
		if name == "" {
			panic(fmt.Sprintf("domain: %s.%s has no json name", t, sf.Name))
		}
		f := fieldOfType(sf.Type)
		f.Name, f.index = name, sf.Index
		f.Doc = sf.Tag.Get("doc")
		f.Omitted = options == "omitzero" || options == "omitempty"
		f.Required = sf.Tag.Get("required") == "true"
		f.Min, f.Max = bound(sf.Tag.Get("min"), f.Min), bound(sf.Tag.Get("max"), f.Max)
		if v := sf.Tag.Get("format"); v != "" {
			f.Format = v
		}
		if v := sf.Tag.Get("enum"); v != "" {
			f.Enum = strings.Split(v, ",")
		}
		fields = append(fields, f)
	}
	return fields
}

func fieldOfType(t reflect.Type) Field {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Implements(specifiedType) {
		return reflect.Zero(t).Interface().(specified).FieldSpec()
	}
	switch t.Kind() {
	case reflect.String:
		return Field{Type: "string"}
	case reflect.Int, reflect.Int32, reflect.Int64:
		return Field{Type: "integer"}
	case reflect.Uint, reflect.Uint32, reflect.Uint64:
		zero := 0
		return Field{Type: "integer", Min: &zero}
	case reflect.Bool:
		return Field{Type: "boolean"}
	case reflect.Slice:
		items := fieldOfType(t.Elem())
		return Field{Type: "array", Items: &items}
	case reflect.Struct:
		return Field{Type: "object", Fields: fieldsOf(t)}
	}
	panic(fmt.Sprintf("domain: %s has no place in a declaration", t))
}

func bound(tag string, otherwise *int) *int {
	if tag == "" {
		return otherwise
	}
	n, err := strconv.Atoi(tag)
	if err != nil {
		panic("domain: bound " + tag)
	}
	return &n
}

// check refuses a value that its declaration does not allow. It looks at forms
// too, for what was made in code and not decoded.
func (f *Field) check(v reflect.Value, path string) *Rejected {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return nil
		}
		v = v.Elem()
	}
	switch f.Type {
	case "string":
		if v.Kind() != reflect.String || v.Len() == 0 {
			return nil
		}
		s := v.String()
		if f.Enum != nil && !slices.Contains(f.Enum, s) {
			return Refuse(CodeInvalidValue, path, "%q is none of %s", s, strings.Join(f.Enum, ", "))
		}
		if form, ok := v.Interface().(interface{ Valid() bool }); ok && !form.Valid() {
			return Refuse(CodeInvalidValue, path, "%q has not the form %s%s", s, f.Pattern, f.Format)
		}
		if f.Max != nil && len(s) > *f.Max && len([]rune(s)) > *f.Max {
			return Refuse(CodeInvalidValue, path, "longer than %d characters", *f.Max)
		}
		if why := unprintable(s); why != "" {
			return Refuse(CodeInvalidValue, path, "%s; leave it out", why)
		}
		if f.Format == "uuid" && !validUUID(s) {
			return Refuse(CodeInvalidValue, path, "%q is not a UUID", s)
		}
	case "text":
		for lang, t := range v.Interface().(Text) {
			if t == "" || !validLanguage(lang) {
				return Refuse(CodeInvalidValue, path, "want a text that is not empty, in a language such as \"en\"; for %q got %q", lang, t)
			}
			if why := unprintable(t); why != "" {
				return Refuse(CodeInvalidValue, path+"."+lang, "%s; leave it out", why)
			}
		}
	case "integer":
		var n int
		if v.CanInt() {
			n = int(v.Int())
		} else {
			n = int(v.Uint())
		}
		if f.Min != nil && n < *f.Min || f.Max != nil && n > *f.Max {
			return Refuse(CodeInvalidValue, path, "%d is not %s", n, f.bounds())
		}
	case "array":
		if f.Min != nil && v.Len() < *f.Min || f.Max != nil && v.Len() > *f.Max {
			return Refuse(CodeInvalidValue, path, "%d entries, want %s", v.Len(), f.bounds())
		}
		for i := range v.Len() {
			if r := f.Items.checkItem(v.Index(i), fmt.Sprintf("%s[%d]", path, i)); r != nil {
				return r
			}
		}
	case "object":
		return checkFields(f.Fields, v, path+".")
	}
	return nil
}

// checkItem is check for what stands in an array, and so cannot say nothing: null
// is decoded as an object with no member.
func (f *Field) checkItem(v reflect.Value, path string) *Rejected {
	if v.Kind() == reflect.String && v.Len() == 0 {
		return Refuse(CodeInvalidValue, path, "empty; leave it out or say which")
	}
	if r := requireFields(f.Fields, v, path+".", path); r != nil {
		return r
	}
	return f.check(v, path)
}

// requireFields refuses when a required field says nothing; the zero of a
// number or a truth value may be meant.
func requireFields(fields []Field, v reflect.Value, prefix, of string) *Rejected {
	for i := range fields {
		if f := &fields[i]; f.Required && v.FieldByIndex(f.index).IsZero() && f.Type != "integer" && f.Type != "boolean" {
			return Refuse(CodeMissingField, prefix+f.Name, "%s needs this field", of)
		}
	}
	return nil
}

func checkFields(fields []Field, v reflect.Value, prefix string) *Rejected {
	for i := range fields {
		f := &fields[i]
		if r := f.check(v.FieldByIndex(f.index), prefix+f.Name); r != nil {
			return r
		}
	}
	return nil
}

func (f *Field) bounds() string {
	switch {
	case f.Max == nil:
		return fmt.Sprintf("at least %d", *f.Min)
	case f.Min == nil:
		return fmt.Sprintf("at most %d", *f.Max)
	}
	return fmt.Sprintf("%d to %d", *f.Min, *f.Max)
}

// unprintable says what in s no reader could see: it would be in the log for
// ever. U+FFFD is what a broken character was read as.
func unprintable(s string) string {
	for _, r := range s {
		if r < 0x20 && r != '\n' && r != '\t' || r == 0x7f || r == utf8.RuneError {
			return fmt.Sprintf("holds the character %U", r)
		}
	}
	return ""
}

func validUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if c != '-' {
				return false
			}
		case (c < '0' || c > '9') && (c < 'a' || c > 'f'):
			return false
		}
	}
	return true
}

package domain

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"unicode/utf8"
)

// readPlain reads an event whose data are in the form that EncodeEvent writes and
// say nothing but whole numbers, strings without escapes, texts and lists of these,
// as those of almost all events do; it reports false for any others, and has then written to some
// fields. It accepts nothing that json.Unmarshal would refuse or read otherwise,
// and takes a fraction of the time; a fuzz test holds the two against each other.
func readPlain(fields []Field, data []byte, event reflect.Value) bool {
	if len(data) < 2 || data[0] != '{' {
		return false
	}
	for rest := data[1:]; ; rest = rest[1:] { // past the comma
		name, after, ok := plainString(rest)
		if !ok || len(after) == 0 || after[0] != ':' {
			return false
		}
		for len(fields) > 0 && fields[0].Name != string(name) {
			fields = fields[1:]
		}
		if len(fields) == 0 { // it is none, or not in its place
			return false
		}
		if rest, ok = readPlainValue(after[1:], event.FieldByIndex(fields[0].index)); !ok || len(rest) == 0 {
			return false
		}
		if fields = fields[1:]; rest[0] != ',' {
			return len(rest) == 1 && rest[0] == '}'
		}
	}
}

// readPlainValue reads the value that comes first into v, and returns what comes
// after it.
func readPlainValue(data []byte, v reflect.Value) (rest []byte, ok bool) {
	u, itself := v.Addr().Interface().(json.Unmarshaler)
	switch {
	case bytes.HasPrefix(data, []byte{'{'}):
		t, isText := u.(*Text)
		if !isText {
			return nil, false
		}
		return readPlainText(data[1:], t)
	case bytes.HasPrefix(data, []byte{'['}):
		if itself || v.Kind() != reflect.Slice {
			return nil, false
		}
		return readPlainList(data[1:], v)
	}
	s, rest, isString := plainString(data)
	n, isNumber := int64(0), false
	if !isString {
		if n, rest, isNumber = plainNumber(data); !isNumber {
			return nil, false
		}
	}
	if itself {
		return rest, u.UnmarshalJSON(data[:len(data)-len(rest)]) == nil
	}
	switch {
	case isString && v.Kind() == reflect.String:
		v.SetString(string(s))
	case isNumber && v.CanInt() && !v.OverflowInt(n):
		v.SetInt(n)
	case isNumber && v.CanUint() && !v.OverflowUint(uint64(n)):
		v.SetUint(uint64(n))
	default:
		return nil, false
	}
	return rest, true
}

// readPlainText reads a text in several languages, after its brace. What Text refuses
// is left to it.
func readPlainText(data []byte, to *Text) (rest []byte, ok bool) {
	*to = Text{}
	for {
		tag, after, ok := plainString(data)
		language := string(tag)
		if !ok || len(after) == 0 || after[0] != ':' || !validLanguage(language) || strings.ToLower(language) != language {
			return nil, false
		}
		s, rest, ok := plainString(after[1:])
		if !ok || len(s) == 0 || len(rest) == 0 || (*to)[language] != "" {
			return nil, false
		}
		(*to)[language] = string(s)
		if rest[0] != ',' {
			return rest[1:], rest[0] == '}'
		}
		data = rest[1:]
	}
}

// readPlainList reads a list with something in it, after its bracket.
func readPlainList(data []byte, to reflect.Value) (rest []byte, ok bool) {
	list := reflect.MakeSlice(to.Type(), 0, 4)
	for {
		item := reflect.New(to.Type().Elem()).Elem()
		rest, ok := readPlainValue(data, item)
		if !ok || len(rest) == 0 {
			return nil, false
		}
		list = reflect.Append(list, item)
		if rest[0] != ',' {
			to.Set(list)
			return rest[1:], rest[0] == ']'
		}
		data = rest[1:]
	}
}

// plainString reads a string without escapes.
func plainString(data []byte) (s, rest []byte, ok bool) {
	if len(data) == 0 || data[0] != '"' {
		return nil, nil, false
	}
	ascii := true
	for i := 1; i < len(data); i++ {
		switch c := data[i]; {
		case c == '"':
			return data[1:i], data[i+1:], ascii || utf8.Valid(data[1:i])
		case c < 0x20 || c == '\\':
			return nil, nil, false
		case c >= 0x80:
			ascii = false
		}
	}
	return nil, nil, false
}

// plainNumber reads a whole number that is not negative and has less than 19
// digits, which others may follow only after a comma or at the end.
func plainNumber(data []byte) (n int64, rest []byte, ok bool) {
	i := 0
	for i < len(data) && i < 19 && data[i] >= '0' && data[i] <= '9' {
		n = n*10 + int64(data[i]-'0')
		i++
	}
	if i == 0 || i == 19 || data[0] == '0' && i > 1 || i < len(data) && data[i] != ',' && data[i] != '}' {
		return 0, nil, false
	}
	return n, data[i:], true
}

package domain

import (
	"bytes"
	"encoding/json"
	"strings"
)

// Key names an aggregate, or a part of one, for ever: 1 to 64 characters of
// a-z, 0-9 and '-', the first a letter or digit. Keys stand in stream subjects
// and addresses, so their form is narrow on purpose.
type Key string

// KeyPattern is the form of a Key as a regular expression.
const KeyPattern = "^[a-z0-9][a-z0-9-]{0,63}$"

// Valid reports whether k has the form of a key.
func (k Key) Valid() bool {
	if len(k) == 0 || len(k) > 64 || k[0] == '-' {
		return false
	}
	for i := range len(k) {
		c := k[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

// UnmarshalJSON refuses what has not the form of a key; "" is no key.
func (k *Key) UnmarshalJSON(b []byte) error {
	s, err := unquoteShort(b)
	if err != nil {
		return &FormatError{Want: "a key, a string such as \"iot-base\"", Got: string(b)}
	}
	if s != "" && !Key(s).Valid() {
		return &FormatError{Want: "a key: 1 to 64 of a-z, 0-9 and '-', not starting with '-'", Got: s}
	}
	*k = Key(s)
	return nil
}

// FieldSpec describes keys to the catalogue.
func (Key) FieldSpec() Field { return Field{Type: "string", Pattern: KeyPattern} }

// Or returns k, or otherwise where k is no key.
func (k Key) Or(otherwise Key) Key {
	if k == "" {
		return otherwise
	}
	return k
}

// Join writes keys for people to read, with sep between them.
func Join(keys []Key, sep string) string {
	s := make([]string, len(keys))
	for i, k := range keys {
		s[i] = string(k)
	}
	return strings.Join(s, sep)
}

// Hash is a SHA-256 in lower-case hexadecimal: it names a document or a piece
// of evidence by what it holds.
type Hash string

// HashPattern is the form of a Hash as a regular expression.
const HashPattern = "^[0-9a-f]{64}$"

// Valid reports whether h has the form of a hash.
func (h Hash) Valid() bool {
	return len(h) == 64 && strings.Trim(string(h), "0123456789abcdef") == ""
}

// UnmarshalJSON refuses what has not the form of a hash; "" is no hash.
func (h *Hash) UnmarshalJSON(b []byte) error {
	s, err := unquote(b)
	if err != nil || s != "" && !Hash(s).Valid() {
		return &FormatError{Want: "a SHA-256 as 64 lower-case hexadecimal digits", Got: strings.Trim(string(b), `"`)}
	}
	*h = Hash(s)
	return nil
}

// FieldSpec describes hashes to the catalogue.
func (Hash) FieldSpec() Field { return Field{Type: "string", Pattern: HashPattern} }

// unquote reads a JSON string; those of keys, hashes and dates need no more
// than their quotes taken off.
func unquote(b []byte) (string, error) {
	if within, ok := quoted(b); ok {
		return string(within), nil
	}
	var s string
	err := json.Unmarshal(b, &s)
	return s, err
}

// unquoteShort is unquote for what comes again and again.
func unquoteShort(b []byte) (string, error) {
	if within, ok := quoted(b); ok {
		return Intern(within), nil
	}
	return unquote(b)
}

// quoted takes the quotes off a string that has no escapes.
func quoted(b []byte) ([]byte, bool) {
	if n := len(b); n >= 2 && b[0] == '"' && b[n-1] == '"' && bytes.IndexByte(b, '\\') < 0 {
		return b[1 : n-1], true
	}
	return nil, false
}

// FormatError says that a value has not the form that its type asks for.
type FormatError struct{ Want, Got string }

func (e *FormatError) Error() string {
	got := e.Got
	if len(got) > 80 {
		got = got[:80] + "..."
	}
	return "want " + e.Want + ", got " + got
}

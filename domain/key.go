package domain

import (
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
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
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
	var s string
	if err := json.Unmarshal(b, &s); err != nil || s != "" && !Hash(s).Valid() {
		return &FormatError{Want: "a SHA-256 as 64 lower-case hexadecimal digits", Got: strings.Trim(string(b), `"`)}
	}
	*h = Hash(s)
	return nil
}

// FieldSpec describes hashes to the catalogue.
func (Hash) FieldSpec() Field { return Field{Type: "string", Pattern: HashPattern} }

// FormatError says that a value has not the form that its type asks for.
type FormatError struct{ Want, Got string }

func (e *FormatError) Error() string {
	got := e.Got
	if len(got) > 80 {
		got = got[:80] + "..."
	}
	return "want " + e.Want + ", got " + got
}

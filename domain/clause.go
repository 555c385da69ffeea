package domain

import (
	"bytes"
	"encoding/json"
)

// Clause is a command within a command, written as in a line of an import:
// {"command": "reschedule-milestone", "project": "iot-base", ...}. Whoever
// takes clauses says which commands they may be, and decodes them as strictly
// as any other.
type Clause json.RawMessage

// UnmarshalJSON keeps the object without insignificant space.
func (c *Clause) UnmarshalJSON(b []byte) error {
	var compact bytes.Buffer
	if err := json.Compact(&compact, b); err != nil {
		return err
	}
	if compact.Len() == 0 || compact.Bytes()[0] != '{' {
		return &FormatError{Want: `a command such as {"command": "add-area", "area": "iot"}`, Got: string(b)}
	}
	*c = compact.Bytes()
	return nil
}

// MarshalJSON returns the object, null for none.
func (c Clause) MarshalJSON() ([]byte, error) {
	if len(c) == 0 {
		return []byte("null"), nil
	}
	return c, nil
}

// FieldSpec describes clauses to the catalogue.
func (Clause) FieldSpec() Field { return Field{Type: "command"} }

package domain

import (
	"errors"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// Codes of the refusals of a rotation, by which a key hands over to its
// successor.
const (
	CodeKeyUnchanged       = "key-unchanged"           // the successor is the key itself
	CodeKeyNameChanged     = "key-name-changed"        // a rotation keeps the key's name
	CodeKeyUsedBefore      = "key-used-before"         // a key that was given up never comes back
	CodeRotationNotSigned  = "rotation-not-signed"     // no signed note, or not signed by the key that is to be replaced
	CodeRotationOfOtherKey = "rotation-of-another-key" // signed, but about other keys
)

// RotationText is what the key old signs to hand over to next:
//
//	milepost/key-rotation/v1
//	<old>
//	<next>
func RotationText(old, next VerifierKey) string {
	return "milepost/key-rotation/v1\n" + string(old) + "\n" + string(next) + "\n"
}

// VerifyRotation refuses unless statement is a signed note of the text
// [RotationText] with a valid signature by old; others may have signed it too.
// It needs nothing else, so whoever holds the first key can follow all later
// ones from the log alone. Fields are named as in events: old, key, statement.
func VerifyRotation(old, next VerifierKey, statement string) error {
	if err := old.Check("old"); err != nil {
		return err
	}
	if err := next.Check("key"); err != nil {
		return err
	}
	switch {
	case old == next:
		return Refuse(CodeKeyUnchanged, "key", "that is the present key; make a new one")
	case old.Name() != next.Name():
		return Refuse(CodeKeyNameChanged, "key", "the new key is called %q, and the one that it replaces %q; make it under that name", next.Name(), old.Name())
	}
	text := RotationText(old, next)
	signed, err := note.Open([]byte(statement), note.VerifierList(old.verifier()))
	var unverified *note.UnverifiedNoteError
	if errors.As(err, &unverified) {
		signed = unverified.Note
	}
	switch {
	case signed != nil && signed.Text != text:
		return Refuse(CodeRotationOfOtherKey, "statement", "it is about something else; sign the text %q", text)
	case err != nil:
		return Refuse(CodeRotationNotSigned, "statement", "want a note of the text %q signed by %s+%s: %v", text, old.Name(), old.ID(), err)
	}
	return nil
}

// NotAmong refuses a key that was given up before: the statement by which it was
// replaced is known to all, and whoever showed it again would replace it again.
func (k VerifierKey) NotAmong(former []VerifierKey) error {
	if slices.Contains(former, k) {
		return Refuse(CodeKeyUsedBefore, "key", "%s+%s was given up before and never comes back; make a new one", k.Name(), k.ID())
	}
	return nil
}

// SignedNote is a signed note, see golang.org/x/mod/sumdb/note. Read from JSON
// it has the line break at its end that a shell takes off.
type SignedNote string

// UnmarshalJSON takes a string.
func (n *SignedNote) UnmarshalJSON(b []byte) error {
	s, err := unquote(b)
	if err != nil {
		return &FormatError{Want: "a signed note, a string", Got: string(b)}
	}
	if s != "" && !strings.HasSuffix(s, "\n") {
		s += "\n"
	}
	*n = SignedNote(s)
	return nil
}

// FieldSpec describes signed notes to the catalogue.
func (SignedNote) FieldSpec() Field {
	most := 4000
	return Field{Type: "string", Max: &most}
}

package domain

import (
	"regexp"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// VerifierKey is the public half of a signing key, in the form of
// golang.org/x/mod/sumdb/note: "<name>+<id>+<key>", where key is the base64 of
// the byte 1, for Ed25519, and the public key, and id the first 32 bits of a
// hash of name and key. The name has neither spaces nor '+'. A key has one
// spelling only, so keys compare with ==.
type VerifierKey string

// VerifierKeyPattern is the form of a VerifierKey as a regular expression,
// which cannot say that the id is that of the rest.
const VerifierKeyPattern = `^[^+\s]{1,200}\+[0-9a-f]{8}\+A[Q-Za-f][0-9A-Za-z+/]{42}$`

// CodeInvalidKey refuses what is no verifier key.
const CodeInvalidKey = "invalid-key"

var verifierKeyForm = regexp.MustCompile(VerifierKeyPattern)

// Valid reports whether k is a verifier key.
func (k VerifierKey) Valid() bool { return k.verifier() != nil }

// verifier checks signatures by k; nil for what is no verifier key.
func (k VerifierKey) verifier() note.Verifier {
	if !verifierKeyForm.MatchString(string(k)) { // the note package reads other spellings too
		return nil
	}
	v, err := note.NewVerifier(string(k))
	if err != nil {
		return nil
	}
	return v
}

// Check refuses in the name of field what is no verifier key.
func (k VerifierKey) Check(field string) error {
	if !k.Valid() {
		return Refuse(CodeInvalidKey, field, "%s", k.misspelt())
	}
	return nil
}

// Name is what the key is called; "" for none.
func (k VerifierKey) Name() string {
	name, _, _ := strings.Cut(string(k), "+")
	return name
}

// ID tells the key from others of its name in the signatures that it is to
// check: 8 hexadecimal digits; "" for none.
func (k VerifierKey) ID() string {
	_, rest, _ := strings.Cut(string(k), "+")
	id, _, _ := strings.Cut(rest, "+")
	return id
}

// misspelt says what is wrong with k. It never repeats a private key, which
// would end in logs.
func (k VerifierKey) misspelt() *FormatError {
	if strings.HasPrefix(string(k), "PRIVATE+KEY+") {
		return &FormatError{Want: "the public half, <name>+<id>+<key>", Got: "a private key: nobody else may see that"}
	}
	return &FormatError{Want: "a verifier key, <name>+<8 hexadecimal digits>+<base64> as it was made with the private one", Got: string(k)}
}

// UnmarshalJSON refuses what is no verifier key; "" is none.
func (k *VerifierKey) UnmarshalJSON(b []byte) error {
	s, err := unquote(b)
	if err != nil {
		return &FormatError{Want: "a verifier key, a string", Got: string(b)}
	}
	if s != "" && !VerifierKey(s).Valid() {
		return VerifierKey(s).misspelt()
	}
	*k = VerifierKey(s)
	return nil
}

// FieldSpec describes verifier keys to the catalogue.
func (VerifierKey) FieldSpec() Field { return Field{Type: "string", Pattern: VerifierKeyPattern} }

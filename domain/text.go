package domain

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// Text is a text for people in one or more languages, by BCP 47 language tag:
// {"en": "IoT base", "zh": "物联网基地"}. A plain JSON string is English.
type Text map[string]string

// In returns the text in the first of the languages that it has, else in
// English, else in the alphabetically first language it has, else "".
func (t Text) In(languages ...string) string {
	for _, l := range append(languages, "en") {
		if s, ok := t[l]; ok {
			return s
		}
	}
	for _, l := range slices.Sorted(maps.Keys(t)) {
		return t[l]
	}
	return ""
}

// Equal reports whether t and u say the same in the same languages.
func (t Text) Equal(u Text) bool { return maps.Equal(t, u) }

// UnmarshalJSON takes an object of language tags to texts, or a string, which
// is English. Empty texts and malformed tags are refused.
func (t *Text) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		var s string
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
		*t = nil
		if s != "" {
			*t = Text{"en": s}
		}
		return nil
	}
	var m map[string]string
	if err := json.Unmarshal(b, &m); err != nil {
		return &FormatError{Want: `a text such as "Base" or {"en": "Base", "zh": "基地"}`, Got: string(b)}
	}
	for _, lang := range slices.Sorted(maps.Keys(m)) { // of several faults it always names the same
		s := m[lang]
		if lower := strings.ToLower(lang); lower != lang && m[lower] != "" {
			return &FormatError{Want: "each language once", Got: lang + " and " + lower}
		}
		if !validLanguage(lang) {
			return &FormatError{Want: `a language tag such as "en" or "zh-Hant"`, Got: lang}
		}
		if s == "" {
			return &FormatError{Want: "a text that is not empty for language " + lang, Got: `""`}
		}
	}
	*t = m
	return nil
}

// validLanguage checks the shape of a language tag, not its registration.
func validLanguage(tag string) bool {
	n := 0
	for i := 0; i <= len(tag); i++ {
		if i == len(tag) || tag[i] == '-' {
			if n == 0 || n > 8 {
				return false
			}
			n = 0
			continue
		}
		c := tag[i] | 0x20
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
		n++
	}
	return len(tag) >= 2
}

// FieldSpec describes texts to the catalogue.
func (Text) FieldSpec() Field {
	return Field{Type: "text", Example: map[string]any{"en": "IoT base", "zh": "物联网基地"}}
}

package domain

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"
)

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
		name := Intern(raw[i+1 : end-1])
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

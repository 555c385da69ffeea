package projections

import (
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/milepost-ledger/milepost/domain"
)

// The encodings here equal domain.EncodeValue's, for the values that almost
// every event has, without its allocations.

// appendValue appends the JSON of a changed field's value, nothing for nil.
func appendValue(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return b
	case domain.Date:
		return append(v.Append(append(b, '"')), '"')
	case string:
		return appendString(b, v)
	case domain.Key:
		return appendString(b, string(v))
	case domain.Text:
		return appendText(b, v)
	case int:
		return strconv.AppendInt(b, int64(v), 10)
	case bool:
		return strconv.AppendBool(b, v)
	}
	return append(b, domain.EncodeValue(v)...)
}

// appendText appends an object with its languages in order.
func appendText(b []byte, t domain.Text) []byte {
	var room [8]string
	languages := room[:0]
	for l := range t {
		languages = append(languages, l)
	}
	slices.Sort(languages)
	for i, l := range languages {
		b = append(b, ",{"[btoi(i == 0)])
		b = appendString(b, l)
		b = append(b, ':')
		b = appendString(b, t[l])
	}
	return append(b, '}')
}

// keysText returns ["a","b"]; keys have nothing to escape.
func keysText(keys []domain.Key) string {
	b := make([]byte, 0, 2+len(keys)*24)
	for i, k := range keys {
		b = append(b, ",["[btoi(i == 0)])
		b = append(b, '"')
		b = append(b, k...)
		b = append(b, '"')
	}
	return string(append(b, ']'))
}

// appendString appends a JSON string. What may need an escape goes the slow way.
func appendString(b []byte, s string) []byte {
	plain := true
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c == '"' || c == '\\' || c == 0xe2 { // U+2028 and U+2029 begin with e2
			plain = false
			break
		}
	}
	if !plain || !utf8.ValidString(s) {
		return append(b, domain.EncodeValue(s)...)
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

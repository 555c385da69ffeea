package projections

import (
	"encoding/json"
	"reflect"

	"github.com/milepost-ledger/milepost/domain"
)

// memo remembers the JSON of nested values. States are immutable and share
// what did not change, so the versions of a row mostly hold the very same
// title and lists in memory: their address finds their JSON.
type memo struct {
	texts   map[uintptr]remembered // of maps and slices, by address
	structs map[any]string         // by value
	recent  any                    // the last of these, which comes again and again
	text    string                 // and its JSON
}

type remembered struct {
	value any // keeps the address from being used for something else
	size  int // of a slice, of which others may be the beginning
	text  string
}

// maxMemo bounds what is remembered.
const maxMemo = 1 << 17

// json returns a nested value as JSON, "" for one that says nothing.
func (m *memo) json(f reflect.Value) string {
	size := 0
	switch f.Kind() {
	case reflect.Map: // one that is empty was not remembered, and is seen to be below
		if f.IsNil() {
			return ""
		}
	case reflect.Slice:
		if size = f.Len(); size == 0 {
			return ""
		}
	default:
		if f.IsZero() {
			return ""
		}
		return m.structText(f)
	}
	key := f.Pointer()
	if r, ok := m.texts[key]; ok && r.size == size {
		return r.text
	}
	if f.Len() == 0 {
		return ""
	}
	r := remembered{value: f.Interface(), size: size}
	switch v := r.value.(type) {
	case json.RawMessage:
		r.text = string(v)
	case []domain.Key:
		r.text = keysText(v)
	case domain.Text:
		r.text = string(appendText(nil, v))
	default:
		r.text = string(domain.EncodeValue(v))
	}
	if len(m.texts) >= maxMemo || m.texts == nil {
		m.texts = make(map[uintptr]remembered)
	}
	m.texts[key] = r
	return r.text
}

func (m *memo) structText(f reflect.Value) string {
	value := f.Interface()
	if f.Kind() != reflect.Struct || !f.Type().Comparable() {
		return string(domain.EncodeValue(value))
	}
	if value == m.recent {
		return m.text
	}
	text, ok := m.structs[value]
	if !ok {
		if len(m.structs) >= maxMemo || m.structs == nil {
			m.structs = make(map[any]string)
		}
		text = string(domain.EncodeValue(value))
		m.structs[value] = text
	}
	m.recent, m.text = value, text
	return text
}

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
	texts map[address]remembered
}

type address struct {
	at   uintptr
	size int
}

type remembered struct {
	value any // keeps the address from being used for something else
	text  string
}

// maxMemo bounds what is remembered.
const maxMemo = 1 << 17

// json returns a nested value as JSON, "" for one that says nothing.
func (m *memo) json(f reflect.Value) string {
	k := f.Kind()
	if k != reflect.Map && k != reflect.Slice {
		if f.IsZero() {
			return ""
		}
		return string(domain.EncodeValue(f.Interface()))
	}
	size := f.Len()
	if size == 0 {
		return ""
	}
	key := address{f.Pointer(), size}
	if r, ok := m.texts[key]; ok {
		return r.text
	}
	r := remembered{value: f.Interface()}
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
		m.texts = make(map[address]remembered)
	}
	m.texts[key] = r
	return r.text
}

package domain

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
)

// Snapshot is an aggregate at one point of the log; it is a value.
type Snapshot struct {
	State   any    // nil before the first event
	Seq     uint64 // of its last event, 0 before the first
	Version uint64
}

// A state can be written down, so that the events that led to it need not be read
// again: see [Aggregate.Encode]. What was written is worth something only to a
// program whose states have the same [Aggregate.Shape].

// encodeState writes down a state: JSON of its fields, by which it is made again as it was.
func encodeState[S any](state any) ([]byte, error) {
	s, _ := state.(*S)
	if s == nil {
		return nil, fmt.Errorf("domain: no state to encode: %T", state)
	}
	return json.Marshal(s)
}

// decodeState makes the state again that encodeState wrote.
func decodeState[S any](data []byte) (any, error) {
	s := new(S)
	if err := json.Unmarshal(data, s); err != nil {
		return nil, err
	}
	return s, nil
}

type storedPart[T any] struct {
	Key   Key `json:"key"`
	Value *T  `json:"value"`
}

// MarshalJSON writes the parts in their order: [{"key": ..., "value": ...}, ...].
func (l List[T]) MarshalJSON() ([]byte, error) {
	parts := make([]storedPart[T], len(l.parts))
	for i, p := range l.parts {
		parts[i] = storedPart[T]{p.key, p.value}
	}
	return json.Marshal(parts)
}

// UnmarshalJSON is the inverse of MarshalJSON.
func (l *List[T]) UnmarshalJSON(data []byte) error {
	var parts []storedPart[T]
	if err := json.Unmarshal(data, &parts); err != nil {
		return err
	}
	l.parts = nil
	for _, p := range parts {
		if p.Value == nil {
			return fmt.Errorf("domain: part %q has no value", p.Key)
		}
		l.parts = append(l.parts, part[T]{p.Key, p.Value})
	}
	return nil
}

// shapeOf says how a state is written: the names and types of all that is in it.
func shapeOf(t reflect.Type) string {
	var b strings.Builder
	writeShape(&b, t)
	return b.String()
}

var (
	jsonMarshaler = reflect.TypeFor[json.Marshaler]()
	textMarshaler = reflect.TypeFor[encoding.TextMarshaler]()
	anyParts      = reflect.TypeFor[interface{ element() reflect.Type }]()
)

// element is the type of the parts.
func (List[T]) element() reflect.Type { return reflect.TypeFor[T]() }

func writeShape(b *strings.Builder, t reflect.Type) {
	switch {
	case t.Implements(anyParts):
		b.WriteString("parts of ")
		writeShape(b, reflect.Zero(t).Interface().(interface{ element() reflect.Type }).element())
		return
	case t.Implements(jsonMarshaler) || t.Implements(textMarshaler):
		b.WriteString(t.String())
		return
	}
	switch t.Kind() {
	case reflect.Struct:
		b.WriteString("{")
		for i := range t.NumField() {
			f := t.Field(i)
			fmt.Fprintf(b, "%s %q ", f.Name, f.Tag.Get("json"))
			writeShape(b, f.Type)
			b.WriteString("; ")
		}
		b.WriteString("}")
	case reflect.Slice, reflect.Pointer:
		b.WriteString(t.Kind().String() + " of ")
		writeShape(b, t.Elem())
	case reflect.Map:
		b.WriteString("map of " + t.Key().String() + " to ")
		writeShape(b, t.Elem())
	default:
		b.WriteString(t.Kind().String())
	}
}

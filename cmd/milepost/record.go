package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/milepost-ledger/milepost/domain"
)

// record is one JSON object of an answer, its members in the order in which
// the server sent them.
type record struct {
	names  []string
	values map[string]json.RawMessage
}

// UnmarshalJSON reads an object.
func (r *record) UnmarshalJSON(b []byte) error {
	r.names, r.values = nil, map[string]json.RawMessage{}
	dec := json.NewDecoder(bytes.NewReader(b))
	if open, err := dec.Token(); err != nil || open != json.Delim('{') {
		return fmt.Errorf("want a JSON object, got %s", firstLine(b))
	}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return err
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return err
		}
		r.names = append(r.names, name.(string))
		r.values[name.(string)] = value
	}
	return nil
}

// style says how values become text.
type style struct {
	languages []string       // of titles, the best first
	zone      *time.Location // instants in this zone, for people; nil leaves them as they are
}

// languageTag is the shape of the language tags that titles are given in.
var languageTag = regexp.MustCompile(`^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$`)

// text makes one line of text of a JSON value: a title in the reader's
// language, a list with commas, an instant in the reader's zone, null as "".
func (s style) text(value json.RawMessage) string {
	value = bytes.TrimSpace(value)
	if len(value) == 0 || string(value) == "null" {
		return ""
	}
	switch value[0] {
	case '"':
		var v string
		_ = json.Unmarshal(value, &v) // it was decoded as JSON before
		return s.instant(v)
	case '[':
		var items []json.RawMessage
		_ = json.Unmarshal(value, &items)
		parts := make([]string, len(items))
		for i, item := range items {
			parts[i] = s.text(item)
		}
		return strings.Join(parts, ", ")
	case '{':
		return s.object(value)
	}
	return string(value)
}

func (s style) instant(v string) string {
	if s.zone == nil || len(v) < len("2006-01-02T15:04:05Z") || v[10] != 'T' {
		return v
	}
	at, err := time.Parse(time.RFC3339Nano, v)
	if err != nil {
		return v
	}
	return at.In(s.zone).Format("2006-01-02 15:04:05Z07:00")
}

func (s style) object(value json.RawMessage) string {
	var title domain.Text
	if json.Unmarshal(value, &title) == nil && len(title) > 0 && !slices.ContainsFunc(slices.Collect(maps.Keys(title)), notLanguage) {
		return title.In(s.languages...)
	}
	if s.zone == nil { // for a machine
		return string(value)
	}
	var r record
	if err := json.Unmarshal(value, &r); err != nil {
		return string(value)
	}
	if slices.Equal(r.names, []string{"amount", "currency"}) {
		return s.get(r, "amount") + " " + s.get(r, "currency")
	}
	var parts []string
	for _, name := range r.names {
		if v := s.text(r.values[name]); v != "" {
			parts = append(parts, name+" "+v)
		}
	}
	return strings.Join(parts, ", ")
}

func notLanguage(tag string) bool { return !languageTag.MatchString(tag) }

// get is the text of the member called name, "" when there is none.
func (s style) get(r record, name string) string { return s.text(r.values[name]) }

// MarshalJSON writes the object as it was read.
func (r record) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, name := range r.names {
		if i > 0 {
			b = append(b, ',')
		}
		quoted, err := json.Marshal(name)
		if err != nil {
			return nil, err
		}
		b = append(append(append(b, quoted...), ':'), r.values[name]...)
	}
	return append(b, '}'), nil
}

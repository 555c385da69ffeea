package schema_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/schema"
	"github.com/milepost-ledger/milepost/domain/catalogue"
)

var update = flag.Bool("update", false, "publish schemas of new event types, and what may be added to published ones")

const publishing = "go test ./cmd/internal/schema -update"

// names are the event types, and the envelope.
func names() []string {
	all := []string{schema.EnvelopeName}
	for _, t := range catalogue.EventTypes() {
		all = append(all, t.Type)
	}
	return all
}

func encoded(t testing.TB, name string) []byte {
	t.Helper()
	s, err := schema.Named(name)
	require.NoError(t, err)
	raw, err := schema.Encode(s)
	require.NoError(t, err)
	return raw
}

func parsed(t testing.TB, raw []byte) (o object) {
	t.Helper()
	require.NoError(t, json.Unmarshal(raw, &o))
	return o
}

func publishedFile(name string) string { return filepath.Join("testdata", "published", name+".json") }

// What is published holds for ever: stored events and those who read them count
// on it.
func TestPublishedSchemasHold(t *testing.T) {
	for _, name := range names() {
		t.Run(name, func(t *testing.T) {
			present := encoded(t, name)
			published, err := os.ReadFile(publishedFile(name))
			if os.IsNotExist(err) && *update {
				require.NoError(t, os.WriteFile(publishedFile(name), present, 0o644))
				return
			}
			require.NoError(t, err, "the type is new: publish its schema with %s", publishing)
			broken := breaks(parsed(t, published), parsed(t, present))
			require.Empty(t, broken, "the schema is published and cannot change so: leave %s as it is, and make a type of the next version", name)
			if *update {
				require.NoError(t, os.WriteFile(publishedFile(name), present, 0o644))
				return
			}
			require.True(t, bytes.Equal(published, present), "the schema has additions, which it may have: publish them with %s", publishing)
		})
	}
	files, err := os.ReadDir(filepath.Join("testdata", "published"))
	require.NoError(t, err)
	for _, f := range files {
		assert.Contains(t, names(), strings.TrimSuffix(f.Name(), ".json"), "a type once published never goes: the log may hold events of it")
	}
}

// change is the published schema of the rules' tests, with one thing changed.
func change(t *testing.T, f func(event, data object)) object {
	o := parsed(t, []byte(`{
		"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "urn:x", "title": "A", "type": "object", "required": ["data", "id"],
		"properties": {
			"id": {"type": "string", "format": "uuid"},
			"data": {"type": "object", "required": ["kind", "title", "weight"], "properties": {
				"kind": {"anyOf": [{"type": "string", "enum": ["a", "b"]}, {"type": "string"}]},
				"title": {"type": "object", "minProperties": 1, "additionalProperties": {"type": "string", "minLength": 1}},
				"weight": {"type": "integer", "minimum": 0},
				"level": {"type": "string", "enum": ["x", "y"]},
				"parties": {"type": "array", "items": {"type": "string", "pattern": "^a"}},
				"value": {"type": "object", "required": ["amount"], "properties": {"amount": {"type": "string"}}}
			}}
		}}`))
	f(o, o["properties"].(object)["data"].(object))
	return o
}

func member(o object, path ...string) object {
	for _, name := range path {
		o = o["properties"].(object)[name].(object)
	}
	return o
}

func TestEachKindOfIncompatibleChangeIsFound(t *testing.T) {
	published := change(t, func(object, object) {})
	require.Empty(t, breaks(published, published))
	for name, c := range map[string]struct {
		change func(event, data object)
		want   string
	}{
		"a member goes":             {func(_, d object) { delete(d["properties"].(object), "weight"); d["required"] = []any{"kind", "title"} }, ".data.weight: the member is gone"},
		"a nested member goes":      {func(_, d object) { member(d, "value")["properties"] = object{} }, ".data.value.amount: the member is gone"},
		"all members go":            {func(_, d object) { delete(member(d, "value"), "properties") }, ".data.value.amount: the member is gone"},
		"a member becomes required": {func(_, d object) { d["required"] = []any{"kind", "title", "weight", "level"} }, ".data.level: the member is now required"},
		"a new member is required": {func(e, _ object) {
			e["properties"].(object)["new"] = object{"type": "string"}
			e["required"] = []any{"data", "id", "new"}
		}, ".new: the member is now required"},
		"a member becomes optional":     {func(e, _ object) { e["required"] = []any{"data"} }, ".id: the member is now optional"},
		"nothing is required any more":  {func(e, _ object) { delete(e, "required") }, ".id: the member is now optional"},
		"a type changes":                {func(_, d object) { member(d, "weight")["type"] = "string" }, ".data.weight: type was integer and is string"},
		"a type goes":                   {func(_, d object) { delete(member(d, "weight"), "type") }, ".data.weight: type was integer and is absent"},
		"a form changes":                {func(e, _ object) { member(e, "id")["format"] = "uri" }, ".id: format was uuid and is uri"},
		"a form comes":                  {func(_, d object) { member(d, "level")["format"] = "date" }, ".data.level: format was absent and is date"},
		"a form goes":                   {func(e, _ object) { delete(member(e, "id"), "format") }, ".id: format was uuid and is absent"},
		"a pattern changes":             {func(_, d object) { member(d, "parties")["items"].(object)["pattern"] = "^b" }, ".data.parties[]: pattern was ^a and is ^b"},
		"a bound comes":                 {func(_, d object) { member(d, "weight")["maximum"] = 5.0 }, ".data.weight: maximum was absent and is 5"},
		"a bound changes":               {func(_, d object) { member(d, "weight")["minimum"] = 1.0 }, ".data.weight: minimum was 0 and is 1"},
		"a constant comes":              {func(e, _ object) { member(e, "id")["const"] = "1" }, ".id: const was absent and is 1"},
		"a listed value goes":           {func(_, d object) { alternative(d)["enum"] = []any{"a"} }, ".data.kind: the value b is gone"},
		"a value comes in a whole list": {func(_, d object) { member(d, "level")["enum"] = []any{"x", "y", "z"} }, ".data.level: the value z is new"},
		"a list comes":                  {func(e, _ object) { member(e, "id")["enum"] = []any{"x"} }, ".id: the values are now listed"},
		"a list goes":                   {func(_, d object) { delete(member(d, "level"), "enum") }, ".data.level: the values are no longer listed"},
		"a list is closed":              {func(_, d object) { member(d, "kind")["anyOf"] = list(member(d, "kind")["anyOf"])[:1] }, ".data.kind: there were 2 alternatives and are 1"},
		"an open list is narrowed": {func(_, d object) { list(member(d, "kind")["anyOf"])[1].(object)["pattern"] = "^x-" },
			".data.kind: pattern was absent and is ^x-"},
		"entries change":          {func(_, d object) { member(d, "parties")["items"] = object{"type": "integer"} }, ".data.parties[]: type was string and is integer"},
		"entries may be anything": {func(_, d object) { delete(member(d, "parties"), "items") }, ".data.parties[]: items was"},
		"texts change":            {func(_, d object) { member(d, "title")["additionalProperties"] = object{"type": "integer"} }, ".data.title.*: type was string and is integer"},
		"texts may be anything":   {func(_, d object) { delete(member(d, "title"), "additionalProperties") }, ".data.title: additionalProperties was"},
		"an object is closed":     {func(_, d object) { d["additionalProperties"] = false }, ".data: additionalProperties was absent and is false"},
		"the name changes":        {func(e, _ object) { e["$id"] = "urn:y" }, "the event: $id was urn:x and is urn:y"},
		"the dialect changes":     {func(e, _ object) { e["$schema"] = "urn:y" }, "the event: $schema was"},
		"there is an unknown keyword": {func(_, d object) { d["dependentRequired"] = object{"a": []any{"b"}} },
			".data: dependentRequired differs, and no rule says whether it may"},
	} {
		t.Run(name, func(t *testing.T) {
			found := breaks(published, change(t, c.change))
			require.NotEmpty(t, found)
			assert.Contains(t, strings.Join(found, "\n"), c.want)
		})
	}
}

func alternative(data object) object { return list(member(data, "kind")["anyOf"])[0].(object) }

func TestWhatMayBeAdded(t *testing.T) {
	published := change(t, func(object, object) {})
	for name, f := range map[string]func(event, data object){
		"an optional member":            func(_, d object) { d["properties"].(object)["new"] = object{"type": "string"} },
		"an optional extension":         func(e, _ object) { e["properties"].(object)["principal"] = object{"type": "string"} },
		"a value in an open list":       func(_, d object) { alternative(d)["enum"] = []any{"a", "c", "b"} },
		"other words":                   func(e, d object) { e["title"] = "B"; member(d, "weight")["description"] = "Heavy." },
		"an example":                    func(e, _ object) { member(e, "id")["examples"] = []any{"x"} },
		"the order of what is required": func(e, _ object) { e["required"] = []any{"id", "data"} },
	} {
		t.Run(name, func(t *testing.T) { assert.Empty(t, breaks(published, change(t, f))) })
	}
}

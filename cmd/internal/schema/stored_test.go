package schema_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2"
	"github.com/google/uuid"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
	"github.com/milepost-ledger/milepost/cmd/internal/schema"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/catalogue"
	"github.com/milepost-ledger/milepost/domain/domaintest"
	"github.com/milepost-ledger/milepost/eventstore"
)

// forms has the schema of each event type, in its closed variant: what writes
// events must write nothing that is not said.
type forms map[string]*jsonschema.Schema

func closedForms(t testing.TB) forms {
	t.Helper()
	all := forms{}
	for _, name := range names() {
		s := parsed(t, encoded(t, name))
		closed(s)
		all[name] = compiled(t, name, s)
	}
	return all
}

func compiled(t testing.TB, name string, s any) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	require.NoError(t, c.AddResource("https://test.invalid/"+name, s))
	compiled, err := c.Compile("https://test.invalid/" + name)
	require.NoError(t, err, name)
	return compiled
}

// closed allows no members and values but those that the schema names.
func closed(v any) {
	switch v := v.(type) {
	case object:
		if _, said := v["additionalProperties"]; v["properties"] != nil && !said {
			v["additionalProperties"] = false
		}
		if alternatives := list(v["anyOf"]); openList(alternatives) {
			v["anyOf"] = alternatives[:1]
		}
		for _, member := range v {
			closed(member)
		}
	case []any:
		for _, item := range v {
			closed(item)
		}
	}
}

// holds checks stored bytes against the schema of their type, and reads them as
// others do.
func (f forms) holds(t require.TestingT, raw []byte) {
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	require.NoError(t, err)
	name := v.(object)["type"].(string)
	require.Contains(t, f, name)
	require.NoError(t, f[name].Validate(v), "%s", raw)
	isCloudEvent(t, raw)
}

// isCloudEvent reads stored bytes with the SDK of CloudEvents: it must find a
// valid event, and everything in it as it is stored.
func isCloudEvent(t require.TestingT, raw []byte) {
	var e cloudevents.Event
	require.NoError(t, json.Unmarshal(raw, &e), "%s", raw)
	require.NoError(t, e.Validate(), "%s", raw)
	var stored map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(raw, &stored))

	seen := map[string]any{
		"specversion": e.SpecVersion(), "id": e.ID(), "source": e.Source(), "type": e.Type(), "subject": e.Subject(),
		"time": e.Time().Format(domain.TimeFormat), "datacontenttype": e.DataContentType(), "data": json.RawMessage(e.Data()),
	}
	maps.Copy(seen, e.Extensions())
	require.Len(t, seen, len(stored))
	for name, value := range seen {
		again := domain.EncodeValue(value)
		require.JSONEq(t, string(stored[name]), string(again), name)
	}
}

// Every stored event holds to its schema and is a CloudEvent: the golden ones,
// which are of every type and version that there ever was, those of the demo,
// and those of random histories.
func TestStoredEventsHoldToTheirSchemas(t *testing.T) {
	f := closedForms(t)
	t.Run("golden", func(t *testing.T) {
		for _, eventType := range catalogue.EventTypes() {
			t.Run(eventType.Type, func(t *testing.T) { f.holds(t, golden(t, eventType.Type)) })
		}
	})
	t.Run("demo", func(t *testing.T) {
		types := map[string]bool{}
		for rec := range demo(t) {
			f.holds(t, rec.Data)
			var e struct{ Type string }
			require.NoError(t, json.Unmarshal(rec.Data, &e))
			types[e.Type] = true
		}
		assert.Greater(t, len(types), 50)
	})
	t.Run("random histories", func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) {
			version := uint64(0)
			domaintest.History(t, 40, func(_ domaintest.World, s domaintest.Step) {
				for _, e := range s.Events {
					version++
					f.holds(t, envelope(s, e, version))
				}
			})
		})
	})
}

// envelope stores an event of a history as the ledger does.
func envelope(s domaintest.Step, e domain.Event, version uint64) []byte {
	ref, e := domaintest.Locate(s.Command.Ref(), e)
	env := domain.Envelope{
		ID: uuid.NewString(), Source: "/ledgers/main", Ref: ref, Type: e.Type(), Time: time.Date(2024, 6, 15, 9, 0, 0, 0, time.UTC), Version: version,
		Actor: "anonymous", Principal: []string{"", "administrator"}[version%2], Party: s.Meta.ActingFor, Effective: max(s.Meta.Effective, 1), Reason: s.Meta.Reason, Note: s.Meta.Note, Corrects: s.Meta.Corrects,
		Evidence: s.Meta.Evidence, CommandID: uuid.NewString(), CommandHash: strings.Repeat("0", 32), Data: domain.EncodeEvent(e),
	}
	return env.Append(nil)
}

func golden(t *testing.T, eventType string) []byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "..", "domain", "catalogue", "testdata", "golden", eventType+".json"))
	require.NoError(t, err)
	return bytes.TrimSpace(raw)
}

// demo yields the events of the demo's ledger, as its log has them.
func demo(t *testing.T) func(func(eventstore.Record) bool) {
	t.Helper()
	store, err := eventstore.Open(t.Context(), eventstore.Config{Dir: t.TempDir(), Ledger: "main", Timezone: "Asia/Shanghai"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	zone, err := time.LoadLocation("Asia/Shanghai")
	require.NoError(t, err)
	l := ledger.New(store, ledger.Options{Name: "main", Location: zone})
	dir := filepath.Join("..", "..", "milepost", "demo")
	evidence, err := filepath.Glob(filepath.Join(dir, "evidence", "*"))
	require.NoError(t, err)
	for _, name := range evidence {
		file, err := os.ReadFile(name)
		require.NoError(t, err)
		_, err = store.PutEvidence(t.Context(), bytes.NewReader(file), "")
		require.NoError(t, err)
	}
	commands, err := os.ReadFile(filepath.Join(dir, "wuxi-cethik.jsonl"))
	require.NoError(t, err)
	_, err = l.Import(t.Context(), ledger.Lines(bytes.NewReader(commands)), nil)
	require.NoError(t, err)
	last, err := store.Last(t.Context())
	require.NoError(t, err)
	return func(yield func(eventstore.Record) bool) {
		for rec, err := range store.Read(t.Context(), 1, last, "") {
			require.NoError(t, err)
			if !yield(rec) {
				return
			}
		}
	}
}

// The closed variant finds what is not said, and the open one lets it pass.
func TestOnlyTheClosedVariantRefusesAdditions(t *testing.T) {
	name := "milepost.party.registered.v1"
	open, shut := compiled(t, name, parsed(t, encoded(t, name))), closedForms(t)[name]
	for what, change := range map[string]func(e object){
		"an extension":   func(e object) { e["tenant"] = "x" },
		"a member":       func(e object) { e["data"].(object)["colour"] = "x" },
		"a listed value": func(e object) { e["data"].(object)["kind"] = "x" },
	} {
		e := parsed(t, golden(t, name))
		change(e)
		assert.NoError(t, open.Validate(e), what)
		assert.Error(t, shut.Validate(e), what)
	}
	for what, change := range map[string]func(e object){
		"another type":    func(e object) { e["type"] = "milepost.party.changed.v1" },
		"another subject": func(e object) { e["subject"] = "project/iot-base" },
		"no version":      func(e object) { delete(e, "version") },
		"no key":          func(e object) { delete(e["data"].(object), "party") },
		"a wrong key":     func(e object) { e["data"].(object)["party"] = "UPPER" },
		"a wrong kind":    func(e object) { e["data"].(object)["kind"] = 7 },
		"no name":         func(e object) { e["data"].(object)["title"] = object{} },
		"a wrong date":    func(e object) { e["effective"] = "2024-02-30" },
	} {
		e := parsed(t, golden(t, name))
		change(e)
		assert.Error(t, open.Validate(e), what)
	}
}

func TestUnknownTypesAreNamedAlike(t *testing.T) {
	_, err := schema.Named("milepost.project.milestone-reforcast.v1")
	assert.ErrorContains(t, err, "milepost.project.milestone-reforecast.v1")
}

// What a reader meets has words for everything.
func TestEveryMemberIsDescribed(t *testing.T) {
	for _, eventType := range catalogue.EventTypes() {
		s := schema.Event(eventType)
		assert.NotEmpty(t, s.Description, eventType.Type)
		for name, property := range s.Properties {
			assert.Regexp(t, `^[A-Z].*\.$`, property.Description, "%s %s", eventType.Type, name)
		}
		for name, property := range s.Properties["data"].Properties {
			assert.Regexp(t, `^[A-Z].*\.$`, property.Description, "%s data.%s", eventType.Type, name)
		}
	}
}

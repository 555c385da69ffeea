package schema_test

import (
	"compress/gzip"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/schema"
	"github.com/milepost-ledger/milepost/domain/catalogue"
)

func asyncAPI(t *testing.T, of schema.Source) object {
	t.Helper()
	raw, err := schema.Encode(schema.AsyncAPI(of))
	require.NoError(t, err)
	return parsed(t, raw)
}

// official is the specification's own schema of documents.
func official(t *testing.T) *jsonschema.Schema {
	t.Helper()
	file, err := os.Open("testdata/asyncapi/3.0.0.json.gz")
	require.NoError(t, err)
	defer func() { _ = file.Close() }()
	raw, err := gzip.NewReader(file)
	require.NoError(t, err)
	var doc any
	require.NoError(t, json.NewDecoder(raw).Decode(&doc))
	c := jsonschema.NewCompiler()
	require.NoError(t, c.AddResource("http://asyncapi.com/definitions/3.0.0/asyncapi.json", doc))
	s, err := c.Compile("http://asyncapi.com/definitions/3.0.0/asyncapi.json")
	require.NoError(t, err)
	return s
}

func TestAsyncAPIIsValid(t *testing.T) {
	s := official(t)
	for name, of := range map[string]schema.Source{
		"served":   {Ledger: "main", Version: "1.2.3", Address: "127.0.0.1:8080", NATS: "10.0.0.1:4222", TLS: true},
		"off line": {Ledger: "wuxi", Version: "1.2.3"},
	} {
		t.Run(name, func(t *testing.T) {
			doc := asyncAPI(t, of)
			require.NoError(t, s.Validate(doc))
			doc["operations"].(object)["receiveFromNats"].(object)["action"] = "read"
			require.Error(t, s.Validate(doc), "the schema finds what is wrong")
		})
	}
}

// All references lead somewhere, which the specification's schema does not look at.
func TestAsyncAPIRefersToWhatIsThere(t *testing.T) {
	doc := asyncAPI(t, schema.Source{Ledger: "main", Version: "1.2.3"})
	refs := 0
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case object:
			if ref, ok := v["$ref"].(string); ok {
				refs++
				var at any = doc
				for name := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
					at = at.(object)[name]
				}
				assert.NotNil(t, at, ref)
			}
			for _, member := range v {
				walk(member)
			}
		case []any:
			for _, item := range v {
				walk(item)
			}
		}
	}
	walk(doc)
	assert.Greater(t, refs, 3*len(catalogue.EventTypes()))
}

// Every channel has every event type, and what comes holds to its message.
func TestEventsHoldToTheirMessages(t *testing.T) {
	doc := asyncAPI(t, schema.Source{Ledger: "main", Version: "1.2.3"})
	for channel, c := range doc["channels"].(object) {
		messages := c.(object)["messages"].(object)
		others := 0
		if channel == "sse" {
			others = 1 // why the stream ends
		}
		require.Len(t, messages, len(catalogue.EventTypes())+others, channel)
		for _, eventType := range catalogue.EventTypes() {
			m := messages[eventType.Type].(object)
			assert.Equal(t, object{"$ref": "#/components/schemas/" + eventType.Type}, m["payload"], channel)
		}
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	require.NoError(t, c.AddResource("https://test.invalid/asyncapi.json", doc))
	for _, eventType := range catalogue.EventTypes() {
		s, err := c.Compile("https://test.invalid/asyncapi.json#/components/schemas/" + eventType.Type)
		require.NoError(t, err)
		e := parsed(t, golden(t, eventType.Type))
		assert.NoError(t, s.Validate(e), eventType.Type)
		e["type"] = "milepost.other.v1"
		assert.Error(t, s.Validate(e), eventType.Type)
	}
	assert.Equal(t, "milepost.main.{agreement}.{kind}.{key}", doc["channels"].(object)["nats"].(object)["address"])
}

// A reader is told where to go, as far as that is known.
func TestServersAreThoseOfTheLedger(t *testing.T) {
	servers := asyncAPI(t, schema.Source{Ledger: "main", Address: "ledger.example:443", TLS: true, NATS: "nats.example:4222"})["servers"].(object)
	assert.Equal(t, "ledger.example:443", servers["api"].(object)["host"])
	assert.Equal(t, "https", servers["api"].(object)["protocol"])
	assert.Equal(t, "nats.example:4222", servers["nats"].(object)["host"])
	unknown := asyncAPI(t, schema.Source{Ledger: "main"})["servers"].(object)["nats"].(object)
	assert.Equal(t, "{host}", unknown["host"])
	assert.Equal(t, "127.0.0.1:4222", unknown["variables"].(object)["host"].(object)["default"])
}

package api

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/catalogue"
)

type object = map[string]any

// at walks a document by member names.
func at(t *testing.T, doc object, path ...string) object {
	t.Helper()
	for _, name := range path {
		next, ok := doc[name].(object)
		require.True(t, ok, "%s of %v", name, path)
		doc = next
	}
	return doc
}

func document(t *testing.T, r *rig) object {
	t.Helper()
	var doc object
	r.get("/openapi.json").is(http.StatusOK).into(&doc)
	return doc
}

func TestOpenAPI(t *testing.T) {
	r := start(t)
	doc := document(t, r)

	assert.Equal(t, "3.1.0", doc["openapi"])
	assert.Equal(t, "1.2.3", at(t, doc, "info")["version"])

	t.Run("has every route", func(t *testing.T) {
		r := r.on(t)
		for _, pattern := range r.server.mux.all {
			if pattern == "POST /v1/commands/{command}" { // only answers which commands there are
				continue
			}
			if isPage(pattern) { // for people
				continue
			}
			method, path, _ := strings.Cut(pattern, " ")
			op := at(t, doc, "paths", path, strings.ToLower(method))
			assert.NotEmpty(t, op["operationId"], pattern)
			assert.NotEmpty(t, op["summary"], pattern)
		}
	})
	t.Run("has sound operations", func(t *testing.T) {
		ids := map[string]bool{}
		for path, item := range at(t, doc, "paths") {
			for method, v := range item.(object) {
				op := v.(object)
				id := op["operationId"].(string)
				assert.False(t, ids[id], "%s is there twice", id)
				ids[id] = true
				checkParameters(t, path, op)
				var ok bool
				for status, answer := range at(t, op, "responses") {
					assert.NotEmpty(t, answer.(object)["description"], "%s %s %s", method, path, status)
					ok = ok || status[0] == '2'
					if status[0] >= '4' {
						at(t, answer.(object), "content", problemType)
					}
				}
				assert.True(t, ok, "%s %s says what its success is", method, path)
			}
		}
	})
	t.Run("has every schema that it refers to", func(t *testing.T) {
		schemas := at(t, doc, "components", "schemas")
		refs := 0
		walk(doc, func(o object) {
			if ref, ok := o["$ref"].(string); ok {
				refs++
				assert.Contains(t, schemas, strings.TrimPrefix(ref, "#/components/schemas/"))
			}
		})
		assert.Greater(t, refs, len(catalogue.Commands()))
	})
	t.Run("has sound schemas", func(t *testing.T) {
		walk(doc["components"].(object), func(o object) {
			properties, ok := o["properties"].(object)
			if !ok {
				return
			}
			assert.Equal(t, "object", o["type"])
			required, _ := o["required"].([]any)
			for _, name := range required {
				assert.Contains(t, properties, name)
			}
		})
		walk(doc, func(o object) {
			if typ, ok := o["type"].(string); ok && o["name"] == nil { // "text" is the catalogue's own
				assert.Contains(t, []string{"object", "array", "string", "integer", "number", "boolean", "apiKey"}, typ)
			}
		})
	})
	t.Run("sends nobody elsewhere", func(t *testing.T) {
		r := r.on(t)
		raw := string(r.get("/openapi.json").body)
		assert.NotContains(t, raw, "http://")
		assert.NotContains(t, raw, "https://")
		r.get("/docs").problem(http.StatusNotFound, CodeUnknownRoute)
	})
}

// checkParameters compares a path's variables with its declared parameters.
func checkParameters(t *testing.T, path string, op object) {
	t.Helper()
	var variables, declared []string
	for part := range strings.SplitSeq(path, "/") {
		if strings.HasPrefix(part, "{") {
			variables = append(variables, strings.Trim(part, "{}"))
		}
	}
	parameters, _ := op["parameters"].([]any)
	for _, p := range parameters {
		p := p.(object)
		assert.NotEmpty(t, p["description"], "%s: %s", path, p["name"])
		assert.NotNil(t, p["schema"], "%s: %s", path, p["name"])
		if p["in"] == "path" {
			assert.Equal(t, true, p["required"])
			declared = append(declared, p["name"].(string))
		}
	}
	assert.ElementsMatch(t, variables, declared, path)
}

// walk calls f for each object in v.
func walk(v any, f func(object)) {
	switch v := v.(type) {
	case object:
		f(v)
		for _, member := range v {
			walk(member, f)
		}
	case []any:
		for _, item := range v {
			walk(item, f)
		}
	}
}

func TestEveryCommandIsInTheDocument(t *testing.T) {
	r := start(t)
	doc := document(t, r)
	require.NotEmpty(t, catalogue.Commands())
	for _, c := range catalogue.Commands() {
		t.Run(c.Name, func(t *testing.T) {
			r := r.on(t)
			op := at(t, doc, "paths", "/v1/commands/"+c.Name, "post")
			assert.Equal(t, c.Doc, op["summary"])
			ref := at(t, op, "requestBody", "content", "application/json", "schema")["$ref"].(string)
			schema := at(t, doc, "components", "schemas", strings.TrimPrefix(ref, "#/components/schemas/"))

			assert.Equal(t, false, schema["additionalProperties"])
			properties := at(t, schema, "properties")
			var required []any
			for _, f := range slices.Concat(c.Fields, domain.MetaFields()) {
				property := at(t, properties, f.Name)
				assert.Equal(t, f.Doc, property["description"])
				if f.Required {
					required = append(required, f.Name)
				}
				if f.Enum != nil {
					assert.Len(t, property["enum"], len(f.Enum))
				}
			}
			assert.Len(t, properties, len(c.Fields)+len(domain.MetaFields()))
			if required == nil {
				assert.Nil(t, schema["required"])
			} else {
				assert.Equal(t, required, schema["required"])
			}
			for _, status := range []string{"200", "201", "400", "404", "409", "412", "413", "415", "422", "503"} {
				at(t, op, "responses", status)
			}

			// and the ledger takes the command for one that it knows
			p := r.do(c.Name, `{"no-such-field":1}`).problem(http.StatusUnprocessableEntity, domain.CodeUnknownField)
			assert.Equal(t, "no-such-field", p.Field)
		})
	}
}

func TestCatalogue(t *testing.T) {
	r := start(t)
	var got Catalogue
	r.get("/v1/commands").is(http.StatusOK).into(&got)

	require.Len(t, got.Items, len(catalogue.Commands()))
	for i, c := range catalogue.Commands() {
		assert.Equal(t, c.Name, got.Items[i].Command)
		assert.Len(t, got.Items[i].Fields, len(c.Fields))
	}
	i := slices.IndexFunc(got.Items, func(c CommandDoc) bool { return c.Command == "register-party" })
	assert.Equal(t, "party", got.Items[i].Aggregate)
	kind := got.Items[i].Fields[slices.IndexFunc(got.Items[i].Fields, func(f FieldDoc) bool { return f.Name == "kind" })]
	assert.True(t, kind.Required)
	assert.Contains(t, kind.Enum, "academic")
	assert.Len(t, got.Common, len(domain.MetaFields()))
}

// What the document says of answers is what is answered.
func TestAnswersAreAsDocumented(t *testing.T) {
	r := start(t)
	r.scheduled()
	last := r.accessed()
	doc := document(t, r)
	for _, c := range []struct{ path, url string }{
		{"/v1/parties", "/v1/parties"},
		{"/v1/parties/{party}", "/v1/parties/wuxi"},
		{"/v1/agreements", "/v1/agreements"},
		{"/v1/agreements/{agreement}", "/v1/agreements/wuxi-2017"},
		{"/v1/agreements/{agreement}/projects", "/v1/agreements/wuxi-2017/projects"},
		{"/v1/agreements/{agreement}/projects/{project}", "/v1/agreements/wuxi-2017/projects/iot-base"},
		{"/v1/agreements/{agreement}/projects/{project}/milestones", "/v1/agreements/wuxi-2017/projects/iot-base/milestones"},
		{"/v1/agreements/{agreement}/projects/{project}/milestones/{milestone}", "/v1/agreements/wuxi-2017/projects/iot-base/milestones/design"},
		{"/v1/access", "/v1/access"},
		{"/v1/access/{principal}", "/v1/access/li-wei"},
		{"/v1/restrictions", "/v1/restrictions"},
		{"/v1/subscribers", "/v1/subscribers"},
		{"/v1/webhooks", "/v1/webhooks"},
		{"/v1/webhooks/{webhook}", "/v1/webhooks/city-ledger"},
		{"/v1/changes", "/v1/changes"},
		{"/v1/events", "/v1/events"},
		{"/v1/status", "/v1/status"},
		{"/v1/commands", "/v1/commands"},
	} {
		t.Run(c.path, func(t *testing.T) {
			r := r.on(t)
			schema := at(t, doc, "paths", c.path, "get", "responses", "200", "content", "application/json", "schema")
			url := c.url
			if c.path != "/v1/commands" {
				url = fmt.Sprintf("%s?min_seq=%d", c.url, last)
			}
			var answer any
			r.get(url).is(http.StatusOK).into(&answer)
			conforms(t, doc, schema, answer, "$")
		})
	}
}

// conforms checks the parts of JSON Schema that our documents use.
func conforms(t *testing.T, doc, schema object, v any, where string) {
	t.Helper()
	if ref, ok := schema["$ref"].(string); ok {
		schema = at(t, doc, "components", "schemas", strings.TrimPrefix(ref, "#/components/schemas/"))
	}
	if of, ok := schema["type"]; ok {
		types, ok := of.([]any)
		if !ok {
			types = []any{of}
		}
		if typ := typeOf(v); typ != "integer" || !slices.Contains(types, "number") {
			assert.Contains(t, types, typ, where)
		}
	}
	if enum, ok := schema["enum"].([]any); ok {
		assert.Contains(t, enum, v, where)
	}
	switch v := v.(type) {
	case object:
		properties, _ := schema["properties"].(object)
		required, _ := schema["required"].([]any)
		for _, name := range required {
			assert.Contains(t, v, name, where)
		}
		for name, member := range v {
			if property, ok := properties[name].(object); ok {
				conforms(t, doc, property, member, where+"."+name)
			} else if additional, ok := schema["additionalProperties"].(object); ok {
				conforms(t, doc, additional, member, where+"."+name)
			} else {
				assert.NotEqual(t, false, schema["additionalProperties"], "%s has %s, which is not documented", where, name)
			}
		}
	case []any:
		items, ok := schema["items"].(object)
		for i, item := range v {
			if ok {
				conforms(t, doc, items, item, fmt.Sprintf("%s[%d]", where, i))
			}
		}
	}
}

func typeOf(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case float64:
		if v == float64(int64(v)) {
			return "integer"
		}
		return "number"
	case []any:
		return "array"
	}
	return "object"
}

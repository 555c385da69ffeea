package api

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/schema"
	"github.com/milepost-ledger/milepost/domain/catalogue"
)

func TestSchemas(t *testing.T) {
	r := start(t)
	var index Schemas
	r.get("/v1/schemas").is(http.StatusOK).into(&index)
	require.Len(t, index.Items, len(catalogue.EventTypes()))
	conforms(t, document(t, r), at(t, document(t, r), "components", "schemas", "Schemas"), decoded(t, r.get("/v1/schemas").body), "$")

	// Each is where the list says, as the program has it.
	for _, item := range index.Items {
		answer := r.get(item.Address).is(http.StatusOK)
		assert.Equal(t, "application/schema+json", answer.header.Get("Content-Type"))
		var got object
		answer.into(&got)
		assert.Equal(t, schema.ID(item.Type), got["$id"])
		assert.Equal(t, item.Doc, got["description"])
	}
	var envelope object
	r.get(index.Envelope).is(http.StatusOK).into(&envelope)
	assert.Equal(t, schema.ID(schema.EnvelopeName), envelope["$id"])

	p := r.get("/v1/schemas/milepost.project.milestone-reforcast.v1").problem(http.StatusNotFound, catalogue.CodeUnknownEvent)
	assert.Contains(t, p.Detail, "milepost.project.milestone-reforecast.v1")
	p = r.get("/v1/schemas/nosuch").problem(http.StatusNotFound, catalogue.CodeUnknownEvent)
	assert.Contains(t, p.Detail, "milepost schema lists them")
	r.get("/v1/schemas?nosuch=1").problem(http.StatusBadRequest, CodeUnknownParameter)
}

func TestAsyncAPIIsOfThisLedger(t *testing.T) {
	r := start(t)
	var doc object
	r.get("/asyncapi.json").is(http.StatusOK).into(&doc)
	assert.Equal(t, "3.0.0", doc["asyncapi"])
	assert.Equal(t, "1.2.3", at(t, doc, "info")["version"])
	assert.Equal(t, "milepost.test.{agreement}.{kind}.{key}", at(t, doc, "channels", "nats")["address"])
	assert.Regexp(t, `^127\.0\.0\.1:[0-9]+$`, at(t, doc, "servers", "api")["host"], "where it was asked for")
}

func decoded(t *testing.T, raw []byte) (v any) {
	t.Helper()
	require.NoError(t, json.Unmarshal(raw, &v))
	return v
}

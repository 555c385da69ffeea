package schema_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/schema"
	"github.com/milepost-ledger/milepost/domain"
)

func TestWhatCommandsTake(t *testing.T) {
	one, ten := 1, 10
	for name, c := range map[string]struct {
		field domain.Field
		want  string
	}{
		"required text of people": {domain.Field{Type: "text", Required: true}, `{"oneOf":[{"type":"string","minLength":1},{"type":"object","additionalProperties":{"type":"string","minLength":1},"minProperties":1}]}`},
		"bounded string":          {domain.Field{Type: "string", Max: &ten, Doc: "A."}, `{"type":"string","description":"A.","maxLength":10}`},
		"required string":         {domain.Field{Type: "string", Required: true}, `{"type":"string","minLength":1}`},
		"date":                    {domain.Date(0).FieldSpec(), `{"type":"string","format":"date","examples":["2027-06-30"]}`},
		"enum":                    {domain.Field{Type: "string", Enum: []string{"a", "b"}}, `{"type":"string","enum":["a","b"]}`},
		"number":                  {domain.Field{Type: "integer", Min: &one, Max: &ten}, `{"type":"integer","minimum":1,"maximum":10}`},
		"list":                    {domain.Field{Type: "array", Min: &one, Items: &domain.Field{Type: "string", Pattern: "^a$"}}, `{"type":"array","items":{"type":"string","pattern":"^a$"},"minItems":1}`},
		"object": {domain.Field{Type: "object", Fields: []domain.Field{{Name: "a", Type: "boolean", Required: true}}},
			`{"type":"object","additionalProperties":false,"properties":{"a":{"type":"boolean"}},"required":["a"]}`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := json.Marshal(schema.Asked(c.field))
			require.NoError(t, err)
			assert.JSONEq(t, c.want, string(got))
		})
	}
}

package domain_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/domain"
)

// A clause is stored as it was written, but for the space in it: its names, its
// characters and its order are those that the parties sign.
func TestAClauseIsKeptAsItIsWritten(t *testing.T) {
	var changes struct {
		Changes []domain.Clause `json:"changes"`
	}
	require.NoError(t, json.Unmarshal([]byte(`{"changes": [ {"command": "add-area",
		"title": {"zh": "芯片 <&>", "en": "Chips  1.50"}, "area": "chips", "n": 1.50} ]}`), &changes))
	want := `{"changes":[{"command":"add-area","title":{"zh":"芯片 <&>","en":"Chips  1.50"},"area":"chips","n":1.50}]}`
	assert.Equal(t, want, string(domain.EncodeValue(changes)))
	require.NoError(t, json.Unmarshal([]byte(want), &changes))
	assert.Equal(t, want, string(domain.EncodeValue(changes)), "the same bytes when written again")

	for _, bad := range []string{`{"changes": [null]}`, `{"changes": ["add-area"]}`, `{"changes": [[]]}`, `{"changes": [7]}`} {
		assert.ErrorContains(t, json.Unmarshal([]byte(bad), &changes), "want a command", bad)
	}
	assert.Equal(t, "null", string(domain.EncodeValue(domain.Clause(nil))), "what says nothing can be written too")
}

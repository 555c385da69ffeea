package projections

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/domaintest"
)

// What is read of a row is what encoding/json reads of it.
func TestReadJSON(t *testing.T) {
	domaintest.Check(t, 500, func(t *rapid.T) {
		said := rapid.OneOf(rapid.SampledFrom([]string{`"`, `\`, `","`, `":"`, "{", "}]", "a\u2028b", "\x00", "\xff", "里程碑"}), rapid.StringN(1, 20, -1))
		if rapid.Bool().Draw(t, "keys") {
			var fast, slow []domain.Key
			keys := rapid.SliceOfN(rapid.StringMatching(`[a-z0-9][a-z0-9-]{0,9}`), 1, 5).Draw(t, "keys")
			for _, k := range keys {
				slow = append(slow, domain.Key(k))
			}
			require.NoError(t, readJSON(keysText(slow), &fast))
			require.Equal(t, slow, fast)
			return
		}
		text := domain.Text(rapid.MapOfN(rapid.SampledFrom([]string{"en", "zh", "zh-Hant"}), said, 1, 3).Draw(t, "text"))
		s := string(appendText(nil, text))
		var fast, slow domain.Text
		require.NoError(t, json.Unmarshal([]byte(s), &slow))
		require.NoError(t, readJSON(s, &fast))
		require.Equal(t, slow, fast, s)
	})
	for _, s := range []string{`{}`, `{"en": "A"}`, `{"en":"A","zh":"\u4e00"}`, `"A"`, `{"en":"A" }`, `null`} {
		var fast, slow domain.Text
		require.NoError(t, json.Unmarshal([]byte(s), &slow), s)
		require.NoError(t, readJSON(s, &fast), s)
		require.Equal(t, slow, fast, s)
	}
	for _, s := range []string{`[]`, `["a", "b"]`, `["a\u0062"]`, `null`} {
		var fast, slow []domain.Key
		require.NoError(t, json.Unmarshal([]byte(s), &slow), s)
		require.NoError(t, readJSON(s, &fast), s)
		require.Equal(t, slow, fast, s)
	}
	for _, s := range []string{`{"en":"A"`, `{"en":"A",}`, `{"en":1}`, `["a"`, `["a",]`, `["a"b"]`, ``} {
		require.Error(t, readJSON(s, &domain.Text{}), s)
		require.Error(t, readJSON(s, &[]domain.Key{}), s)
	}
}

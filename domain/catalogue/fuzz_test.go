package catalogue_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/catalogue"
)

// Whatever bytes a log has, they are refused, or an event that says the same when it
// is written again. Every stored event of the golden corpus is a seed.
func FuzzDecodeEvent(f *testing.F) {
	golden, err := filepath.Glob("testdata/golden/*.json")
	require.NoError(f, err)
	require.NotEmpty(f, golden)
	for _, file := range golden {
		b, err := os.ReadFile(file)
		require.NoError(f, err)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		env, event, err := catalogue.Decode(raw)
		if err != nil {
			return
		}
		require.NotNil(t, event)
		again, same, err := catalogue.Decode(env.Append(nil))
		require.NoError(t, err)
		assert.Equal(t, event, same)
		assert.Equal(t, env.ID, again.ID)
		assert.Equal(t, env.Ref, again.Ref)
		assert.Equal(t, env.Version, again.Version)
	})
}

// A date is a day that exists, in one spelling.
func FuzzParseDate(f *testing.F) {
	for _, s := range []string{"2024-02-29", "2023-02-29", "0001-01-01", "9999-12-31", "2024-1-01", "2024-13-01", "２０２４-01-01"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := domain.ParseDate(s)
		if err != nil {
			assert.Zero(t, d)
			return
		}
		assert.Equal(t, s, d.String())
	})
}

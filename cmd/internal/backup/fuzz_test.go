package backup

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// Whatever is in a file, it is refused by a code, or is a whole backup.
func FuzzBackup(f *testing.F) {
	golden, err := filepath.Glob("../../milepost/testdata/backups/*.backup")
	require.NoError(f, err)
	require.NotEmpty(f, golden)
	for _, file := range golden {
		b, err := os.ReadFile(file)
		require.NoError(f, err)
		f.Add(b)
		f.Add(b[:len(b)/3])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		sum, err := Verify(t.Context(), bytes.NewReader(b), Options{})
		if err != nil {
			var refused *Failure
			require.True(t, errors.As(err, &refused), "%v", err)
			require.NotEmpty(t, refused.Code)
			return
		}
		require.NotEmpty(t, sum.Keys)
	})
}

package main

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A file that somebody else has made while the server was asked stays, too.
func TestWhatHasComeMeanwhileStays(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "main.backup")
	err := writeWhole(file, func(w io.Writer) error {
		require.NoError(t, os.WriteFile(file, []byte("theirs"), 0o600))
		_, err := io.WriteString(w, "ours")
		return err
	})
	require.EqualError(t, err, file+" is there already, and no file is overwritten: name another one, or move it away")
	got, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, "theirs", string(got))
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, left, 1, "nothing half written is left behind")
}

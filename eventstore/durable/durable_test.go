package durable_test

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/eventstore/durable"
)

func TestWriteFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	file := filepath.Join(dir, "note")
	for _, content := range []string{"first", "second, and longer", ""} {
		require.NoError(t, durable.WriteFile(file, []byte(content), 0o600))
		got, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Equal(t, content, string(got))
		info, err := os.Stat(file)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	}
	info, err := os.Stat(dir)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), info.Mode().Perm())
	left, err := filepath.Glob(filepath.Join(dir, "*"))
	require.NoError(t, err)
	require.Equal(t, []string{file}, left, "nothing is left behind")
}

func TestCreate(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key")
	write := func(content string) error {
		return durable.Create(file, 0o600, func(w io.Writer) error {
			_, err := io.WriteString(w, content)
			return err
		})
	}
	require.NoError(t, write("first"))
	require.ErrorIs(t, write("second"), fs.ErrExist)
	got, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, "first", string(got))
	left, err := filepath.Glob(filepath.Join(filepath.Dir(file), "*"))
	require.NoError(t, err)
	require.Equal(t, []string{file}, left, "nothing is left behind")
}

func TestWriteFile_failureLeavesTheFormer(t *testing.T) {
	// given a name that cannot be replaced: it is a directory that is not empty
	dir := t.TempDir()
	taken := filepath.Join(dir, "taken")
	require.NoError(t, os.MkdirAll(filepath.Join(taken, "inside"), 0o700))
	// when it is written
	require.Error(t, durable.WriteFile(taken, []byte("x"), 0o600))
	// then it is as it was, and nothing is beside it
	require.DirExists(t, filepath.Join(taken, "inside"))
	left, err := filepath.Glob(filepath.Join(dir, "*"))
	require.NoError(t, err)
	require.Equal(t, []string{taken}, left)
}

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

func TestName_withoutLinks(t *testing.T) {
	for what, name := range map[string]func(part, path string) error{"where a free name is asked for": durable.Rename, "where it is not": durable.Claim} {
		t.Run(what, func(t *testing.T) { testName(t, name) })
	}
}

func testName(t *testing.T, name func(part, path string) error) {
	// given a file to be named where there are no links, and a name that is taken
	dir := t.TempDir()
	part, taken, free := filepath.Join(dir, "part"), filepath.Join(dir, "taken"), filepath.Join(dir, "free")
	require.NoError(t, os.WriteFile(part, []byte("new"), 0o640))
	require.NoError(t, os.WriteFile(taken, []byte("old"), 0o600))
	// then it does not get that name
	require.ErrorIs(t, name(part, taken), fs.ErrExist)
	got, err := os.ReadFile(taken)
	require.NoError(t, err)
	require.Equal(t, "old", string(got))
	// and gets another one
	require.NoError(t, name(part, free))
	got, err = os.ReadFile(free)
	require.NoError(t, err)
	require.Equal(t, "new", string(got))
	require.NoFileExists(t, part)
	// and where there is nothing to be named the name is free again
	require.Error(t, name(part, part+"2"))
	require.NoFileExists(t, part+"2")
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

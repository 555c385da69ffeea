package signin

import (
	"io/fs"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAdminToken(t *testing.T) {
	// Given a directory without one, then there is none to read,
	dir := t.TempDir()
	_, err := ReadAdminToken(dir)
	require.ErrorIs(t, err, fs.ErrNotExist)

	// when it is prepared, then it is made, for its owner alone, and stays;
	first, err := PrepareAdminToken(dir)
	require.NoError(t, err)
	assert.Regexp(t, `^mp_administrator_[A-Za-z0-9_-]{43}$`, first)
	info, err := os.Stat(AdminTokenFile(dir))
	require.NoError(t, err)
	assert.Equal(t, fs.FileMode(0o600), info.Mode().Perm())
	again, err := PrepareAdminToken(dir)
	require.NoError(t, err)
	assert.Equal(t, first, again)

	// one that others can read is refused, and the error does not tell it;
	for _, mode := range []fs.FileMode{0o640, 0o604, 0o620} {
		require.NoError(t, os.Chmod(AdminTokenFile(dir), mode))
		for _, f := range []func(string) (string, error){ReadAdminToken, PrepareAdminToken} {
			_, err = f(dir)
			require.ErrorContains(t, err, "chmod 600")
			assert.NotContains(t, err.Error(), first)
		}
	}

	// one that is gone is made anew, another one.
	require.NoError(t, os.Remove(AdminTokenFile(dir)))
	next, err := PrepareAdminToken(dir)
	require.NoError(t, err)
	assert.NotEqual(t, first, next)

	// What is no token is not taken for one.
	require.NoError(t, os.WriteFile(AdminTokenFile(dir), []byte("mp_administrator_\n"), 0o600))
	_, err = PrepareAdminToken(dir)
	assert.ErrorContains(t, err, "remove it")
}

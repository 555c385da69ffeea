package webhook

import (
	"encoding/base64"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/domain"
)

// The vector is that of the specification of Standard Webhooks' libraries.
func TestSecret_signsAsTheSpecificationSays(t *testing.T) {
	key, err := base64.StdEncoding.DecodeString("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	require.NoError(t, err)
	got := Secret{key}.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`))
	assert.Equal(t, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", got)
}

func TestSecrets(t *testing.T) {
	file := KeyFile(t.TempDir())
	one := secrets{file: file}
	first, err := one.of("hook", 1)
	require.NoError(t, err)
	info, err := os.Stat(file)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())

	// Another process with the same key comes to the same secrets, each of them its own
	another := secrets{file: file}
	again, err := another.of("hook", 1)
	require.NoError(t, err)
	assert.Equal(t, first.Reveal(), again.Reveal())
	for _, other := range []struct {
		webhook    string
		generation uint64
	}{{"hook", 2}, {"hook1", 1}, {"other", 1}} {
		s, err := another.of(domain.Key(other.webhook), other.generation)
		require.NoError(t, err)
		assert.NotEqual(t, first.Reveal(), s.Reveal(), other)
	}

	// A key that others may read, or that is none, is refused; what is in it is not told
	require.NoError(t, os.Chmod(file, 0o640))
	_, err = (&secrets{file: file}).of("hook", 1)
	require.ErrorContains(t, err, "chmod 600")
	require.NoError(t, os.Chmod(file, 0o600))
	require.NoError(t, os.WriteFile(file, []byte("hush"), 0o600))
	_, err = (&secrets{file: file}).of("hook", 1)
	require.ErrorContains(t, err, "holds no key")
	assert.False(t, strings.Contains(err.Error(), "hush"))
}

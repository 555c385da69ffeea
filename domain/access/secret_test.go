package access_test

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/access"
)

func ExampleFormatToken() {
	var secret [32]byte // drawn at random by whoever makes one
	fmt.Println(access.FormatToken("laptop", secret))
	// Output: mp_laptop_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
}

func TestATokenIsReadAsItWasWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := domain.Key(rapid.StringMatching(domain.KeyPattern).Draw(t, "key"))
		secret := [32]byte(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "secret"))
		token := access.FormatToken(key, secret)
		got, hash, ok := access.ParseToken(token)
		assert.True(t, ok)
		assert.Equal(t, key, got)
		assert.Equal(t, domain.Hash(fmt.Sprintf("%x", sha256.Sum256(secret[:]))), hash)
		assert.True(t, hash.Valid())
		assert.Len(t, token, len("mp_")+len(key)+1+43)

		// and a token that lacks a letter, or has one more, or another, is none or another
		at := rapid.IntRange(0, len(token)-1).Draw(t, "at")
		with := rapid.SampledFrom([]string{"", "_", "-", "A", "z", "=", "\n", "\xff"}).Draw(t, "with")
		for _, other := range []string{token[:at] + with + token[at+1:], token[:at] + with + token[at:]} {
			if k, h, ok := access.ParseToken(other); ok && other != token {
				assert.False(t, k == key && h == hash, "%q is taken for %q", other, token)
			}
		}
	})
}

func TestWhatIsNoToken(t *testing.T) {
	secret := strings.Repeat("A", 43)
	for _, bad := range []string{
		"", "mp_", "mp__" + secret, "mp_a", "mp_a_", "xx_a_" + secret, "a_" + secret, "MP_a_" + secret, "mp_A_" + secret, "mp_-a_" + secret,
		"mp_a_" + secret + "A", "mp_a_" + secret[1:], "mp_a_" + secret + "=", "mp_a_" + secret[2:] + "+/", "mp_a_" + secret[1:] + "B", "mp_a_b_" + secret, " mp_a_" + secret,
		"mp_a_" + secret[1:] + "\n",
	} {
		key, hash, ok := access.ParseToken(bad)
		assert.False(t, ok, bad)
		assert.Empty(t, key, bad)
		assert.Empty(t, hash, bad)
	}
}

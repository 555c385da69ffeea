package access

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"

	"github.com/milepost-ledger/milepost/domain"
)

// tokenPrefix begins each token, so that scanners for leaked secrets know one.
const tokenPrefix = "mp_"

// secretLength is that of 32 bytes in base64url without padding.
const secretLength = 43

var secretEncoding = base64.RawURLEncoding.Strict()

// FormatToken writes what a principal shows to be known: mp_<key>_<secret>, the
// secret in base64url. Whoever makes one draws secret at random; only its hash
// is told to anybody.
func FormatToken(key domain.Key, secret [32]byte) string {
	return tokenPrefix + string(key) + "_" + secretEncoding.EncodeToString(secret[:])
}

// ParseToken reads what FormatToken wrote: the key of the token and the hash of
// its secret, which are to be compared with those in the log. A key has no _ in
// it, so there is one way only to read a token.
func ParseToken(token string) (key domain.Key, hash domain.Hash, ok bool) {
	rest, ok := strings.CutPrefix(token, tokenPrefix)
	name, text, found := strings.Cut(rest, "_")
	key = domain.Key(name)
	if !ok || !found || !key.Valid() || len(text) != secretLength {
		return "", "", false
	}
	secret, err := secretEncoding.DecodeString(text)
	if err != nil || len(secret) != 32 { // the decoder skips line breaks
		return "", "", false
	}
	return key, HashSecret([32]byte(secret)), true
}

// HashSecret is what the log has of a token.
func HashSecret(secret [32]byte) domain.Hash {
	sum := sha256.Sum256(secret[:])
	return domain.Hash(hex.EncodeToString(sum[:]))
}

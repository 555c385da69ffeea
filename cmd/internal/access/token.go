package access

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"

	"github.com/milepost-ledger/milepost/domain"
)

// tokenPrefix begins each token, so that those who look for leaked secrets know
// one when they see it.
const tokenPrefix = "mp_"

// secretBytes is the length of a token's secret.
const secretBytes = 32

// ErrToken refuses what has not the form of a token.
var ErrToken = errors.New("access: not a token: want mp_<key>_<43 characters>, as milepost token create prints it")

// NewToken makes a token with that key: what its holder is told, and the hash
// that the log and the directory have.
func NewToken(key domain.Key) (token string, hash domain.Hash) {
	var secret [secretBytes]byte
	_, _ = rand.Read(secret[:]) // never fails
	return tokenPrefix + string(key) + "_" + base64.RawURLEncoding.EncodeToString(secret[:]), hashOf(secret[:])
}

// ParseToken reads a token: its key, and the hash of its secret.
func ParseToken(token string) (key domain.Key, hash domain.Hash, err error) {
	rest, ok := strings.CutPrefix(token, tokenPrefix)
	name, text, of := strings.Cut(rest, "_") // a key has no underscore, a secret may have some
	secret, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if !ok || !of || err != nil || len(secret) != secretBytes || !domain.Key(name).Valid() {
		return "", "", ErrToken
	}
	return domain.Key(name), hashOf(secret), nil
}

func hashOf(secret []byte) domain.Hash {
	sum := sha256.Sum256(secret)
	return domain.Hash(hex.EncodeToString(sum[:]))
}

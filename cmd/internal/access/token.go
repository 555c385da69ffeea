package access

import (
	"crypto/rand"
	"errors"

	"github.com/milepost-ledger/milepost/domain"
	grants "github.com/milepost-ledger/milepost/domain/access"
)

// ErrToken refuses what has not the form of a token.
var ErrToken = errors.New("access: not a token: want mp_<key>_<43 characters>, as milepost token create prints it")

// NewToken makes a token with that key: what its holder is told, and the hash
// that the log and the directory have.
func NewToken(key domain.Key) (token string, hash domain.Hash) {
	var secret [32]byte
	_, _ = rand.Read(secret[:]) // never fails
	return grants.FormatToken(key, secret), grants.HashSecret(secret)
}

// ParseToken reads a token: its key, and the hash of its secret.
func ParseToken(token string) (key domain.Key, hash domain.Hash, err error) {
	key, hash, ok := grants.ParseToken(token)
	if !ok {
		return "", "", ErrToken
	}
	return key, hash, nil
}

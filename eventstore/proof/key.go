package proof

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// NewKey makes an Ed25519 key pair of that name: skey is the secret, vkey is for
// everybody. Both are one line of text, in the form of signed notes.
func NewKey(rand io.Reader, name string) (skey, vkey string, err error) {
	if skey, vkey, err = note.GenerateKey(rand, name); err != nil {
		return "", "", err
	}
	if _, err := note.NewVerifier(vkey); err != nil {
		return "", "", fmt.Errorf("proof: a key cannot be named %q: no spaces and no +", name)
	}
	return skey, vkey, nil
}

// VerifierKey returns the public half of a signer key.
func VerifierKey(skey string) (vkey string, err error) {
	c, err := NewCosigner(skey, nil)
	if err != nil {
		return "", err
	}
	return c.Key(), nil
}

// Verifiers reads verifier keys of a ledger.
func Verifiers(vkeys ...string) ([]note.Verifier, error) {
	list := make([]note.Verifier, len(vkeys))
	for i, k := range vkeys {
		v, err := note.NewVerifier(k)
		if err != nil {
			return nil, fmt.Errorf("proof: %q is no verifier key: %w", k, err)
		}
		list[i] = v
	}
	return list, nil
}

// ReadKey reads what a key file holds: one line. It does not check the key.
func ReadKey(file []byte) (string, error) {
	key := strings.TrimSpace(string(file))
	if key == "" || strings.ContainsAny(key, "\n\r") {
		return "", errors.New("proof: a key file holds one line")
	}
	return key, nil
}

package signing

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/milepost-ledger/milepost/eventstore/durable"
	"github.com/milepost-ledger/milepost/eventstore/proof"
)

// KeyFile is where the key of the ledger in a data directory lies, unless told
// otherwise.
func KeyFile(dir string) string { return filepath.Join(dir, "ledger.key") }

// Key is a signing key.
type Key struct {
	File   string
	Secret string // never printed
	Public string // the verifier key
}

// String keeps the secret out of what is printed by mistake.
func (k Key) String() string { return k.Public }

// GoString does the same for %#v.
func (k Key) GoString() string { return "signing.Key(" + k.Public + ")" }

// NewKey makes a key of that name in a new file.
func NewKey(file, name string) (Key, error) {
	secret, public, err := proof.NewKey(rand.Reader, name)
	if err != nil {
		return Key{}, err
	}
	k := Key{File: file, Secret: secret, Public: public}
	return k, k.create()
}

// create writes the file, which is there whole or not at all; one that is there
// stays as it is.
func (k Key) create() error {
	err := durable.Create(k.File, 0o600, func(w io.Writer) error {
		_, err := io.WriteString(w, k.Secret+"\n")
		return err
	})
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already: a key is never written over", k.File)
	}
	if err != nil {
		return fmt.Errorf("write a key: %w", err)
	}
	return nil
}

// ReadKey reads a key from its file. The error is fs.ErrNotExist when there is
// none, and an *OpenKeyError when others may read it.
func ReadKey(file string) (Key, error) {
	info, err := os.Stat(file)
	if err != nil {
		return Key{}, notRead(file, err)
	}
	if loose := info.Mode().Perm() & 0o077; loose != 0 && info.Mode().IsRegular() {
		return Key{}, &OpenKeyError{File: file, Mode: info.Mode().Perm()}
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return Key{}, notRead(file, err)
	}
	k := Key{File: file}
	if k.Secret, err = proof.ReadKey(b); err == nil {
		k.Public, err = proof.VerifierKey(k.Secret)
	}
	if err != nil {
		return Key{}, fmt.Errorf("%s holds no signer key: %w", file, err)
	}
	return k, nil
}

// notRead says why a key was not read, and of one that is another user's, or in a
// directory of his, what to do.
func notRead(file string, err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%s is a key that this user cannot read: run this as the user whose file it is: %w", file, err)
	}
	return fmt.Errorf("read a key: %w", err)
}

// OpenKeyError says that a key file can be read by others than its owner.
type OpenKeyError struct {
	File string
	Mode fs.FileMode
}

func (e *OpenKeyError) Error() string {
	return fmt.Sprintf("%s can be read by others (mode %04o): chmod 600 %s, and replace the key if somebody may have read it", e.File, e.Mode, e.File)
}

package backup

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/milepost-ledger/milepost/cmd/internal/signing"
	"github.com/milepost-ledger/milepost/eventstore/durable"
)

const keysFormat = "milepost-keys/1"

// Files of secrets in a data directory. The administrator's token is none of them:
// the first start makes another.
const (
	signingKey = "ledger.key"
	webhookKey = "webhook.key"
)

// Keys are the secrets of a ledger. They are kept in a file of their own, which only
// its owner may read, and apart from the backups: whoever has both can sign in the
// ledger's name.
type Keys struct {
	Format string            `json:"format"`
	Ledger string            `json:"ledger"`
	Files  map[string][]byte `json:"files"`  // by their names in the data directory
	SHA256 map[string]string `json:"sha256"` // of each
}

// String keeps the secrets out of what is printed by mistake.
func (k Keys) String() string { return "backup.Keys(" + k.Ledger + ")" }

// GoString does the same for %#v.
func (k Keys) GoString() string { return k.String() }

// TakeKeys reads the keys that a data directory has; signing is the file of the
// ledger's, which may lie elsewhere and must be the present one of the backup.
func TakeKeys(dir, signing string, s Summary) (Keys, error) {
	k := Keys{Format: keysFormat, Ledger: s.Head.Ledger, Files: map[string][]byte{}, SHA256: map[string]string{}}
	if err := present(signing, s); err != nil {
		return k, err
	}
	for name, file := range map[string]string{signingKey: signing, webhookKey: filepath.Join(dir, webhookKey)} {
		b, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) && name == webhookKey { // made with the first webhook
			continue
		}
		if err != nil {
			return k, fmt.Errorf("read a key: %w", err)
		}
		k.Files[name], k.SHA256[name] = b, sumOf(b)
	}
	return k, nil
}

// KeyOf are the keys where there is only that of the ledger.
func KeyOf(file string) (Keys, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return Keys{}, fmt.Errorf("read a key: %w", err)
	}
	return Keys{Format: keysFormat, Files: map[string][]byte{signingKey: b}, SHA256: map[string]string{signingKey: sumOf(b)}}, nil
}

// Write writes the keys into a new file that only its owner may read. One that is there
// stays, and the error is fs.ErrExist.
func (k Keys) Write(file string) error {
	b, err := encode(k)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(file), 0o700)
	}
	if err != nil {
		return err
	}
	return durable.Create(file, 0o600, func(w io.Writer) error {
		_, err := w.Write(b)
		return err
	})
}

// ReadKeys reads what Write wrote.
func ReadKeys(file string) (k Keys, err error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return k, fmt.Errorf("read keys: %w", err)
	}
	malformed := failure(CodeKeysMalformed, "%s is no file of keys, or was damaged", file) // of whose content nothing is told
	if json.Unmarshal(b, &k) != nil || k.Format != keysFormat || len(k.Files) == 0 || len(k.Files) != len(k.SHA256) {
		return Keys{}, malformed
	}
	for name, content := range k.Files {
		if !slices.Contains([]string{signingKey, webhookKey}, name) || k.SHA256[name] != sumOf(content) {
			return Keys{}, malformed
		}
	}
	return k, nil
}

// put writes the keys into a data directory that was restored.
func (k Keys) put(dir string, s Summary) error {
	if k.Ledger != "" && k.Ledger != s.Head.Ledger {
		return failure(CodeKeysForeign, "the keys are of ledger %s, and the backup is of %s", k.Ledger, s.Head.Ledger)
	}
	for name, content := range k.Files {
		if err := durable.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			return err
		}
	}
	if k.Files[signingKey] == nil {
		return nil
	}
	return present(filepath.Join(dir, signingKey), s)
}

// present checks that a file has the key with which the ledger of a backup signs.
func present(file string, s Summary) error {
	key, err := signing.ReadKey(file)
	if err != nil {
		return err
	}
	if want := s.Keys[len(s.Keys)-1]; key.Public != want {
		return failure(CodeNotTheKey, "the ledger of this backup signs with %s, and the key that was given is %s", want, key.Public)
	}
	return nil
}

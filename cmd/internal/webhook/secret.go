package webhook

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/eventstore/durable"
)

// KeyFile is where the key lies that all secrets of a data directory are derived
// from. Whoever restores a ledger without it gives each webhook another secret.
func KeyFile(dir string) string { return filepath.Join(dir, "webhook.key") }

// masterSize is the length of that key, in bytes.
const masterSize = 32

// secrets derives the secrets of webhooks.
type secrets struct {
	file   string
	mu     sync.Mutex
	master []byte // nil until it is first needed
}

// of is the secret of a generation of a webhook.
func (s *secrets) of(webhook domain.Key, generation uint64) (Secret, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.master == nil {
		master, err := prepareMaster(s.file)
		if err != nil {
			return Secret{}, fmt.Errorf("the key of the webhooks' secrets: %w", err)
		}
		s.master = master
	}
	mac := hmac.New(sha256.New, s.master)
	_, _ = io.WriteString(mac, "milepost webhook secret\n"+string(webhook)+"\n"+strconv.FormatUint(generation, 10)) // a hash takes everything
	return Secret{mac.Sum(nil)}, nil
}

// prepareMaster reads the key, or makes one where there is none.
func prepareMaster(file string) ([]byte, error) {
	master, err := readMaster(file)
	if !errors.Is(err, fs.ErrNotExist) {
		return master, err
	}
	master = make([]byte, masterSize)
	_, _ = rand.Read(master) // it never fails
	return master, durable.Create(file, 0o600, func(w io.Writer) error {
		_, err := io.WriteString(w, base64.StdEncoding.EncodeToString(master)+"\n")
		return err
	})
}

func readMaster(file string) ([]byte, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("%s can be read by others (mode %04o): chmod 600 %s, and replace the file if somebody may have read it", file, mode, file)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	master, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(master) != masterSize {
		return nil, fmt.Errorf("%s holds no key of %d bytes in base64: put the one back that was there", file, masterSize) // err could quote it
	}
	return master, nil
}

// Secret is what a webhook's requests are signed with.
type Secret struct{ key []byte }

// Reveal is the secret as the receiver configures it, after Standard Webhooks.
func (s Secret) Reveal() string { return "whsec_" + base64.StdEncoding.EncodeToString(s.key) }

// String keeps the secret out of what is printed by mistake.
func (s Secret) String() string { return "whsec_(not shown)" }

// GoString does the same for %#v.
func (s Secret) GoString() string { return "webhook.Secret(not shown)" }

// sign is the header webhook-signature of a request.
func (s Secret) sign(id string, at time.Time, body []byte) string {
	mac := hmac.New(sha256.New, s.key)
	_, _ = fmt.Fprintf(mac, "%s.%d.", id, at.Unix()) // a hash takes everything
	_, _ = mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

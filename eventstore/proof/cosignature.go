package proof

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
)

// Cosignature is a countersignature of a checkpoint by a witness.
type Cosignature struct {
	Name    string // of the witness's key
	KeyHash uint32
	Key     string    // verifier key of the witness that it was verified with; "" when it was not
	At      time.Time // when the witness made it, to the second, UTC
	Line    string    // as it stands in the note, with its newline
}

// Key algorithms in signed notes.
const (
	algEd25519     = 1
	algCosignature = 4
)

const timestampSize = 8

// Witness verifies countersignatures made with one key. It is a note.Verifier.
type Witness struct {
	vkey string // of the key pair, spelt in the one way
	name string
	hash uint32
	key  ed25519.PublicKey
}

// NewWitness reads a verifier key as note.GenerateKey makes it. The same key
// pair signs under another key hash here, as c2sp.org/tlog-cosignature says.
func NewWitness(vkey string) (*Witness, error) {
	if _, err := note.NewVerifier(vkey); err != nil {
		return nil, fmt.Errorf("proof: %q is no verifier key: %w", vkey, err)
	}
	name, rest, _ := strings.Cut(vkey, "+")
	_, encoded, _ := strings.Cut(rest, "+")
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(raw) != 1+ed25519.PublicKeySize {
		return nil, fmt.Errorf("proof: %q is no Ed25519 verifier key", vkey)
	}
	return newWitness(name, raw[1:])
}

func newWitness(name string, key ed25519.PublicKey) (*Witness, error) {
	vkey, err := note.NewEd25519VerifierKey(name, key)
	if err != nil {
		return nil, err
	}
	h := sha256.New()
	h.Write([]byte(name + "\n"))
	h.Write([]byte{algCosignature})
	h.Write(key)
	return &Witness{vkey: vkey, name: name, hash: binary.BigEndian.Uint32(h.Sum(nil)), key: key}, nil
}

// Key is the verifier key.
func (w *Witness) Key() string { return w.vkey }

func (w *Witness) Name() string    { return w.name }
func (w *Witness) KeyHash() uint32 { return w.hash }

// Verify implements note.Verifier.
func (w *Witness) Verify(msg, sig []byte) bool {
	if len(sig) != timestampSize+ed25519.SignatureSize {
		return false
	}
	at := binary.BigEndian.Uint64(sig)
	return at <= 1<<63-1 && ed25519.Verify(w.key, cosigned(at, msg), sig[timestampSize:])
}

// cosigned is what a witness signs.
func cosigned(at uint64, checkpoint []byte) []byte {
	return fmt.Appendf(nil, "cosignature/v1\ntime %d\n%s", at, checkpoint)
}

// Cosigner countersigns checkpoints. It is a note.Signer.
type Cosigner struct {
	*Witness
	key ed25519.PrivateKey
	now func() time.Time
}

// NewCosigner reads a signer key as note.GenerateKey makes it; now tells the
// time of the countersignatures.
func NewCosigner(skey string, now func() time.Time) (*Cosigner, error) {
	if _, err := note.NewSigner(skey); err != nil {
		return nil, errors.New("proof: this is no signer key") // which must not be in an error
	}
	part := strings.SplitN(skey, "+", 5) // PRIVATE+KEY+<name>+<hash>+<key>
	raw, err := base64.StdEncoding.DecodeString(part[4])
	if err != nil || len(raw) != 1+ed25519.SeedSize || raw[0] != algEd25519 {
		return nil, errors.New("proof: this is no Ed25519 signer key")
	}
	key := ed25519.NewKeyFromSeed(raw[1:])
	w, err := newWitness(part[2], key.Public().(ed25519.PublicKey))
	return &Cosigner{w, key, now}, err
}

// Sign implements note.Signer.
func (c *Cosigner) Sign(msg []byte) ([]byte, error) {
	at := uint64(c.now().Unix())
	sig := binary.BigEndian.AppendUint64(nil, at)
	return append(sig, ed25519.Sign(c.key, cosigned(at, msg))...), nil
}

// Cosign returns the note of a checkpoint with one countersignature more.
func (c *Cosigner) Cosign(s Signed) ([]byte, error) {
	// note.Sign would drop the signatures that it cannot verify itself.
	only, err := note.Sign(&note.Note{Text: s.Text()}, c)
	if err != nil {
		return nil, err
	}
	_, signature, _ := strings.Cut(string(only), "\n\n")
	return WithLines(s.Note, signature), nil
}

// cosignature reads a signature as a countersignature, not verified; ok is false
// for one that is none.
func cosignature(sig note.Signature) (c Cosignature, ok bool) {
	raw, err := base64.StdEncoding.DecodeString(sig.Base64)
	if err != nil || len(raw) != 4+timestampSize+ed25519.SignatureSize {
		return c, false
	}
	at := time.Unix(int64(binary.BigEndian.Uint64(raw[4:])), 0).UTC()
	return Cosignature{Name: sig.Name, KeyHash: sig.Hash, At: at, Line: line(sig)}, true
}

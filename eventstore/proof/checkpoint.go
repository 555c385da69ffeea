package proof

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Checkpoint says how many leaves the tree of an origin has, and its root.
type Checkpoint struct {
	Origin string
	Size   uint64
	Root   tlog.Hash
}

const originRoot = "milepost/"

// Origin names a tree: that of a ledger, or that of one of its agreements.
func Origin(ledger, agreement string) string {
	if agreement == "" {
		return originRoot + ledger
	}
	return originRoot + ledger + "/" + agreement
}

// ParseOrigin is the inverse of Origin.
func ParseOrigin(origin string) (ledger, agreement string, err error) {
	rest, ok := strings.CutPrefix(origin, originRoot)
	ledger, agreement, of := strings.Cut(rest, "/")
	if !ok || ledger == "" || of && agreement == "" || strings.Contains(agreement, "/") {
		return "", "", fmt.Errorf("proof: %q is not the origin of a ledger's tree: want %s<ledger> or %s<ledger>/<agreement>", origin, originRoot, originRoot)
	}
	return ledger, agreement, nil
}

// Tree is what proofs are checked against.
func (c Checkpoint) Tree() tlog.Tree { return tlog.Tree{N: int64(c.Size), Hash: c.Root} }

// Text is the body of the note.
func (c Checkpoint) Text() string {
	return c.Origin + "\n" + strconv.FormatUint(c.Size, 10) + "\n" + c.Root.String() + "\n"
}

// Sign writes the note with signatures.
func (c Checkpoint) Sign(signers ...note.Signer) ([]byte, error) {
	return note.Sign(&note.Note{Text: c.Text()}, signers...)
}

// parseCheckpoint reads the body of a note, in the one spelling that it has: what
// is countersigned, and kept as evidence, is written from what was read, and must
// be what the ledger signed. A ledger writes no lines after the third, which the
// format allows for.
func parseCheckpoint(text string) (c Checkpoint, err error) {
	lines := strings.SplitN(text, "\n", 4)
	if len(lines) < 4 {
		return c, errors.New("proof: a checkpoint has three lines: origin, size and root")
	}
	c.Origin = lines[0]
	if _, _, err := ParseOrigin(c.Origin); err != nil {
		return c, err
	}
	if c.Size, err = strconv.ParseUint(lines[1], 10, 63); err != nil {
		return c, fmt.Errorf("proof: the size %q of the checkpoint is no whole number", lines[1])
	}
	if c.Root, err = tlog.ParseHash(lines[2]); err != nil {
		return c, fmt.Errorf("proof: the root %q of the checkpoint is no hash", lines[2])
	}
	if c.Text() != text {
		return c, errors.New("proof: the checkpoint is not spelt as a ledger does: origin, size and root, and nothing else")
	}
	return c, nil
}

// Signed is a checkpoint that one of the ledger's keys signed.
type Signed struct {
	Checkpoint
	Note         []byte        // with all signature lines
	Key          string        // name and hash of the ledger's key that signed, as in "milepost/main+a1b2c3d4"
	Line         string        // its signature, as it stands in the note
	Cosignatures []Cosignature // of the witnesses that Open was given, verified
	Unverified   []Cosignature // of others, as they say
}

// UnsignedError says that a checkpoint lacks a valid signature of the ledger.
type UnsignedError struct {
	Origin string // as far as it could be read
	Err    error
}

func (e *UnsignedError) Error() string {
	return fmt.Sprintf("proof: the checkpoint of %q is not signed by the ledger's key: %v", e.Origin, e.Err)
}

func (e *UnsignedError) Unwrap() error { return e.Err }

// Open reads a checkpoint. One of the ledger's keys must have signed it, and no
// signature of a known key may be wrong; the countersignatures of witnesses are
// read, those of others are left alone.
func Open(msg []byte, ledger []note.Verifier, witnesses ...*Witness) (s Signed, err error) {
	n, err := note.Open(msg, note.VerifierList(ledger...))
	if err != nil {
		origin, _, _ := strings.Cut(string(msg), "\n")
		return s, &UnsignedError{Origin: origin, Err: err}
	}
	if s.Checkpoint, err = parseCheckpoint(n.Text); err != nil {
		return s, err
	}
	s.Note = msg
	for _, sig := range n.Sigs {
		s.Key, s.Line = KeyName(sig.Name, sig.Hash), line(sig)
	}
	for _, sig := range n.UnverifiedSigs {
		c, ok := cosignature(sig)
		if !ok {
			continue
		}
		switch by, known := signedBy(witnesses, n.Text, sig); {
		case by != nil:
			c.Key = by.vkey
			s.Cosignatures = append(s.Cosignatures, c)
		case known:
			return Signed{}, &UnsignedError{Origin: s.Origin, Err: &note.InvalidSignatureError{Name: sig.Name, Hash: sig.Hash}}
		default:
			s.Unverified = append(s.Unverified, c)
		}
	}
	return s, nil
}

// signedBy finds whose a countersignature is; known tells whether it bears the
// name and hash of any. The hash has 32 bits and is soon found again by whoever
// wants it, and two parties may have one key: only the whole key tells.
func signedBy(witnesses []*Witness, text string, sig note.Signature) (by *Witness, known bool) {
	raw, err := base64.StdEncoding.DecodeString(sig.Base64)
	if err != nil || len(raw) < 4 {
		return nil, false
	}
	for _, w := range witnesses {
		if w.name != sig.Name || w.hash != sig.Hash {
			continue
		}
		if known = true; w.Verify([]byte(text), raw[4:]) {
			return w, true
		}
	}
	return nil, known
}

// Bare is the note with the ledger's signature alone.
func (s Signed) Bare() []byte { return []byte(s.Text() + "\n" + s.Line) }

// WithLines adds signature lines to a note, those that it has not yet.
func WithLines(msg []byte, lines ...string) []byte {
	text := string(msg)
	for _, l := range lines {
		if !strings.Contains(text, "\n"+l) {
			text += l
		}
	}
	return []byte(text)
}

// line is a signature as it stands in a note.
func line(sig note.Signature) string { return "— " + sig.Name + " " + sig.Base64 + "\n" }

// KeyName is a key as signatures name it, and Signed does.
func KeyName(name string, hash uint32) string { return fmt.Sprintf("%s+%08x", name, hash) }

// Unverified reads what a checkpoint says, whoever signed it, if anybody did: to
// say of which tree it is when [Open] refuses it.
func Unverified(msg []byte) (Checkpoint, error) {
	_, err := note.Open(msg, note.VerifierList())
	var unverified *note.UnverifiedNoteError
	if !errors.As(err, &unverified) {
		return Checkpoint{}, fmt.Errorf("proof: not a signed note: %w", err)
	}
	return parseCheckpoint(unverified.Note.Text)
}

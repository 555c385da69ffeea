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

// File is a proof file: one event, and that it is in the tree of a checkpoint.
type File struct {
	Event      []byte // the stored bytes
	Index      uint64 // of its leaf in the tree, from 0 on
	Hashes     tlog.RecordProof
	Checkpoint []byte // the note
}

const fileHeader = "c2sp.org/tlog-proof@v1"

// ErrNotAProof: the bytes are no proof file.
var ErrNotAProof = errors.New("proof: not a proof file")

// IsFile reports whether the bytes begin as a proof file does.
func IsFile(b []byte) bool { return strings.HasPrefix(string(b), fileHeader+"\n") }

// Marshal writes the file.
func (f File) Marshal() []byte {
	b := []byte(fileHeader + "\nextra ")
	b = base64.StdEncoding.AppendEncode(b, f.Event)
	b = append(b, "\nindex "...)
	b = strconv.AppendUint(b, f.Index, 10)
	b = append(b, '\n')
	for _, h := range f.Hashes {
		b = append(b, h.String()...)
		b = append(b, '\n')
	}
	b = append(b, '\n')
	return append(b, f.Checkpoint...)
}

// Parse reads a proof file with an event in it. The error wraps ErrNotAProof and
// says which line is wrong.
func Parse(b []byte) (f File, err error) {
	bad := func(what string, args ...any) (File, error) {
		return File{}, fmt.Errorf("%w: "+what, append([]any{ErrNotAProof}, args...)...)
	}
	head, checkpoint, ok := strings.Cut(string(b), "\n\n")
	if !ok {
		return bad("it has no empty line before a checkpoint; was it cut short?")
	}
	lines := strings.Split(head, "\n")
	if lines[0] != fileHeader {
		return bad("it does not begin with %s", fileHeader)
	}
	if len(lines) < 3 {
		return bad("it has no event and no index")
	}
	encoded, ok := strings.CutPrefix(lines[1], "extra ")
	if f.Event, err = base64.StdEncoding.DecodeString(encoded); !ok || err != nil {
		return bad("its second line is not \"extra\" and the event in base64")
	}
	digits, ok := strings.CutPrefix(lines[2], "index ")
	if f.Index, err = strconv.ParseUint(digits, 10, 63); !ok || err != nil || strconv.FormatUint(f.Index, 10) != digits {
		return bad("its third line is not \"index\" and a whole number")
	}
	for i, l := range lines[3:] {
		h, err := tlog.ParseHash(l)
		if err != nil {
			return bad("line %d is no hash", i+4)
		}
		f.Hashes = append(f.Hashes, h)
	}
	f.Checkpoint = []byte(checkpoint)
	return f, nil
}

// InclusionError says that an event is not where a proof says it is.
type InclusionError struct {
	Origin string
	Index  uint64
	Size   uint64
	Err    error
}

func (e *InclusionError) Error() string {
	return fmt.Sprintf("proof: the event is not leaf %d of the tree %s with %d leaves: %v", e.Index, e.Origin, e.Size, e.Err)
}

func (e *InclusionError) Unwrap() error { return e.Err }

// Verify opens the checkpoint, see Open, and checks that the event is in its
// tree. The error is an *UnsignedError, an *InclusionError, or says what is
// wrong with the checkpoint.
func (f File) Verify(ledger []note.Verifier, witnesses ...*Witness) (Signed, error) {
	s, err := Open(f.Checkpoint, ledger, witnesses...)
	if err != nil {
		return s, err
	}
	return s, CheckInclusion(s.Checkpoint, f.Index, tlog.RecordHash(f.Event), f.Hashes)
}

// CheckInclusion checks that a leaf is in the tree of a checkpoint; the error is
// an *InclusionError.
func CheckInclusion(c Checkpoint, index uint64, leaf tlog.Hash, hashes tlog.RecordProof) error {
	err := errors.New("the tree is not that large")
	if index < c.Size {
		err = tlog.CheckRecord(hashes, int64(c.Size), c.Root, int64(index), leaf)
	}
	if err != nil {
		return &InclusionError{Origin: c.Origin, Index: index, Size: c.Size, Err: err}
	}
	return nil
}

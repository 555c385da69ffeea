package backup

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"strconv"
)

// A tape is a tar archive (ustar) of which each byte follows from the names and
// contents of its entries: every tar reads it, and whatever is spelt otherwise was
// not written by a tapeWriter. So no byte can be changed that nothing is said of.

const (
	block   = 512
	maxName = 100
)

// headerOf is the header of an entry.
func headerOf(name string, size int64) (h [block]byte) {
	copy(h[:maxName], name)
	copy(h[100:], "0000600\x000000000\x000000000\x00") // mode, owner, group
	copy(h[124:], fmt.Sprintf("%011o\x0000000000000\x00", size))
	copy(h[148:], "        0") // the sum counts itself as spaces; then the type: a file
	copy(h[257:], "ustar\x0000")
	sum := 0
	for _, b := range h {
		sum += int(b)
	}
	copy(h[148:], fmt.Sprintf("%06o\x00 ", sum))
	return h
}

func padding(size int64) int64 { return -size & (block - 1) }

// tapeWriter writes entries, and remembers what they hash to. After an error it
// writes nothing more.
type tapeWriter struct {
	w     io.Writer
	parts []Part
	err   error
}

func (t *tapeWriter) write(b []byte) {
	if t.err == nil {
		_, t.err = t.w.Write(b)
	}
}

func (t *tapeWriter) bytes(name string, content []byte) {
	t.copy(name, int64(len(content)), bytes.NewReader(content))
}

// copy writes an entry of so many bytes of r.
func (t *tapeWriter) copy(name string, size int64, r io.Reader) {
	h := headerOf(name, size)
	t.write(h[:])
	if t.err != nil {
		return
	}
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(t.w, sum), r)
	if err == nil && n != size {
		err = fmt.Errorf("backup: %s has %d bytes, not %d", name, n, size)
	}
	t.err = err
	t.write(make([]byte, padding(size)))
	t.parts = append(t.parts, Part{Name: name, Bytes: size, SHA256: hex.EncodeToString(sum.Sum(nil))})
}

// close writes the end of the archive.
func (t *tapeWriter) close() error {
	t.write(make([]byte, 2*block))
	return t.err
}

// tapeReader reads entries. An error that is not a *Failure is one of reading.
type tapeReader struct {
	r     io.Reader
	parts []Part // all that were read to their end
	name  string // of the entry that is being read, or the last
	size  int64
	left  int64
	sum   hash.Hash
}

// next goes to the next entry; the present one must have been read. The error is
// io.EOF after the last.
func (t *tapeReader) next() (name string, size int64, err error) {
	var h [block]byte
	if err := t.full(h[:]); err != nil {
		begin := bytes.TrimRight(h[:len(nameHead)], "\x00")
		if t.name == "" && errors.As(err, new(*Failure)) && !bytes.HasPrefix([]byte(nameHead), begin) { // too short, and something else
			return "", 0, notABackup()
		}
		return "", 0, err
	}
	if h == [block]byte{} {
		return "", 0, t.end()
	}
	end := bytes.IndexByte(h[:maxName+1], 0)
	size, err = strconv.ParseInt(string(h[124:135]), 8, 64)
	if end < 1 || end > maxName || err != nil || size < 0 || headerOf(string(h[:end]), size) != h {
		if t.name == "" {
			return "", 0, notABackup()
		}
		return "", 0, failure(CodeDamaged, "the backup was damaged after %s: what follows is no entry; take another copy of it", t.name)
	}
	t.name, t.size, t.left, t.sum = string(h[:end]), size, size, sha256.New()
	return t.name, size, nil
}

// Read reads of the present entry.
func (t *tapeReader) Read(b []byte) (int, error) {
	if t.left == 0 {
		return 0, io.EOF
	}
	n, err := t.r.Read(b[:min(int64(len(b)), t.left)])
	t.left -= int64(n)
	t.sum.Write(b[:n])
	if t.left > 0 && err == io.EOF {
		err = t.short()
	}
	if t.left == 0 && err == io.EOF {
		err = nil
	}
	return n, err
}

// finish ends the present entry, which must have been read to its end.
func (t *tapeReader) finish() error {
	if t.left > 0 {
		return failure(CodeMalformed, "%s goes on after its end", t.name)
	}
	pad := make([]byte, padding(t.size))
	if err := t.full(pad); err != nil {
		return err
	}
	if len(bytes.Trim(pad, "\x00")) > 0 {
		return failure(CodeDamaged, "the backup was damaged behind %s; take another copy of it", t.name)
	}
	t.parts = append(t.parts, Part{Name: t.name, Bytes: t.size, SHA256: hex.EncodeToString(t.sum.Sum(nil))})
	return nil
}

// all reads an entry that has at most so many bytes.
func (t *tapeReader) all(most int64) ([]byte, error) {
	if t.size > most {
		return nil, failure(CodeMalformed, "%s has %d bytes, and no such entry has more than %d", t.name, t.size, most)
	}
	b := make([]byte, t.size)
	if _, err := io.ReadFull(t, b); err != nil {
		return nil, err
	}
	return b, t.finish()
}

// end checks the end of the archive, of which the first half was read.
func (t *tapeReader) end() error {
	var h [block]byte
	if err := t.full(h[:]); err != nil {
		return err
	}
	n, err := t.r.Read(make([]byte, 1))
	for n == 0 && err == nil {
		n, err = t.r.Read(make([]byte, 1))
	}
	switch {
	case n > 0 || h != [block]byte{}:
		return failure(CodeDamaged, "something follows the end of the backup")
	case err != io.EOF:
		return fmt.Errorf("read the backup: %w", err)
	}
	return io.EOF
}

func (t *tapeReader) full(b []byte) error {
	_, err := io.ReadFull(t.r, b)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return t.short()
	}
	if err != nil {
		return fmt.Errorf("read the backup: %w", err)
	}
	return nil
}

func (t *tapeReader) short() error {
	where := "in its first entry"
	if t.name != "" {
		where = "in or after " + t.name
	}
	return failure(CodeCutShort, "the backup is cut short: it ends %s; take another copy of it", where)
}

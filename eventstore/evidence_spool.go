package eventstore

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/milepost-ledger/milepost/eventstore/durable"
)

const spoolPattern = "evidence-*.part"

// spooled is evidence that came in whole and is not stored yet: its name, the
// hash, is known only after its last byte.
type spooled struct {
	*os.File // at its beginning
	hash     string
	size     int64
}

// spool takes in all of r, up to MaxEvidence, without keeping it in memory.
func (s *Store) spool(ctx context.Context, r io.Reader) (_ *spooled, err error) {
	f, err := os.CreateTemp(s.cfg.Dir, spoolPattern)
	if err != nil {
		return nil, fmt.Errorf("eventstore: take in evidence: %w", err)
	}
	file := &spooled{File: f}
	defer func() {
		if err != nil {
			file.discard()
		}
	}()
	hash := sha256.New()
	file.size, err = io.Copy(io.MultiWriter(&roomy{f}, hash), io.LimitReader(r, MaxEvidence+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("eventstore: take in evidence: %w", err)
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case file.size > MaxEvidence:
		return nil, ErrEvidenceTooLarge
	case file.size == 0:
		return nil, ErrEvidenceEmpty
	}
	file.hash = hex.EncodeToString(hash.Sum(nil))
	_, err = f.Seek(0, io.SeekStart)
	return file, err
}

// roomy leaves alone what is kept free of a disk: an upload that filled it would
// stop the log.
type roomy struct{ *os.File }

func (f *roomy) Write(b []byte) (int, error) {
	if err := durable.Room(filepath.Dir(f.Name())); err != nil {
		return 0, err
	}
	return f.File.Write(b)
}

// discard removes the file. One that cannot be removed is met again by clearSpool.
func (f *spooled) discard() {
	_ = f.Close()
	_ = os.Remove(f.Name())
}

// clearSpool removes what a process that crashed had taken in: the directory is
// locked, so nobody is taking anything in.
func (s *Store) clearSpool() error {
	left, err := fs.Glob(os.DirFS(s.cfg.Dir), spoolPattern)
	if err != nil {
		return fmt.Errorf("eventstore: data directory: %w", err)
	}
	for _, name := range left {
		if err := os.Remove(filepath.Join(s.cfg.Dir, name)); err != nil {
			return fmt.Errorf("eventstore: data directory: %w", err)
		}
	}
	return nil
}

package witness

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"github.com/milepost-ledger/milepost/eventstore/durable"
)

// memory is what a witness remembers, in a directory of its own:
//
//	ledger.vkey             the key of the ledger that it trusts
//	<origin>.checkpoint     the last checkpoint that it countersigned, / as _
//	conflict-<origin>-...   checkpoints that cannot both be true
//	lock                    held while one is compared and remembered
type memory struct{ dir string }

// lock waits until no other process compares with this memory: two that read the
// same last checkpoint could each go on from it another way.
func (m memory) lock(ctx context.Context) (unlock func() error, err error) {
	if err := os.MkdirAll(m.dir, 0o700); err != nil {
		return nil, err
	}
	lock := flock.New(filepath.Join(m.dir, "lock"), flock.SetPermissions(0o600))
	if _, err := lock.TryLockContext(ctx, 50*time.Millisecond); err != nil {
		return nil, fmt.Errorf("lock %s: %w", m.dir, err)
	}
	return lock.Close, nil
}

func (m memory) keyFile() string { return filepath.Join(m.dir, "ledger.vkey") }

func (m memory) checkpointFile(origin string) string {
	return filepath.Join(m.dir, flat(origin)+".checkpoint")
}

// flat makes a file name of an origin. Neither ledgers nor agreements have an
// underscore in their names.
func flat(origin string) string { return strings.ReplaceAll(origin, "/", "_") }

// read returns what is in a file, nil where there is none.
func read(file string) ([]byte, error) {
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return b, err
}

// write replaces a file.
func (m memory) write(file string, content []byte) error {
	return durable.WriteFile(file, content, 0o600)
}

// keepConflict writes the checkpoints of a conflict down, and returns the files.
func (m memory) keepConflict(origin string, older, newer uint64, before, now []byte) (files []string, err error) {
	for _, n := range []struct {
		what string
		size uint64
		note []byte
	}{{"before", older, before}, {"now", newer, now}} {
		if n.note == nil { // nothing was seen before
			continue
		}
		file := filepath.Join(m.dir, fmt.Sprintf("conflict-%s-%s-%d.checkpoint", flat(origin), n.what, n.size))
		if err := m.write(file, n.note); err != nil {
			return files, fmt.Errorf("keep the evidence of a conflict: %w", err)
		}
		files = append(files, file)
	}
	return files, nil
}

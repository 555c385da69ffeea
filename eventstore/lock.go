package eventstore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

func lockFile(dir string) string { return filepath.Join(dir, "lock") }

// lookTime is longer than InUse takes.
const lookTime = 50 * time.Millisecond

// InUse reports whether a process has the directory open. What it says is over
// the moment that it is said.
func InUse(dir string) bool {
	lock := flock.New(lockFile(dir), flock.SetFlag(os.O_RDONLY)) // it makes no file
	ok, err := lock.TryRLock()
	if err == nil && ok {
		_ = lock.Unlock() // and the file is closed
	}
	return err == nil && !ok
}

// takeLock locks the directory, and clears up what was interrupted in it.
func (s *Store) takeLock(ctx context.Context) error {
	if s.cfg.Dir == "" {
		return nil
	}
	if err := s.lockDir(); err != nil {
		return err
	}
	if err := settleRestore(ctx, s.cfg); err != nil {
		return err
	}
	if err := settleRewrite(s.cfg.Dir); err != nil {
		return err
	}
	if s.cfg.URL == "" {
		s.staging = newStaging(s.cfg.Dir, s.stream, s.log)
	}
	if err := s.staging.settle(); err != nil {
		return err
	}
	return s.clearSpool()
}

func (s *Store) lockDir() error {
	if err := os.MkdirAll(s.cfg.Dir, 0o750); err != nil {
		return fmt.Errorf("eventstore: data directory: %w", err)
	}
	lock := flock.New(lockFile(s.cfg.Dir))
	// Somebody may just be looking whether it is taken.
	ctx, cancel := context.WithTimeout(context.Background(), lookTime)
	defer cancel()
	switch _, err := lock.TryLockContext(ctx, lookTime/10); {
	case errors.Is(err, context.DeadlineExceeded):
		return &LockedError{Dir: s.cfg.Dir}
	case err != nil:
		return fmt.Errorf("eventstore: lock %s: %w", s.cfg.Dir, err)
	}
	s.lock = lock
	return nil
}

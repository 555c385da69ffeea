package eventstore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/milepost-ledger/milepost/eventstore/durable"
)

const (
	restoringDir = "restoring" // what Restore has not finished; no ledger
	restoredDir  = "restored"  // what it has, and not put in its place yet
)

// Restore makes a data directory of a backup, in an empty directory or one that is
// not there yet, else the error is an *OccupiedError. fill makes it, in a directory
// of its own; when it returns without error, all of that is put on disk and then in
// its place. When it fails there is nothing.
//
// At whatever point this is interrupted, Open finds all of it or refuses the
// directory with an *UnfinishedRestoreError, and Restore begins anew:
//
//  1. what is made lies in restoring, and is no ledger
//  2. restoring becomes restored: Open does the rest
//  3. what is in restored goes to where it belongs
func Restore(ctx context.Context, dir string, log *slog.Logger, fill func(*Restoring) error) (err error) {
	holder := &Store{cfg: Config{Dir: dir}}
	_, statErr := os.Stat(dir)
	if err := checkVacant(dir); err != nil {
		return err
	}
	if err := holder.lockDir(); err != nil {
		return err
	}
	work := filepath.Join(dir, restoringDir)
	defer func() {
		if err != nil { // as it was
			err = errors.Join(err, os.RemoveAll(work), os.Remove(lockFile(dir)))
		}
		err = errors.Join(err, holder.release())
		if err != nil && errors.Is(statErr, fs.ErrNotExist) {
			_ = os.Remove(dir) // where it is not empty, somebody needs it
		}
	}()
	if err := checkVacant(dir); err != nil { // now nobody else begins
		return err
	}
	if err := errors.Join(forgetStaged(work), os.RemoveAll(work)); err != nil {
		return fmt.Errorf("eventstore: remove what a restore left: %w", err)
	}
	if err := os.Mkdir(work, 0o750); err != nil {
		return fmt.Errorf("eventstore: restore: %w", err)
	}
	r := &Restoring{cfg: Config{Dir: work, Logger: log, unsynced: true}, next: 1}
	if err := errors.Join(fill(r), r.close()); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := os.Remove(lockFile(work)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("eventstore: restore: %w", err)
	}
	if err := syncAll(work); err != nil {
		return fmt.Errorf("eventstore: put what was restored on disk: %w", err)
	}
	if err := os.Rename(work, filepath.Join(dir, restoredDir)); err != nil {
		return fmt.Errorf("eventstore: put what was restored in its place: %w", err)
	}
	return settleRestore(dir)
}

// checkVacant says what is in a directory beside what an interrupted Restore left.
func checkVacant(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("eventstore: restore: %w", err)
	}
	for _, e := range entries {
		if name := e.Name(); name != restoringDir && name != filepath.Base(lockFile(dir)) && name != "lost+found" { // of a file system of its own
			return &OccupiedError{Dir: dir, Has: name}
		}
	}
	return nil
}

// SettleRestore does what Open does about a Restore that was interrupted, for those
// who look for files in a data directory before they open the log.
func SettleRestore(dir string) error {
	for _, left := range []string{restoringDir, restoredDir} {
		if _, err := os.Stat(filepath.Join(dir, left)); err == nil {
			holder := &Store{cfg: Config{Dir: dir}}
			if err := holder.lockDir(); err != nil {
				return err
			}
			return errors.Join(settleRestore(dir), holder.release())
		}
	}
	return nil
}

// settleRestore finishes a Restore that had made everything, and refuses one that
// had not. The directory is locked.
func settleRestore(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, restoringDir)); err == nil {
		return &UnfinishedRestoreError{Dir: dir}
	}
	done := filepath.Join(dir, restoredDir)
	entries, err := os.ReadDir(done)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		if err == nil {
			err = os.Rename(filepath.Join(done, e.Name()), filepath.Join(dir, e.Name()))
		}
	}
	if err == nil {
		err = durable.SyncDir(dir)
	}
	if err == nil {
		err = os.Remove(done)
	}
	if err == nil {
		err = durable.SyncDir(dir)
	}
	if err != nil {
		return fmt.Errorf("eventstore: put what was restored in its place: %w", err)
	}
	return nil
}

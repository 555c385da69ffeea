package eventstore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/milepost-ledger/milepost/eventstore/durable"
)

const (
	restoringDir = "restoring" // what Restore has not finished; no ledger
	restoredDir  = "restored"  // what it has, and not put in its place yet
)

// Restore makes a ledger of a backup: its data directory cfg.Dir, which is empty or
// not there yet, and its log and evidence in there, or on the external server
// cfg.URL, which has nothing of that ledger; else the error is an *OccupiedError.
// fill makes it, with files in a directory of its own; when it returns without
// error, all of that is put on disk and then in its place. When it fails there is
// nothing.
//
// At whatever point this is interrupted, Open finds all of it or refuses with an
// *UnfinishedRestoreError, and Restore begins anew. Where the ledger is on an external
// server that Open or Restore was not given, the error is a *RestoredElsewhereError,
// and all stays as it is:
//
//  1. what is made lies in restoring, and is no ledger; nor is what is on an external
//     server, where the log's stream says that it is unfinished
//  2. all of restoring is on disk, and that stream says that it is finished
//  3. restoring becomes restored: Open does the rest
//  4. what is in restored goes to where it belongs
//
// An embedded log is in restoring, so for it the third is what finishes it; what the
// second does on an external server lets Open in this directory go on from there.
func Restore(ctx context.Context, cfg Config, fill func(*Restoring) error) (err error) {
	if cfg.Dir == "" {
		return errors.New("eventstore: say into which directory to restore")
	}
	holder := &Store{cfg: Config{Dir: cfg.Dir}}
	_, statErr := os.Stat(cfg.Dir)
	if err := checkVacant(cfg.Dir); err != nil {
		return err
	}
	if err := holder.lockDir(); err != nil {
		return err
	}
	defer func() {
		if err != nil { // as it was
			err = errors.Join(err, removeLock(cfg.Dir))
		}
		err = errors.Join(err, holder.release())
		if err != nil && errors.Is(statErr, fs.ErrNotExist) {
			_ = os.Remove(cfg.Dir) // where it is not empty, somebody needs it
		}
	}()
	if err := settleRestore(ctx, cfg); err != nil && !errors.As(err, new(*UnfinishedRestoreError)) {
		return err
	}
	if err := checkVacant(cfg.Dir); err != nil { // now nobody else begins
		return err
	}
	r := newRestoring(cfg)
	if err := errors.Join(forgetStaged(r.Dir()), os.RemoveAll(r.Dir())); err != nil {
		return fmt.Errorf("eventstore: remove what a restore left: %w", err)
	}
	if err := os.Mkdir(r.Dir(), 0o750); err != nil {
		return fmt.Errorf("eventstore: restore: %w", err)
	}
	if err := r.make(ctx, fill); err != nil {
		undone := r.undo()
		if undone == nil {
			undone = os.RemoveAll(r.Dir())
		}
		return errors.Join(r.explain(err), undone)
	}
	if err := os.Rename(r.Dir(), filepath.Join(cfg.Dir, restoredDir)); err != nil {
		return errors.Join(fmt.Errorf("eventstore: put what was restored in its place: %w", err), r.close())
	}
	return errors.Join(settleRestore(ctx, cfg), r.close())
}

// make does the first two steps of Restore.
func (r *Restoring) make(ctx context.Context, fill func(*Restoring) error) error {
	if err := fill(r); err != nil {
		return err
	}
	if r.cfg.URL == "" { // what its server has under way must not be missing on disk
		if err := r.close(); err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := removeLock(r.Dir()); err != nil {
		return err
	}
	dir := filepath.Dir(r.Dir())
	_ = durable.SyncDir(filepath.Dir(dir)) // which may be somebody else's, and not to be read
	if err := errors.Join(syncAll(r.Dir()), durable.SyncDir(dir)); err != nil {
		return fmt.Errorf("eventstore: put what was restored on disk: %w", err)
	}
	return r.commit()
}

func removeLock(dir string) error {
	if err := os.Remove(lockFile(dir)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("eventstore: restore: %w", err)
	}
	return nil
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
func SettleRestore(ctx context.Context, cfg Config) error {
	for _, left := range []string{restoringDir, restoredDir} {
		if _, err := os.Stat(filepath.Join(cfg.Dir, left)); err == nil {
			holder := &Store{cfg: Config{Dir: cfg.Dir}}
			if err := holder.lockDir(); err != nil {
				return err
			}
			return errors.Join(settleRestore(ctx, cfg), holder.release())
		}
	}
	return nil
}

// settleRestore finishes a Restore that had made everything, and refuses one that
// had not. The directory is locked.
func settleRestore(ctx context.Context, cfg Config) error {
	dir := cfg.Dir
	work, done := filepath.Join(dir, restoringDir), filepath.Join(dir, restoredDir)
	if _, err := os.Stat(work); err == nil {
		if err := checkEnded(ctx, cfg); err != nil {
			return err
		}
		if err := os.Rename(work, done); err != nil {
			return fmt.Errorf("eventstore: put what was restored in its place: %w", err)
		}
	}
	entries, err := os.ReadDir(done)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		switch {
		case err != nil:
		case e.Name() == restoreNote:
			err = os.Remove(filepath.Join(done, e.Name()))
		default:
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

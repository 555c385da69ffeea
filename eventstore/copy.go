package eventstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/milepost-ledger/milepost/eventstore/durable"
)

// storeDir holds the files of the embedded server, in the data directory.
const storeDir = "jetstream"

// streamDir is where the embedded server keeps a stream, in a data directory.
func streamDir(dir, stream string) string {
	return filepath.Join(dir, storeDir, "jetstream", "$G", "streams", stream)
}

// OpenCopy opens a copy of the log in cfg.Dir, without its evidence, in a
// directory below temp ("" for that of the system) that Close removes. Nothing
// in cfg.Dir is written or locked: it may be a backup on a medium that cannot be
// written to. That JetStream cuts off what is damaged, when it opens it, happens
// to the copy alone. What is appended is gone with it.
//
// The error is fs.ErrNotExist when there is no log of that ledger.
func OpenCopy(ctx context.Context, cfg Config, temp string) (*Store, error) {
	if cfg.URL != "" {
		return nil, errors.New("eventstore: only an embedded log is copied from its files")
	}
	s, err := newStore(cfg)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(streamDir(cfg.Dir, s.stream)); err != nil {
		return nil, fmt.Errorf("eventstore: a log of ledger %s: %w", cfg.Ledger, err)
	}
	if s.temporary, err = os.MkdirTemp(temp, "milepost-copy-*"); err != nil {
		return nil, fmt.Errorf("eventstore: copy the log: %w", err)
	}
	s.cfg.Dir = s.temporary
	err = newStaging(cfg.Dir, s.stream, s.log).settleCopy(newStaging(s.cfg.Dir, s.stream, s.log), func() error {
		return copyStreams(ctx, cfg.Dir, s.cfg.Dir, s.evidenceBucket().stream())
	})
	if err != nil {
		return nil, errors.Join(err, s.release())
	}
	if err := s.start(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// copyStreams copies the embedded server's files from one data directory to
// another, but for one stream. There may be none.
func copyStreams(ctx context.Context, from, to, without string) error {
	without = streamDir(from, without)
	err := filepath.WalkDir(filepath.Join(from, storeDir), func(path string, d fs.DirEntry, err error) error {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, rel)
		switch {
		case path == without:
			return fs.SkipDir
		case d.IsDir():
			return os.MkdirAll(target, 0o750)
		case d.Type().IsRegular():
			return copyFile(path, target)
		case d.Type() == fs.ModeSymlink && d.Name() == stagingDir:
			return nil // see settleCopy
		default:
			return fmt.Errorf("%s is no regular file", path)
		}
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("eventstore: copy the log: %w", err)
	}
	return nil
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // only read
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o640)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// syncAll makes a directory durable, and all that is below it.
func syncAll(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return durable.SyncDir(path) // of a file, it makes the content durable
	})
}

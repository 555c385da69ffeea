// Package durable writes files that a power cut does not tear.
package durable

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Part ends the names of what an interrupted Write leaves behind.
const Part = ".part"

// Write puts what write writes into the place of the file at path, if there is
// any. When it returns without error the new file is on disk under its name; at
// any moment before, the former one is there whole. What an interruption leaves
// behind is called .<name>-*.part.
func Write(path string, perm os.FileMode, write func(io.Writer) error) error {
	return put(path, perm, write, os.Rename)
}

// Create is Write of a file that is not there yet: where one is, it stays, and
// the error is fs.ErrExist.
func Create(path string, perm os.FileMode, write func(io.Writer) error) error {
	return put(path, perm, write, Name)
}

// Name gives the file part the name path, unless that is taken: then both stay as they
// are, and the error is fs.ErrExist.
func Name(part, path string) error {
	err := os.Link(part, path)
	switch {
	case err == nil:
		return os.Remove(part)
	case errors.Is(err, fs.ErrExist):
		return err
	}
	return rename(part, path)
}

// claim is Name where there are no links, nor names that are given only where they are
// free: the name is taken with an empty file, which is then replaced.
func claim(part, path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_ = f.Close() // nothing is in it
	if err := os.Rename(part, path); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

// put writes beside path and then gives the file its name.
func put(path string, perm os.FileMode, write func(io.Writer) error, name func(part, path string) error) (err error) {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, "."+filepath.Base(path)+"-*"+Part)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name()) // the error is what to tell
		}
	}()
	out := bufio.NewWriter(f)
	if err = write(out); err == nil {
		err = out.Flush()
	}
	if err = errors.Join(err, f.Chmod(perm), f.Sync(), f.Close()); err == nil {
		err = name(f.Name(), path)
	}
	if err != nil {
		return err
	}
	return SyncDir(dir)
}

// WriteFile is Write of content, and makes the directory where there is none:
// with perm, and leave to enter for whom it lets read.
func WriteFile(path string, content []byte, perm os.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(path), perm|perm>>2&0o111); err != nil {
		return err
	}
	return Write(path, perm, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
}

// SyncDir makes the names in a directory durable, as they are now.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

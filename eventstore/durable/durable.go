// Package durable writes files that a power cut does not tear.
package durable

import (
	"errors"
	"os"
	"path/filepath"
)

// WriteFile puts a file in the place of the one at path, if there is any, and
// makes its directory where there is none. When it returns without error the new
// file is on disk under its name; at any moment before, the former one is there
// whole. perm is that of the file, and with the bits of execution added that of a
// directory that is made. What an interrupted write leaves behind is called
// writing-*.
func WriteFile(path string, content []byte, perm os.FileMode) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, perm|perm>>2&0o111); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, "writing-*")
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Chmod(perm), f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return SyncDir(dir)
}

// SyncDir makes the names in a directory durable, as they are now.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

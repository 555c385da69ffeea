package eventstore

import (
	"crypto/sha256"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/milepost-ledger/milepost/eventstore/durable"
)

// handOver makes what is staged in memory be found in the directory of the server: by a
// link, or where it has begun to stage on disk, by a copy.
func handOver(target, link string) error {
	if info, err := os.Lstat(link); err == nil && info.IsDir() {
		return copyStaged(target, link)
	}
	if _, err := os.Stat(filepath.Dir(link)); errors.Is(err, fs.ErrNotExist) {
		return nil // there is no such log, or it was put aside
	}
	return errors.Join(removeLink(link), os.Symlink(target, link))
}

// toDisk puts what is staged in memory into the directory of the server.
func (st *staging) toDisk() error {
	link, part := st.link(), st.link()+durable.Part
	if info, err := os.Lstat(link); err == nil && info.IsDir() {
		return copyStaged(st.target, link)
	}
	if err := os.RemoveAll(part); err != nil {
		return err
	}
	if err := copyStaged(st.target, part); err != nil {
		return err
	}
	if _, err := os.Stat(part); err != nil {
		return nil // nothing is
	}
	if err := removeLink(link); err != nil {
		return err
	}
	if err := os.Rename(part, link); err != nil {
		return err
	}
	return durable.SyncDir(filepath.Dir(link))
}

// settleCopy does for a copy of the log what settle does for the log, by copying that:
// what is in memory stays, and is copied first, as a server may be at work.
func (st *staging) settleCopy(to *staging, copyLog func() error) error {
	target, err := os.Readlink(st.marker())
	if staged := err == nil; staged && st.owns(target) {
		return errors.Join(copyStaged(target, to.link()), copyLog())
	} else if err := copyLog(); err != nil || !staged {
		return err
	}
	return to.cut()
}

// forgetStaged removes what is in memory for a directory that is to be removed.
func forgetStaged(dir string) error {
	st := newStaging(dir, "", nil)
	if target, err := os.Readlink(st.marker()); err == nil && st.owns(target) {
		return os.RemoveAll(target)
	}
	return nil
}

// copyStaged copies what is staged in one directory and not in the other. There may be
// nothing, and of a server that runs it comes and goes.
func copyStaged(from, to string) error {
	staged, err := os.ReadDir(from)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	copied := false
	for _, e := range staged {
		if _, err := os.Stat(filepath.Join(to, e.Name())); err == nil || strings.HasPrefix(e.Name(), ".") { // those are being removed
			continue
		}
		switch err := copyBatch(from, to, e.Name()); {
		case err == nil:
			copied = true
		case !errors.Is(err, fs.ErrNotExist):
			return err
		}
	}
	if !copied {
		return nil
	}
	return durable.SyncDir(to)
}

// copyBatch copies a staged batch, whole or not at all.
func copyBatch(from, to, name string) error {
	part := filepath.Join(to, "."+name+durable.Part)
	err := os.RemoveAll(part)
	if err == nil {
		err = os.CopyFS(part, os.DirFS(filepath.Join(from, name)))
	}
	if err == nil {
		err = syncAll(part)
	}
	if err == nil {
		err = os.Rename(part, filepath.Join(to, name))
	}
	if err != nil {
		return errors.Join(err, os.RemoveAll(part))
	}
	return nil
}

// stagedName is the name of a batch's directory, as the server makes it (getHash in
// events.go of nats-server 2.15).
func stagedName(batch string) string {
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	sum := sha256.Sum256([]byte(batch))
	name := sum[:8]
	for i, b := range name {
		name[i] = digits[int(b)%len(digits)]
	}
	return string(name)
}

// removeLink removes a link, where there is one, and nothing else.
func removeLink(link string) error {
	if _, err := os.Readlink(link); err != nil {
		return nil
	}
	return os.Remove(link)
}

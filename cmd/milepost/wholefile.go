package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// writeWhole makes a file of what write writes, which appears under its name
// only when all of it is on disk; else what was there stays.
func writeWhole(name string, write func(io.Writer) error) (err error) {
	part, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+"-*.part")
	if err != nil {
		return notWritten(name, err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(part.Name()) // the error is what to tell
		}
	}()
	out := bufio.NewWriter(part)
	err = write(out)
	if err == nil {
		err = out.Flush()
	}
	// A temporary file is its owner's alone; this one is to be like any other.
	if err = errors.Join(err, part.Chmod(0o644), part.Sync(), part.Close()); err == nil {
		err = os.Rename(part.Name(), name)
	}
	return notWritten(name, err)
}

// notWritten names the file that was asked for, not the one beside it.
func notWritten(name string, err error) error {
	var path *os.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		err = path.Err
	case errors.As(err, &link):
		err = link.Err
	default:
		return err
	}
	return fmt.Errorf("%s cannot be written: %w", name, err)
}

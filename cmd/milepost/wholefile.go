package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/milepost-ledger/milepost/eventstore/durable"
)

// writeWhole makes a file of what write writes, which appears under its name
// only when all of it is on disk; else what was there stays.
func writeWhole(name string, write func(io.Writer) error) error {
	return notWritten(name, durable.Write(name, 0o644, write))
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

package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/milepost-ledger/milepost/eventstore/durable"
)

// newFile marks a flag that names a file which the verb makes.
const newFile = "milepost-new-file"

// addNewFile gives a verb a flag that names a file which it makes. One that is there is
// refused before the verb begins: it may be a key, or what nobody has a second time.
func addNewFile(cmd *cobra.Command, file *string, name, usage string) {
	cmd.Flags().StringVar(file, name, "", usage)
	_ = cmd.Flags().SetAnnotation(name, newFile, nil) // the flag is there
}

// newFilesFree refuses what is in the place of a file that the verb is to make.
func newFilesFree(cmd *cobra.Command) (err error) {
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if _, is := f.Annotations[newFile]; is && err == nil {
			err = free(f.Name, f.Value.String())
		}
	})
	return err
}

// free refuses a file that is there; flag says which it is. There is none called "" or -.
func free(flag, name string) error {
	if _, err := os.Lstat(name); name == "-" || err != nil {
		return nil
	}
	return fmt.Errorf("--%s: %w", flag, taken(name))
}

func taken(name string) error {
	return fmt.Errorf("%s is there already, and no file is overwritten: name another one, or move it away", name)
}

// writeWhole makes a file of what write writes, which appears under its name
// only when all of it is on disk. One that is there stays, and is refused.
func writeWhole(name string, write func(io.Writer) error) error {
	return notWritten(name, durable.Create(name, 0o644, write))
}

// notWritten names the file that was asked for, not the one beside it.
func notWritten(name string, err error) error {
	var path *os.PathError
	var link *os.LinkError
	switch {
	case errors.Is(err, fs.ErrExist):
		return taken(name)
	case errors.As(err, &path):
		err = path.Err
	case errors.As(err, &link):
		err = link.Err
	default:
		return err
	}
	return fmt.Errorf("%s cannot be written: %w", name, err)
}

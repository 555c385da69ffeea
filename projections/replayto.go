package projections

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/milepost-ledger/milepost/eventstore/durable"
)

// Made tells what a file of read models was made from.
type Made struct {
	Seq    uint64 `json:"seq"`    // the last event
	Digest string `json:"digest"` // see digest.go
	Root   string `json:"root"`   // hash of the ledger's Merkle tree, base64
}

// ReplayTo makes read models of the log up to sequence to, in a SQLite file of
// their own: complete, with indexes and the views <table>_now and
// <table>_history, for anyone to query. The log is checked on the way as far as
// it can be without other read models; where it is not whole the error is a
// *Difference. A file that is there already is not touched (os.ErrExist), and one
// that cannot be finished never appears. With another replay or a rebuild under
// way it returns ErrBusy.
func (m *Models) ReplayTo(ctx context.Context, log Log, to uint64, path string, progress func(done, total uint64)) (made Made, err error) {
	if _, err := os.Lstat(path); err == nil {
		return made, &os.PathError{Op: "replay to", Path: path, Err: os.ErrExist}
	}
	part, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*.part")
	if err != nil {
		return made, fmt.Errorf("projections: %w", err)
	}
	// A temporary file is its owner's alone; this one is to be like any other.
	err = errors.Join(part.Chmod(0o644), part.Close())
	if err == nil {
		made, err = m.replayTo(ctx, log, to, part.Name(), progress)
	}
	if err == nil {
		err = durable.Name(part.Name(), path) // which one that has come meanwhile keeps from happening
	}
	_ = os.Remove(part.Name()) // the error is what to tell
	return made, err
}

// ReplayFile is ReplayTo into a file for the caller to read, which is gone when
// it is closed.
func (m *Models) ReplayFile(ctx context.Context, log Log, to uint64, progress func(done, total uint64)) (*PassingFile, Made, error) {
	f, err := os.CreateTemp(m.opts.Dir, "read-v*.db") // what is left of it by a crash is removed like any other such file
	if err != nil {
		return nil, Made{}, fmt.Errorf("projections: %w", err)
	}
	file := &PassingFile{f}
	made, err := m.replayTo(ctx, log, to, f.Name(), progress)
	if err != nil {
		return nil, made, errors.Join(err, file.Close())
	}
	return file, made, nil
}

// PassingFile is a file that is removed when it is closed.
type PassingFile struct{ *os.File }

// Close closes the file and removes it.
func (f *PassingFile) Close() error { return errors.Join(f.File.Close(), os.Remove(f.Name())) }

// replayTo fills the file at path, which is empty.
func (m *Models) replayTo(ctx context.Context, log Log, to uint64, path string, progress func(done, total uint64)) (made Made, err error) {
	if m.opts.View != nil {
		return made, errOfView
	}
	_, end, err := m.beginReplay()
	if err != nil {
		return made, err
	}
	defer end()
	last, err := log.Last(ctx)
	if err != nil {
		return made, fmt.Errorf("projections: %w", err)
	}
	switch {
	case to == 0:
		return made, &AsOfError{CodeAsOfBeforeFirst, "to", "no event had been recorded by then: give a later point"}
	case to > last:
		return made, &AsOfError{CodeAsOfInFuture, "to", fmt.Sprintf("the last event is %d", last)}
	}
	p, err := m.makeFile(ctx, log, to, path, progress, nil)
	if err != nil {
		d, err := m.differenceOf(ctx, log, err)
		if err == nil {
			err = d
		}
		return made, err
	}
	root, err := p.root()
	return Made{Seq: p.at.seq, Digest: p.at.digest.String(), Root: root.String()}, err
}

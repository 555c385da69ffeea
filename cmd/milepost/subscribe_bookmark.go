package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"

	"github.com/milepost-ledger/milepost/eventstore/durable"
)

// bookmark is how far a subscription has come, and keeps that in a file, if it has
// one. With an output file it is also the taker of the events: they are in
// that file exactly once, whenever the program is killed, because the bookmark says
// how long the file was when it was there, and opening cuts off the rest.
type bookmark struct {
	kept   kept
	known  bool // else the beginning is now, which the server will say
	file   string
	lock   *flock.Flock
	out    *os.File // nil without an output file
	length int64    // of out
}

// kept is what the file has.
type kept struct {
	Seq      uint64  `json:"seq"`
	OutBytes *int64  `json:"out_bytes,omitempty"` // length of the output file, where there is one
	Filter   *string `json:"filter,omitempty"`    // which events are taken; nil where a former version wrote it
}

// openBookmark reads the place from file, or begins after a sequence, nil for now,
// where there is none. out is the output file; either may be "". filter says which events
// are taken: by that of another, those would be left out that only this one takes. Nobody
// else may have the place open.
func openBookmark(file, out, filter string, after *uint64) (b *bookmark, err error) {
	b = &bookmark{file: file, known: after != nil, kept: kept{Filter: &filter}}
	if after != nil {
		b.kept.Seq = *after
	}
	if file == "" {
		return b, nil
	}
	defer func() {
		if err != nil {
			b.close()
		}
	}()
	b.lock = flock.New(file + ".lock")
	if ok, err := b.lock.TryLock(); err != nil {
		return b, fmt.Errorf("--position %s: %w", file, err)
	} else if !ok {
		return b, fmt.Errorf("--position %s: another milepost subscribe goes by this file; stop it, or name another", file)
	}
	raw, err := os.ReadFile(file)
	found := err == nil
	switch {
	case found:
		b.kept, b.known = kept{}, true
		if err := json.Unmarshal(raw, &b.kept); err != nil {
			return b, fmt.Errorf("--position %s is not a position that milepost subscribe wrote: %w", file, err)
		}
	case !errors.Is(err, fs.ErrNotExist):
		return b, fmt.Errorf("--position: %w", err)
	}
	if b.kept.Filter == nil {
		b.kept.Filter = &filter
	}
	switch was := *b.kept.Filter; {
	case was != filter:
		return b, fmt.Errorf("--position %s is that of a subscription to %s: give the same --agreement, --kind and --type, or take another position", file, cmp.Or(was, "all events"))
	case found && out == "" && b.kept.OutBytes != nil:
		return b, fmt.Errorf("--position %s is that of an output file: name it with --out", file)
	case found && out != "" && b.kept.OutBytes == nil:
		return b, fmt.Errorf("--position %s is not that of an output file: leave out --out, or take another position", file)
	case out != "":
		return b, b.openOut(out)
	}
	return b, nil
}

// openOut opens the output file and cuts it back to what the place vouches for.
func (b *bookmark) openOut(name string) (err error) {
	if b.out, err = os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o644); err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	size, err := b.out.Seek(0, io.SeekEnd)
	switch {
	case err != nil:
		return fmt.Errorf("--out: %w", err)
	case b.kept.OutBytes == nil && size > 0:
		return fmt.Errorf("--out %s has something in it, and --position %s is not there to say how much of it counts: name a new file", name, b.file)
	case b.kept.OutBytes == nil:
		b.kept.OutBytes = new(int64)
	case size < *b.kept.OutBytes:
		return fmt.Errorf("--out %s has %d bytes, and %d by --position %s: it was cut; restore it, or remove both to begin again",
			name, size, *b.kept.OutBytes, b.file)
	}
	b.length = *b.kept.OutBytes
	if err := b.out.Truncate(b.length); err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	if _, err := b.out.Seek(b.length, io.SeekStart); err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	if err := durable.SyncDir(filepath.Dir(name)); err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	if b.known { // before anything is in the file, or the next run would not know what it is
		return b.save()
	}
	return nil
}

// after is the last sequence that is done with; nil for now, where nothing was.
func (b *bookmark) after() *uint64 {
	if !b.known {
		return nil
	}
	seq := b.kept.Seq
	return &seq
}

// moveTo keeps a sequence as the place, on disk before it returns.
func (b *bookmark) moveTo(seq uint64) error {
	if b.known && seq == b.kept.Seq {
		return nil
	}
	b.kept.Seq, b.known = seq, true
	if b.out != nil {
		*b.kept.OutBytes = b.length
	}
	return b.save()
}

func (b *bookmark) save() error {
	if b.file == "" {
		return nil
	}
	raw, err := json.Marshal(b.kept)
	if err == nil {
		err = durable.WriteFile(b.file, append(raw, '\n'), 0o644)
	}
	return notWritten(b.file, err)
}

func (b *bookmark) close() {
	if b.out != nil {
		_ = b.out.Close() // what counts was synced
	}
	if b.lock != nil {
		_ = b.lock.Unlock()
	}
}

func (b *bookmark) most() int { return batchEvents }

// take appends events to the output file, on disk before it returns.
func (b *bookmark) take(_ context.Context, events []streamed) error {
	lines := appendLines(nil, events)
	if _, err := b.out.Write(lines); err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	if err := b.out.Sync(); err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	b.length += int64(len(lines))
	return nil
}

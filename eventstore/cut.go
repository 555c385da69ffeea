package eventstore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/milepost-ledger/milepost/eventstore/durable"
)

// tornBatch is where a batch begins that the log ends in the middle of.
type tornBatch struct {
	batch string
	seq   uint64 // its first record
	at    int    // where that begins, in the first of blocks
	// The blocks that have some of it, the first of them first.
	blocks []*block
}

// cutTorn takes an atomic batch from the end of a log that ends in the middle of it,
// and returns it, or nil when the log ends in none. It is for a log whose server does
// not run. Nothing of such a batch was acknowledged, and no reader of this package has
// seen any of it. Interrupted at whatever point, it leaves a log that ends in the same
// batch. A batch that the server has staged is left to it, and so is a log that is
// damaged where it matters: what is missing there may have been acknowledged.
func cutTorn(dir, stream string) (*tornBatch, error) {
	msgs := filepath.Join(dir, "msgs")
	torn, err := findTorn(msgs, stream)
	if torn == nil || err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(dir, stagingDir, stagedName(torn.batch))); err == nil {
		return nil, nil
	}
	// First the server's summary of the blocks: without it, it reads them.
	steps := []func() error{func() error { return removeFile(filepath.Join(msgs, "index.db")) }}
	for i, b := range slices.Backward(torn.blocks) {
		if i > 0 || torn.at == 0 {
			steps = append(steps, func() error { return os.Remove(b.path) })
		} else {
			steps = append(steps, func() error {
				return errors.Join(os.Truncate(b.path, int64(torn.at)), durable.SyncDir(b.path)) // of a file, its content
			})
		}
	}
	for _, step := range steps {
		if err := errors.Join(step(), durable.SyncDir(msgs)); err != nil { // each on disk before the next
			return nil, fmt.Errorf("eventstore: cut off a torn batch: %w", err)
		}
	}
	return torn, nil
}

func removeFile(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// findTorn goes through the blocks from the last one back, to where the batch began.
func findTorn(msgs, stream string) (*tornBatch, error) {
	blocks, err := blocksIn(msgs, stream)
	if err != nil {
		return nil, err
	}
	torn := &tornBatch{}
	for i, b := range slices.Backward(blocks) {
		if b.bytes, err = os.ReadFile(b.path); err != nil {
			return nil, fmt.Errorf("eventstore: look for a torn batch: %w", err)
		}
		begins, end, last, in := false, 0, uint64(0), ""
		for r := range b.records(0) {
			p := placeIn(r.headers)
			end, last, in = r.end, r.seq, p.id
			switch {
			case p.id == "" || p.last:
				begins, torn.batch = true, ""
			case p.n == "1":
				begins, torn.batch, torn.seq, torn.at = true, p.id, r.seq, r.begin
			}
		}
		// Behind a damaged record there are more; behind the last one a power cut may
		// leave some of the same batch.
		if i < len(blocks)-1 && end < len(b.bytes) || b.othersBehind(end, last, in) {
			return nil, nil
		}
		torn.blocks = blocks[i:]
		if begins {
			break
		}
	}
	if torn.batch == "" || !torn.goesOn() {
		return nil, nil
	}
	return torn, nil
}

// goesOn says that the records from the batch's first on are its own, without a gap.
func (t *tornBatch) goesOn() bool {
	var batch batchCheck
	next := t.seq
	for _, b := range t.blocks {
		for r := range b.records(next) {
			if r.seq != next || batch.check(r.seq, placeIn(r.headers)) != nil {
				return false
			}
			next++
		}
	}
	return batch.open() == t.batch
}

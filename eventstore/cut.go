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
// not run, and cannot finish what it had begun: of such a batch nothing was
// acknowledged, and nobody has read anything, as the server shows it when it is
// whole. Interrupted at whatever point, it leaves a log that ends in the same batch.
func cutTorn(dir, stream string) (*tornBatch, error) {
	msgs := filepath.Join(dir, "msgs")
	torn, err := findTorn(msgs, stream)
	if torn == nil || err != nil {
		return nil, err
	}
	// The server's summary of the blocks: without it, it reads them.
	if err := os.Remove(filepath.Join(msgs, "index.db")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("eventstore: cut off a torn batch: %w", err)
	}
	if err := durable.SyncDir(msgs); err != nil {
		return nil, fmt.Errorf("eventstore: cut off a torn batch: %w", err)
	}
	for i, b := range slices.Backward(torn.blocks) {
		if i == 0 && torn.at > 0 {
			err = errors.Join(os.Truncate(b.path, int64(torn.at)), durable.SyncDir(b.path)) // of a file, its content
		} else {
			err = os.Remove(b.path)
		}
		if err != nil {
			return nil, fmt.Errorf("eventstore: cut off a torn batch: %w", err)
		}
	}
	if err := durable.SyncDir(msgs); err != nil {
		return nil, fmt.Errorf("eventstore: cut off a torn batch: %w", err)
	}
	return torn, nil
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
		begins, records := false, 0
		for r := range b.records(0) {
			records++
			switch p := placeIn(r.headers); {
			case p.id == "" || p.last:
				begins, torn.batch = true, ""
			case p.n == "1":
				begins, torn.batch, torn.seq, torn.at = true, p.id, r.seq, r.begin
			}
		}
		torn.blocks = blocks[i:]
		b.bytes = nil
		switch {
		case begins && torn.batch == "", records == 0 && i < len(blocks)-1:
			return nil, nil
		case begins:
			return torn, nil
		}
	}
	return nil, nil
}

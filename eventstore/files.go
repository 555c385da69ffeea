package eventstore

import (
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"sort"
	"time"

	"github.com/nats-io/nats.go"
)

// worthFiles is how many records a reader has to want before it is worth looking for
// them in the files.
const worthFiles = 1000

// fileChunk is when a chunk of records from files is handed on, at a batch's end: it
// has room for the rest of one then. A chunk of pullBytes is handed on as it is.
const fileChunk = chunkMax - MaxMessages

// readSpan yields the records of a span that ends.
func (s *Store) readSpan(ctx context.Context, sp span, yield func([]Record, error) bool) {
	next, wanted := s.readFiles(ctx, sp, yield)
	if sp.from = next; wanted && next <= sp.to {
		s.follow(ctx, sp, yield)
	}
}

// readFiles yields the records of a span out of the files of the embedded server, as
// far as there is nothing odd about them, and returns where the server is to be asked
// on; wanted is false when the reader has had enough. The records are those that the
// server would send, checksums compared, at a fraction of what that costs. Whatever is
// missing, damaged, not yet written or the beginning of a batch without its end is left
// to the server, and to how that is told.
func (s *Store) readFiles(ctx context.Context, sp span, yield func([]Record, error) bool) (next uint64, wanted bool) {
	next = sp.from
	if s.srv.Load() == nil || sp.filter != "" || sp.to-sp.from < worthFiles {
		return next, true
	}
	blocks, err := blocksIn(filepath.Join(streamDir(s.cfg.Dir, s.stream), "msgs"), s.stream)
	if err != nil {
		return next, true
	}
	after := sort.Search(len(blocks), func(i int) bool { return blocks[i].first() > sp.from })
	r := fileReader{span: sp, next: sp.from}
	for _, b := range blocks[max(after-1, 0):] {
		if ctx.Err() != nil || s.isClosing() {
			break
		}
		if b.bytes, err = os.ReadFile(b.path); err != nil {
			break
		}
		more := r.take(b, yield)
		b.bytes = nil
		if !more {
			break
		}
	}
	if !r.refused && r.whole > 0 {
		r.refused = !yield(r.chunk[:r.whole], nil)
	}
	return r.next - uint64(len(r.chunk)-r.whole), !r.refused
}

// first is the sequence of the block's first record, 0 for none.
func (b *block) first() uint64 {
	f, err := os.Open(b.path)
	if err != nil {
		return 0
	}
	defer func() { _ = f.Close() }() // only read
	var head [recordHead]byte
	if _, err := f.ReadAt(head[:], 0); err != nil {
		return 0
	}
	return binary.LittleEndian.Uint64(head[4:])
}

// fileReader makes chunks of the records of blocks.
type fileReader struct {
	span    span
	next    uint64
	batch   batchCheck
	chunk   []Record
	whole   int // so many of chunk can be yielded
	bytes   int // of chunk
	refused bool
}

// take takes the records of a block, and says whether more are wanted of the next.
func (r *fileReader) take(b *block, yield func([]Record, error) bool) bool {
	for rec := range b.records(r.next) {
		if rec.seq != r.next || r.batch.check(rec.seq, placeIn(rec.headers)) != nil {
			return false
		}
		out := Record{Seq: rec.seq, Subject: string(rec.subject), Data: rec.data, Stored: time.Unix(0, rec.time).UTC()}
		if r.span.headers {
			h, err := nats.DecodeHeadersMsg(rec.headers)
			if err != nil {
				return false
			}
			out.Headers = h
		}
		r.chunk = append(r.chunk, out)
		r.next++
		r.bytes += rec.end - rec.begin
		if r.batch.open() == "" || r.bytes >= pullBytes {
			r.whole = len(r.chunk)
		}
		if r.next > r.span.to {
			return false
		}
		if (len(r.chunk) > fileChunk || r.bytes >= pullBytes) && r.whole > 0 {
			rest := r.chunk[r.whole:]
			if r.refused = !yield(r.chunk[:r.whole:r.whole], nil); r.refused {
				return false
			}
			r.chunk = append(make([]Record, 0, chunkMax), rest...)
			r.whole, r.bytes = 0, 0
		}
	}
	return len(b.bytes) > 0
}

package eventstore

import (
	"strconv"

	"github.com/nats-io/nats.go"
)

// batchCheck follows the headers of atomic batches through the log.
type batchCheck struct {
	id   string // of the batch that has begun and not ended
	n    int    // its last message seen
	seen bool   // not the first record any more
}

// check says whether the record with headers h may follow.
func (b *batchCheck) check(seq uint64, h nats.Header) error {
	first := !b.seen
	b.seen = true
	var id string
	if v := h[headerBatchID]; len(v) > 0 {
		id = v[0]
	}
	if id == "" {
		if b.id != "" {
			return &TornBatchError{Batch: b.id, Seq: seq}
		}
		return nil
	}
	n, err := strconv.Atoi(h.Get(headerBatchSeq))
	switch {
	case err != nil:
		return &TornBatchError{Batch: id, Seq: seq}
	case first: // a reader may begin in the middle of a batch
	case b.id == "" && n == 1:
	case b.id == id && n == b.n+1:
	case b.id != "" && b.id != id:
		return &TornBatchError{Batch: b.id, Seq: seq}
	default:
		return &TornBatchError{Batch: id, Seq: seq}
	}
	b.id, b.n = id, n
	if len(h[headerBatchCommit]) > 0 {
		b.id = ""
	}
	return nil
}

// open is the id of the batch which has no commit yet, "" if there is none.
func (b *batchCheck) open() string { return b.id }

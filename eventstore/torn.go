package eventstore

import (
	"bytes"
	"strconv"

	"github.com/nats-io/nats.go"
)

// batchPlace is where a record stands in an atomic batch, as its headers say; the zero
// value is that of one in none.
type batchPlace struct {
	id   string
	n    string // counted from 1
	last bool
}

func placeOf(h nats.Header) (p batchPlace) {
	if v := h[headerBatchID]; len(v) > 0 {
		p = batchPlace{id: v[0], n: h.Get(headerBatchSeq), last: len(h[headerBatchCommit]) > 0}
	}
	return p
}

// placeIn is placeOf headers that are not parsed: those of a message in a file.
func placeIn(headers []byte) (p batchPlace) {
	value := func(name string) (string, bool) {
		_, rest, ok := bytes.Cut(headers, []byte("\n"+name+": "))
		line, _, _ := bytes.Cut(rest, []byte("\r"))
		return string(line), ok
	}
	var ok bool
	if p.id, ok = value(headerBatchID); ok {
		p.n, _ = value(headerBatchSeq)
		_, p.last = value(headerBatchCommit)
	}
	return p
}

// batchCheck follows the headers of atomic batches through the log.
type batchCheck struct {
	id   string // of the batch that has begun and not ended
	n    int    // its last message seen
	seen bool   // not the first record any more
}

// check says whether the record at that place of a batch may follow.
func (b *batchCheck) check(seq uint64, p batchPlace) error {
	first := !b.seen
	b.seen = true
	if p.id == "" {
		if b.id != "" {
			return &TornBatchError{Batch: b.id, Seq: seq}
		}
		return nil
	}
	n, err := strconv.Atoi(p.n)
	switch {
	case err != nil:
		return &TornBatchError{Batch: p.id, Seq: seq}
	case first: // a reader may begin in the middle of a batch
	case b.id == "" && n == 1:
	case b.id == p.id && n == b.n+1:
	case b.id != "" && b.id != p.id:
		return &TornBatchError{Batch: b.id, Seq: seq}
	default:
		return &TornBatchError{Batch: p.id, Seq: seq}
	}
	b.id, b.n = p.id, n
	if p.last {
		b.id = ""
	}
	return nil
}

// open is the id of the batch which has no commit yet, "" if there is none.
func (b *batchCheck) open() string { return b.id }

package eventstore

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"github.com/minio/highwayhash"
	"github.com/nats-io/nats.go"
)

// A block is a file that the embedded server keeps records of a stream in, one
// behind the other. Numbers are little-endian:
//
//	length       4  of all of it; its highest bit says that there are headers
//	sequence     8
//	time         8
//	subject      2  its length
//	the subject
//	headers      4  their length, where there are any
//	the headers, the data
//	checksum     8  HighwayHash of all but the lengths, keyed by the block
//
// The server's source is where that is written (writeMsgRecordLocked in filestore.go
// of nats-server 2.15). What has another form has no checksum that fits, and is not
// taken for a record.
type block struct {
	path   string
	stream string
	index  int
	bytes  []byte
}

const (
	recordHead  = 22
	recordSum   = highwayhash.Size64
	withHeaders = 1 << 31
)

// blockRecord is what is asked of a record in a block.
type blockRecord struct {
	seq     uint64
	headers nats.Header
	begin   int // offsets
	end     int
}

// records yields the records from the first on, up to the end or to what is damaged.
func (b *block) records(yield func(blockRecord) bool) {
	key := sha256.Sum256(fmt.Appendf(nil, "%s-%d", b.stream, b.index))
	sum, err := highwayhash.New64(key[:])
	if err != nil {
		return // the key has the length that there must be
	}
	le := binary.LittleEndian
	for at := 0; len(b.bytes)-at >= recordHead+recordSum; {
		head := b.bytes[at : at+recordHead]
		length, body := int(le.Uint32(head)&^withHeaders), recordHead+int(le.Uint16(head[20:]))
		if length < body+recordSum || length > len(b.bytes)-at {
			return
		}
		rest := b.bytes[at+body : at+length-recordSum]
		sum.Reset()
		_, _ = sum.Write(head[4:20]) // a hash takes everything
		_, _ = sum.Write(b.bytes[at+recordHead : at+body])
		r := blockRecord{seq: le.Uint64(head[4:]), begin: at, end: at + length}
		if le.Uint32(head)&withHeaders != 0 {
			if len(rest) < 4 || int(le.Uint32(rest)) > len(rest)-4 {
				return
			}
			n := int(le.Uint32(rest))
			rest = rest[4:]
			if r.headers, err = nats.DecodeHeadersMsg(rest[:n]); err != nil {
				return
			}
		}
		_, _ = sum.Write(rest)
		if !bytes.Equal(sum.Sum(nil), b.bytes[r.end-recordSum:r.end]) || !yield(r) {
			return
		}
		at = r.end
	}
}

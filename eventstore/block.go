package eventstore

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/minio/highwayhash"
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

// blockRecord is a record in a block, whose memory it shares.
type blockRecord struct {
	seq     uint64
	time    int64 // nanoseconds of the Unix epoch
	subject []byte
	headers []byte // as they were sent
	data    []byte
	begin   int // offsets
	end     int
}

// records yields the records from a sequence on, up to the end or to what is damaged.
// Those before it are not looked at closely.
func (b *block) records(from uint64) iter.Seq[blockRecord] {
	return func(yield func(blockRecord) bool) {
		sum := b.checksum()
		for at := 0; ; {
			r, ok := b.at(at)
			if !ok || r.seq >= from && (!b.parse(&r, sum) || !yield(r)) {
				return
			}
			at = r.end
		}
	}
}

// othersBehind says that anywhere from an offset on there is a record that can have
// come after one of that sequence and batch, and is not of the same batch, or is its end.
func (b *block) othersBehind(at int, seq uint64, batch string) bool {
	sum := b.checksum()
	for ; at < len(b.bytes); at++ {
		if r, ok := b.at(at); ok && r.seq > seq && r.seq-seq < 1<<32 && b.parse(&r, sum) {
			if p := placeIn(r.headers); batch == "" || p.id != batch || p.last {
				return true
			}
		}
	}
	return false
}

func (b *block) checksum() hash.Hash64 {
	key := sha256.Sum256(fmt.Appendf(nil, "%s-%d", b.stream, b.index))
	sum, _ := highwayhash.New64(key[:]) // refuses keys of another length only
	return sum
}

// at is the record that may begin at an offset, with nothing but its sequence, time and
// extent.
func (b *block) at(at int) (r blockRecord, ok bool) {
	if len(b.bytes)-at < recordHead+recordSum {
		return r, false
	}
	le, head := binary.LittleEndian, b.bytes[at:]
	length := int(le.Uint32(head) &^ withHeaders)
	r = blockRecord{seq: le.Uint64(head[4:]), time: int64(le.Uint64(head[12:])), begin: at, end: at + length}
	return r, length >= recordHead+int(le.Uint16(head[20:]))+recordSum && length <= len(b.bytes)-at
}

// parse fills in the rest of a record, unless it is damaged.
func (b *block) parse(r *blockRecord, sum hash.Hash64) bool {
	le, head := binary.LittleEndian, b.bytes[r.begin:]
	subject, rest := int(le.Uint16(head[20:])), b.bytes[r.begin+recordHead:r.end-recordSum]
	r.subject, r.data = rest[:subject:subject], rest[subject:len(rest):len(rest)]
	if le.Uint32(head)&withHeaders != 0 {
		if len(r.data) < 4 || int(le.Uint32(r.data)) > len(r.data)-4 {
			return false
		}
		n := int(le.Uint32(r.data))
		r.headers, r.data = r.data[4:4+n:4+n], r.data[4+n:]
	}
	sum.Reset()
	for _, part := range [][]byte{head[4:20], r.subject, r.headers, r.data} {
		_, _ = sum.Write(part) // a hash takes everything
	}
	return sum.Sum64() == le.Uint64(b.bytes[r.end-recordSum:])
}

// blocksIn is the blocks of a stream in their order.
func blocksIn(msgs, stream string) ([]*block, error) {
	entries, err := os.ReadDir(msgs)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("eventstore: read the log's files: %w", err)
	}
	var blocks []*block
	for _, e := range entries {
		number, ok := strings.CutSuffix(e.Name(), ".blk")
		if index, err := strconv.Atoi(number); ok && err == nil {
			blocks = append(blocks, &block{path: filepath.Join(msgs, e.Name()), stream: stream, index: index})
		}
	}
	slices.SortFunc(blocks, func(a, b *block) int { return cmp.Compare(a.index, b.index) })
	return blocks, nil
}

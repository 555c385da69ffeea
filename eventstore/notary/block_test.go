package notary_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/minio/highwayhash"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/eventstore"
)

// A block file of JetStream's is records one after the other, little-endian:
//
//	length(4) sequence(8) time(8) subject length(2) subject [header length(4) header] data checksum(8)
//
// The highest bit of the length says that there is a header. The checksum is
// HighwayHash-64, with the SHA-256 of "<stream>-<block>" for a key, of all but the
// lengths.
const (
	recordHead = 22
	headerBit  = 1 << 31
)

// editBlock changes the data of a record where it is on disk, in a log that is
// closed, to something of the same length. The checksum is put right, or left.
func (r *rig) editBlock(seq uint64, from, to string, right bool) {
	r.t.Helper()
	r.close()
	require.Len(r.t, to, len(from))
	blocks, err := filepath.Glob(filepath.Join(r.cfg.Dir, "jetstream", "jetstream", "$G", "streams", "milepost-main", "msgs", "*.blk"))
	require.NoError(r.t, err)
	for _, block := range blocks {
		b, err := os.ReadFile(block)
		require.NoError(r.t, err)
		for at := 0; at < len(b); {
			length := binary.LittleEndian.Uint32(b[at:])
			rec := b[at : at+int(length&^headerBit)]
			at += len(rec)
			if binary.LittleEndian.Uint64(rec[4:]) != seq {
				continue
			}
			subject := recordHead + int(binary.LittleEndian.Uint16(rec[20:]))
			body := subject
			if length&headerBit != 0 {
				body += 4
			}
			sum := len(rec) - 8
			checksum := func() []byte {
				key := sha256.Sum256([]byte("milepost-main-" + strings.TrimSuffix(filepath.Base(block), ".blk")))
				h, err := highwayhash.New64(key[:])
				require.NoError(r.t, err)
				for _, part := range [][]byte{rec[4:20], rec[recordHead:subject], rec[body:sum]} {
					_, err := h.Write(part)
					require.NoError(r.t, err)
				}
				return h.Sum(nil)
			}
			require.Equal(r.t, checksum(), rec[sum:], "the layout is the one that this test knows")
			data := bytes.LastIndex(rec, []byte(from))
			require.Positive(r.t, data)
			copy(rec[data:], to)
			if right {
				copy(rec[sum:], checksum())
			}
			require.NoError(r.t, os.WriteFile(block, b, 0o600))
			return
		}
	}
	r.t.Fatalf("sequence %d is in no block", seq)
}

// Given a log that was signed, when bytes of it are changed on the disk, then the
// notary does not open and names the sequence: whether JetStream takes them,
// because the checksum was put right, or cuts the log off where it is wrong; and
// whether it trusts the state that it wrote when it was shut down, or reads all
// blocks again, as after a crash.
func TestTampering_onTheDisk(t *testing.T) {
	for _, right := range []bool{true, false} {
		for _, crashed := range []bool{false, true} {
			for _, seq := range []uint64{1, 6, 12} {
				t.Run(fmt.Sprintf("sequence %d, checksum right: %v, after a crash: %v", seq, right, crashed), func(t *testing.T) {
					r, x, _ := told(t)
					r.editBlock(seq, `"n":`, `"N":`, right)
					if crashed {
						require.NoError(t, os.Remove(filepath.Join(r.cfg.Dir, "jetstream", "jetstream", "$G", "streams", "milepost-main", "msgs", "index.db")))
					}
					_, err := r.tryNotary(with(x))
					d := refused(t, err)
					assert.Equal(t, seq, d.Seq, err)
					assert.Zero(t, d.Until, err)
					_, err = r.tryNotary()
					d = refused(t, err)
					assert.LessOrEqual(t, d.Seq, seq, err)
					assert.GreaterOrEqual(t, max(d.Until, d.Seq), seq, err)
				})
			}
		}
	}
}

// Given two blocks of which the first is damaged, when JetStream cuts that off,
// then the gap is named.
func TestTampering_gapBetweenBlocks(t *testing.T) {
	r := newRig(t)
	for range 12 { // a block has 8 MiB at most
		r.appends++
		subject := eventstore.Subject("main", "a", "project", "p")
		msg := eventstore.Message{Subject: subject, Expect: r.tips[subject], Data: fmt.Appendf(nil, `{"n":%d,"fill":%q}`, r.appends, strings.Repeat("x", 1_000_000))}
		first, err := r.open().Append(t.Context(), []eventstore.Message{msg})
		require.NoError(t, err)
		r.tips[subject] = first
	}
	r.checkpoint(r.notary(), "")
	x := indexOf(r.records())
	r.editBlock(3, `"n":`, `"N":`, false)
	require.NoError(t, os.Remove(filepath.Join(r.cfg.Dir, "jetstream", "jetstream", "$G", "streams", "milepost-main", "msgs", "index.db")))
	_, err := r.tryNotary(with(x))
	d := refused(t, err)
	t.Log(err)
	assert.Equal(t, uint64(3), d.Seq, err)
}

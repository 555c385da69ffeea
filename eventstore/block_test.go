package eventstore

import (
	"bytes"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// aBlock is one that nats-server 2.15 wrote: a record, a batch of three, and a record.
func aBlock(tb testing.TB) *block {
	tb.Helper()
	b, err := os.ReadFile("testdata/1.blk")
	require.NoError(tb, err)
	return &block{stream: streamName("test"), index: 1, bytes: b}
}

func TestRecordsOfABlock(t *testing.T) {
	var got []string
	var places []batchPlace
	for r := range aBlock(t).records(0) {
		got = append(got, string(r.subject)+" "+string(r.data))
		p := placeIn(r.headers)
		p.id = p.id[:min(len(p.id), 1)]
		places = append(places, p)
		assert.Equal(t, uint64(len(got)), r.seq)
	}
	assert.Equal(t, []string{
		"milepost.test.a1.project.a data of a", "milepost.test.a1.project.b data of b", "milepost.test.a1.project.c data of c",
		"milepost.test.a1.project.d data of d", "milepost.test.a1.project.e data of e",
	}, got)
	in := places[1].id
	assert.NotEmpty(t, in)
	assert.Equal(t, []batchPlace{{}, {in, "1", false}, {in, "2", false}, {in, "3", true}, {}}, places)
}

// Whatever is in a block, reading it ends, stays within it, and takes nothing for a
// record that the server did not write: what is changed has no checksum that fits.
func FuzzBlock(f *testing.F) {
	whole := aBlock(f).bytes
	written := map[uint64][]byte{}
	for r := range aBlock(f).records(0) {
		written[r.seq] = whole[r.begin:r.end]
	}
	f.Add(whole)
	f.Add(whole[:len(whole)-1])
	f.Add(whole[7:])
	f.Add(bytes.Replace(whole, []byte("data of c"), []byte("data of x"), 1))
	f.Add([]byte{0, 0, 0, 128})

	f.Fuzz(func(t *testing.T, data []byte) {
		b := &block{stream: streamName("test"), index: 1, bytes: data}
		end, last, in := 0, uint64(0), ""
		for r := range b.records(0) {
			require.Equal(t, end, r.begin)
			require.LessOrEqual(t, r.end, len(data))
			require.Equal(t, written[r.seq][4:20], data[r.begin+4:r.begin+20])
			end, last, in = r.end, r.seq, placeIn(r.headers).id
		}
		b.othersBehind(end, last, in)
	})
}

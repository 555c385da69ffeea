package eventstore

import (
	"strconv"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func header(id string, n int, commit bool) nats.Header {
	h := nats.Header{}
	if id != "" {
		h[headerBatchID] = []string{id}
		h[headerBatchSeq] = []string{strconv.Itoa(n)}
	}
	if commit {
		h[headerBatchCommit] = []string{"1"}
	}
	return h
}

func TestFeed_missingOrRepeatedSequenceIsAGap(t *testing.T) {
	for name, c := range map[string]struct {
		filter string
		seqs   []uint64
		want   *GapError
	}{
		"in order":                 {"", []uint64{5, 6, 7}, nil},
		"begins too late":          {"", []uint64{6}, &GapError{Want: 5, Got: 6}},
		"one is missing":           {"", []uint64{5, 7}, &GapError{Want: 6, Got: 7}},
		"one comes again":          {"", []uint64{5, 6, 6}, &GapError{Want: 7, Got: 6}},
		"filtered":                 {"x", []uint64{6, 9}, nil},
		"filtered, one comes back": {"x", []uint64{6, 9, 9}, &GapError{Want: 10, Got: 9}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFeed(span{from: 5, filter: c.filter})
			var err error
			for _, seq := range c.seqs {
				require.NoError(t, err, "noticed too early")
				err = f.check(seq, batchPlace{})
			}
			if c.want == nil {
				assert.NoError(t, err)
				return
			}
			assert.Equal(t, c.want, err)
		})
	}
}

func TestBatchCheck_onlyWholeBatchesPass(t *testing.T) {
	none := header("", 0, false)
	for name, c := range map[string]struct {
		headers []nats.Header
		torn    string // the batch that is torn at the last header
	}{
		"no batches":            {[]nats.Header{none, none}, ""},
		"two batches":           {[]nats.Header{header("a", 1, false), header("a", 2, true), header("b", 1, true), none}, ""},
		"begins inside one":     {[]nats.Header{header("a", 2, false), header("a", 3, true)}, ""},
		"cut by another":        {[]nats.Header{header("a", 1, false), header("b", 1, false)}, "a"},
		"cut by a plain record": {[]nats.Header{header("a", 1, false), none}, "a"},
		"a hole":                {[]nats.Header{header("a", 1, false), header("a", 3, true)}, "a"},
		"no beginning":          {[]nats.Header{none, header("a", 2, true)}, "a"},
		"goes on after its end": {[]nats.Header{header("a", 1, true), header("a", 2, true)}, "a"},
		"nonsense":              {[]nats.Header{none, {headerBatchID: {"a"}}}, "a"},
	} {
		t.Run(name, func(t *testing.T) {
			var b batchCheck
			var err error
			for i, h := range c.headers {
				require.NoError(t, err, "noticed too early")
				err = b.check(uint64(i+1), placeOf(h))
			}
			if c.torn == "" {
				assert.NoError(t, err)
				return
			}
			assert.Equal(t, &TornBatchError{Batch: c.torn, Seq: uint64(len(c.headers))}, err)
		})
	}
}

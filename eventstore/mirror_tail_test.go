package eventstore

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A mirror may have the beginning of an append alone: its log ends before that.
func TestWholeUpTo(t *testing.T) {
	for _, c := range []struct {
		headers string
		want    uint64
	}{
		{"", 9},
		{"NATS/1.0\r\nContent-Type: x\r\n\r\n", 9},
		{"NATS/1.0\r\nNats-Batch-Id: b\r\nNats-Batch-Sequence: 3\r\n\r\n", 6},
		{"NATS/1.0\r\nNats-Batch-Id: b\r\nNats-Batch-Sequence: 1\r\n\r\n", 8},
		{"NATS/1.0\r\nNats-Batch-Id: b\r\nNats-Batch-Sequence: 3\r\nNats-Batch-Commit: 1\r\n\r\n", 9},
	} {
		h, err := parseHeaders([]byte(c.headers))
		require.NoError(t, err)
		got, err := wholeUpTo(9, h)
		require.NoError(t, err)
		assert.Equal(t, c.want, got, c.headers)
	}
	h, err := parseHeaders([]byte("NATS/1.0\r\nNats-Batch-Id: b\r\nNats-Batch-Sequence: 10\r\n\r\n"))
	require.NoError(t, err)
	_, err = wholeUpTo(9, h)
	assert.True(t, errors.As(err, new(*TornBatchError)), "more than there is")
}

package eventstore_test

import (
	"context"
	"fmt"
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/eventstore"
)

// tear puts a message of a batch that has no commit into the log. The server
// takes no such thing from a publisher; it finds its headers after CR LF only,
// though, and the client library after a bare LF too. No client library writes
// such headers, so this speaks the protocol itself.
func tear(t *testing.T, addr net.Addr, s *eventstore.Store, key string, n int) {
	t.Helper()
	before := lastOf(t, s)
	c, err := net.Dial("tcp", addr.String())
	require.NoError(t, err)
	defer func() { require.NoError(t, c.Close()) }()
	hdr := fmt.Sprintf("NATS/1.0\r\nHide: it\nNats-Batch-Id: torn\nNats-Batch-Sequence: %d\r\n\r\n", n)
	_, err = fmt.Fprintf(c, "CONNECT {\"verbose\":false,\"headers\":true}\r\nHPUB %s %d %d\r\n%sx\r\nPING\r\n",
		subject(key), len(hdr), len(hdr)+1, hdr)
	require.NoError(t, err)
	eventually(t, "the message to be stored", func() bool { return lastOf(t, s) == before+1 })
}

// Given a batch whose end never came, as a crash can leave it, when the log
// is read, then the reader is stopped where it tears.
func TestRead_tornBatchIsNoticed(t *testing.T) {
	srv := external(t)
	s := openWith(t, eventstore.Config{URL: srv.ClientURL(), Ledger: "test"})
	tear(t, srv.Addr(), s, "p1", 1)
	tear(t, srv.Addr(), s, "p2", 2)

	read := func(records func(func(eventstore.Record, error) bool)) (got []string, last error) {
		for r, err := range records {
			if err != nil {
				return got, err
			}
			got = append(got, line(r))
		}
		return got, nil
	}
	var torn *eventstore.TornBatchError

	got, err := read(s.Read(context.Background(), 1, 0, ""))
	require.ErrorAs(t, err, &torn, "at the end of the log")
	assert.Equal(t, eventstore.TornBatchError{Batch: "torn", Seq: 2}, *torn)
	assert.Equal(t, []string{"1 p1 x"}, got)

	got, err = read(s.Read(context.Background(), 1, 1, ""))
	require.NoError(t, err, "a range may end inside a batch")
	assert.Equal(t, []string{"1 p1 x"}, got)

	mustAppend(t, s, message("p4", 0, "d"))
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for name, records := range map[string]func(func(eventstore.Record, error) bool){
		"read": s.Read(ctx, 1, 0, ""), "subscribe": s.Subscribe(ctx, 2, ""),
	} {
		_, err = read(records)
		require.ErrorAs(t, err, &torn, name)
		assert.Equal(t, eventstore.TornBatchError{Batch: "torn", Seq: 3}, *torn, name)
	}
	got, err = read(s.Read(ctx, 3, 0, ""))
	require.NoError(t, err)
	assert.Equal(t, []string{"3 p4 d"}, got)
}

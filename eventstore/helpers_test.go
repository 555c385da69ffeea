package eventstore_test

import (
	"context"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/eventstore"
)

const (
	patience = 20 * time.Second
	election = time.Minute // is more than servers of a cluster take to come together
)

func config(tb testing.TB) eventstore.Config {
	return eventstore.Config{Dir: tb.TempDir(), Ledger: "test"}
}

// open gives an embedded store of its own to a test.
func open(tb testing.TB) *eventstore.Store {
	tb.Helper()
	return openWith(tb, config(tb))
}

func openWith(tb testing.TB, cfg eventstore.Config) *eventstore.Store {
	tb.Helper()
	s, err := eventstore.Open(context.Background(), cfg)
	require.NoError(tb, err)
	tb.Cleanup(func() { assert.NoError(tb, s.Close()) })
	return s
}

func subject(key string) string { return eventstore.Subject("test", "a1", "project", key) }

func message(key string, expect uint64, data string) eventstore.Message {
	return eventstore.Message{Subject: subject(key), Expect: expect, Data: []byte(data)}
}

func mustAppend(tb testing.TB, s *eventstore.Store, msgs ...eventstore.Message) uint64 {
	tb.Helper()
	first, err := s.Append(context.Background(), msgs)
	require.NoError(tb, err)
	return first
}

// log reads the whole log, as "seq key data".
func log(tb testing.TB, s *eventstore.Store) []string {
	tb.Helper()
	var out []string
	for r, err := range s.Read(context.Background(), 1, 0, "") {
		require.NoError(tb, err)
		out = append(out, line(r))
	}
	return out
}

func line(r eventstore.Record) string {
	key := r.Subject[strings.LastIndexByte(r.Subject, '.')+1:]
	return strconv.FormatUint(r.Seq, 10) + " " + key + " " + string(r.Data)
}

// external runs a server with a listener on loopback, as an operator would.
func external(tb testing.TB, change ...func(*server.Options)) *server.Server {
	tb.Helper()
	opts := &server.Options{
		Host: "127.0.0.1", Port: -1, NoSigs: true, NoLog: true,
		JetStream: true, StoreDir: tb.TempDir(), SyncAlways: true, JetStreamMaxStore: 1 << 30,
	}
	for _, c := range change {
		c(opts)
	}
	srv, err := server.NewServer(opts)
	require.NoError(tb, err)
	srv.Start()
	require.True(tb, srv.ReadyForConnections(patience))
	tb.Cleanup(func() { srv.Shutdown(); srv.WaitForShutdown() })
	return srv
}

func connect(tb testing.TB, url string) (*nats.Conn, jetstream.JetStream) {
	tb.Helper()
	nc, err := nats.Connect(url)
	require.NoError(tb, err)
	tb.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	require.NoError(tb, err)
	return nc, js
}

// eventually waits for a condition; there is no other waiting in these tests.
func eventually(tb testing.TB, what string, cond func() bool) {
	tb.Helper()
	eventuallyWithin(tb, patience, what, cond)
}

func eventuallyWithin(tb testing.TB, most time.Duration, what string, cond func() bool) {
	tb.Helper()
	require.Eventually(tb, cond, most, 2*time.Millisecond, what)
}

// readers are the goroutines that exist for somebody's reading, and not for the
// store itself.
func readers() (n int, stacks string) {
	buf := make([]byte, 4<<20)
	for g := range strings.SplitSeq(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
		if strings.Contains(g, "eventstore.(*Store).lookAfter") || strings.Contains(g, "eventstore.(*Store).watch") {
			continue
		}
		if strings.Contains(g, "nats.go/jetstream.") || strings.Contains(g, "eventstore.(*Store)") {
			n++
			stacks += g + "\n\n"
		}
	}
	return n, stacks
}

// noReaders checks that reading left nothing behind.
func noReaders(tb testing.TB) {
	tb.Helper()
	var stacks string
	if !assert.Eventually(tb, func() (ok bool) {
		var n int
		n, stacks = readers()
		return n == 0
	}, patience, 5*time.Millisecond) {
		tb.Log(stacks)
	}
}

package api

import (
	"bufio"
	"fmt"
	"net"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A thousand readers who wait cost less than 100 MiB. Measured are the heap in
// use and the stacks, after a collection, of this process: so the test's own
// ends of the connections are counted, too. Each reader is a real connection
// over loopback, with a real stream that has begun; and each then gets one event,
// which is read from the log once for all.
func TestStream_aThousandIdleReadersCostLittle(t *testing.T) {
	const readers, most = 1000, 100 << 20
	r := start(t)
	r.serve(func(*httptest.Server) {})
	require.NoError(t, r.models.Wait(t.Context(), r.parties(1)))
	before := memory()

	conns := make([]net.Conn, readers)
	for i := range conns {
		conn, err := net.Dial("tcp", strings.TrimPrefix(r.url, "http://"))
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		require.NoError(t, conn.SetDeadline(time.Now().Add(time.Minute)))
		_, err = fmt.Fprintf(conn, "GET /v1/events HTTP/1.1\r\nHost: localhost\r\nAccept: %s\r\nAuthorization: Bearer %s\r\n\r\n", mediaStream, r.token)
		require.NoError(t, err)
		conns[i] = conn
	}
	for _, conn := range conns {
		readUntil(t, conn, "retry: ")
	}
	require.EqualValues(t, readers, r.metric("milepost_streams_open"))
	cost := memory() - before
	t.Logf("%d idle readers: %.1f MiB of heap and stacks, %d bytes each", readers, float64(cost)/(1<<20), cost/readers)
	assert.Less(t, cost, int64(most))

	start := time.Now()
	r.parties(1)
	for _, conn := range conns {
		readUntil(t, conn, "id: 2\n")
	}
	t.Logf("all had the next event after %v", time.Since(start))
}

// memory is that of the heap and the stacks in use, after a collection.
func memory() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // what the first one only put aside
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}

// readUntil reads until a line begins with want. Its buffer is given up, with
// what is in it beyond.
func readUntil(t *testing.T, conn net.Conn, want string) {
	t.Helper()
	in := bufio.NewReaderSize(conn, 512)
	for {
		line, err := in.ReadString('\n')
		require.NoError(t, err)
		if strings.HasPrefix(line, want) {
			return
		}
	}
}

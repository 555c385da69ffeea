package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	nats "github.com/nats-io/nats-server/v2/server"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// link relays connections to an address, and can be down.
type link struct {
	to string
	at net.Listener

	mu    sync.Mutex
	down  bool
	conns []net.Conn
}

func newLink(t *testing.T, to string) *link {
	t.Helper()
	at, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	l := &link{to: to, at: at}
	var relaying sync.WaitGroup
	relaying.Go(func() {
		for {
			near, err := at.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", to)
			if err != nil || !l.keep(near, far) {
				_ = near.Close()
				continue
			}
			relaying.Go(func() { _, _ = io.Copy(far, near); _ = far.Close() })
			relaying.Go(func() { _, _ = io.Copy(near, far); _ = near.Close() })
		}
	})
	t.Cleanup(func() { _ = at.Close(); l.set(true); relaying.Wait() })
	return l
}

func (l *link) keep(conns ...net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.down {
		l.conns = append(l.conns, conns...)
		return true
	}
	_ = conns[1].Close()
	return false
}

// set cuts the link, or heals it.
func (l *link) set(down bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = down
	for _, c := range l.conns {
		_ = c.Close()
	}
	l.conns = nil
}

// broker runs a NATS server of a domain, as an operator would.
func broker(t *testing.T, domain string, change func(*nats.Options)) *nats.Server {
	t.Helper()
	opts := &nats.Options{
		ServerName: domain, JetStreamDomain: domain, Host: "127.0.0.1", Port: nats.RANDOM_PORT, NoSigs: true,
		JetStream: true, StoreDir: t.TempDir(), SyncAlways: true,
	}
	change(opts)
	s, err := nats.NewServer(opts)
	require.NoError(t, err)
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	require.True(t, s.ReadyForConnections(10*time.Second))
	return s
}

// A ledger is copied over a leaf node while it is written to. The copy answers
// as the ledger does, to the last byte, takes nothing, and goes on after the
// link was down.
func TestACopyServesReads(t *testing.T) {
	// Given a ledger in one domain, and another domain joined to it
	hub := broker(t, "hub", func(o *nats.Options) {
		o.LeafNode.Host, o.LeafNode.Port, o.LeafNode.NoAdvertise = "127.0.0.1", nats.RANDOM_PORT, true
	})
	state, err := hub.Varz(nil)
	require.NoError(t, err)
	wire := newLink(t, fmt.Sprintf("127.0.0.1:%d", state.LeafNode.Port))
	leaf := broker(t, "leaf", func(o *nats.Options) {
		o.LeafNode.ReconnectInterval = 50 * time.Millisecond
		o.LeafNode.Remotes = []*nats.RemoteLeafOpts{{URLs: []*url.URL{{Scheme: "nats-leaf", Host: wire.at.Addr().String()}}}}
	})
	require.Eventually(t, func() bool { return leaf.NumLeafNodes() == 1 }, 10*time.Second, 5*time.Millisecond)
	home := t.TempDir()
	origin := startServer(t, home, "--nats", hub.ClientURL())
	n := 0
	write := func(parties int) {
		t.Helper()
		var lines strings.Builder
		for range parties {
			n++
			fmt.Fprintf(&lines, `{"command":"register-party","party":"p-%d","title":"P","kind":"other"}`+"\n", n)
		}
		_, code := origin.run(t, strings.NewReader(lines.String()), "import", "-")
		require.Equal(t, exitDone, code)
	}
	write(50)

	// When it is copied, and the copy served
	out, code := origin.run(t, nil, "mirror", "--nats", leaf.ClientURL(), "--origin-domain", "hub", "--origin", origin.url)
	require.Equal(t, exitDone, code)
	assert.Equal(t, "copy of ledger main from $JS.hub.API is made; its server fills it\n", out)
	out, code = origin.run(t, nil, "mirror", "--nats", leaf.ClientURL(), "--origin-domain", "hub")
	require.Equal(t, exitDone, code)
	assert.Equal(t, "copy of ledger main from $JS.hub.API is there already\n", out)
	dir := t.TempDir()
	copied := startServer(t, dir, "--nats", leaf.ClientURL(), "--follow")

	// Then it is the same as the ledger, while that is written to
	same := func() {
		t.Helper()
		want := origin.settled(t)
		require.Eventually(t, func() bool { return copied.status(t).ProjectedSeq == want.LastSeq }, 20*time.Second, 20*time.Millisecond)
		assert.Equal(t, want.Digest, copied.status(t).Digest)
	}
	same()
	write(100)
	same()
	out, _ = copied.run(t, nil, "status", "-o", "json")
	assert.Contains(t, out, `"copy":{"origin":"`+origin.url+`","lag":`)
	assert.Contains(t, out, `"ready":true`)

	// and takes nothing, but names the ledger.
	_, said, code := copied.runWith(t, nil, "do", "register-party", "--title", "X", "--kind", "other")
	assert.Equal(t, exitFailed, code)
	assert.Contains(t, said, origin.url)
	assert.Contains(t, said, "read-only-copy")
	for _, path := range []string{"/v1/commands/register-party", "/v1/import", "/v1/evidence", "/v1/checkpoint/cosignatures"} {
		status, body := copied.sends(t, http.MethodPost, path)
		assert.Equal(t, http.StatusForbidden, status, path)
		assert.Contains(t, body, `"code":"read-only-copy"`, path)
	}
	for path, want := range map[string]int{"/do": http.StatusOK, "/do/register-party": http.StatusForbidden} {
		status, body := copied.sends(t, http.MethodGet, path) // its pages have no form, and name the ledger too
		assert.Equal(t, want, status, path)
		assert.Contains(t, body, origin.url, path)
		assert.NotContains(t, body, "/do/register", path)
	}
	status, body := copied.sends(t, http.MethodGet, "/v1/checkpoint")
	assert.Equal(t, http.StatusForbidden, status)
	assert.Contains(t, body, `"code":"read-only-copy"`, "it signs nothing")
	status, body = copied.sends(t, http.MethodGet, "/v1/events?limit=1")
	assert.Equal(t, http.StatusOK, status, body)
	status, body = copied.sends(t, http.MethodPost, "/v1/replay")
	assert.Equal(t, http.StatusOK, status, body)
	assert.Contains(t, body, `"identical":true`)
	assert.NoFileExists(t, dir+"/ledger.key")
	file := filepath.Join(t.TempDir(), "main.backup")
	_, said, code = copied.runWith(t, nil, "backup", "--out", file)
	assert.Equal(t, exitFailed, code)
	assert.Contains(t, said, "read-only-copy", "no checkpoint is signed for it; the ledger has it all")
	assert.NoFileExists(t, file)

	// While the link is down it answers what it has; afterwards it has the rest.
	wire.set(true)
	require.Eventually(t, func() bool { return leaf.NumLeafNodes() == 0 }, 10*time.Second, 5*time.Millisecond)
	before := copied.status(t)
	write(100)
	assert.Equal(t, before.Digest, copied.status(t).Digest)
	wire.set(false)
	same()

	// One that is given the origin's checkpoints shows them, as far as they go.
	status, signed := origin.sends(t, http.MethodGet, "/v1/checkpoint")
	require.Equal(t, http.StatusOK, status)
	checkpoints := filepath.Join(t.TempDir(), "checkpoints")
	require.NoError(t, os.CopyFS(checkpoints, os.DirFS(filepath.Join(home, "checkpoints"))))
	write(1)
	same()
	knowing := startServer(t, t.TempDir(), "--nats", leaf.ClientURL(), "--follow", "--checkpoints", checkpoints)
	status, body = knowing.sends(t, http.MethodGet, "/v1/checkpoint")
	assert.Equal(t, http.StatusOK, status)
	assert.Equal(t, signed, body)
	status, body = knowing.sends(t, http.MethodGet, "/v1/events/250/proof")
	assert.Equal(t, http.StatusOK, status, body)
	status, body = knowing.sends(t, http.MethodGet, "/v1/events/251/proof")
	assert.Equal(t, http.StatusForbidden, status, "that is not signed as far as it knows")
	assert.Contains(t, body, `"code":"read-only-copy"`)
	knowing.stop(t, syscall.SIGTERM)

	// The ledger itself is not served as a copy, nor a copy as the ledger.
	for _, flags := range [][]string{{"--nats", hub.ClientURL(), "--follow"}, {"--nats", leaf.ClientURL()}} {
		_, said, code := origin.runWith(t, nil, append([]string{"serve", "--data", t.TempDir(), "--listen", "127.0.0.1:0"}, flags...)...)
		assert.Equal(t, exitFailed, code)
		assert.Contains(t, said, "copy")
	}
	copied.stop(t, syscall.SIGTERM)

	// Without its server it is a copy still, by the file that the server has.
	conf := filepath.Join(t.TempDir(), "copy.conf")
	require.NoError(t, os.WriteFile(conf, fmt.Appendf(nil, "data = %s\nnats = %s\nfollow = true\n", dir, leaf.ClientURL()), 0o600))
	for _, verb := range []string{"replay", "rebuild"} {
		out, said, code := origin.runWith(t, nil, verb, "--config", conf)
		assert.Equal(t, exitDone, code, said)
		assert.Contains(t, out, "identical at seq")
	}
	assert.NoFileExists(t, dir+"/ledger.key")
	origin.stop(t, syscall.SIGTERM)
}

func (c *child) sends(t *testing.T, method, path string) (status int, body string) {
	t.Helper()
	resp, err := c.ask(method, path, "{}")
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(raw)
}

package eventstore_test

import (
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// proxy is a TCP relay between a store and its server that can swallow what
// the server says, and cut its connections.
type proxy struct {
	listener net.Listener
	mute     atomic.Bool
	muted    atomic.Int64 // how much was swallowed, in bytes
	wg       sync.WaitGroup

	mu     sync.Mutex
	target string
	conns  []net.Conn
}

func newProxy(tb testing.TB, target string) *proxy {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(tb, err)
	p := &proxy{listener: l, target: strings.TrimPrefix(target, "nats://")}
	p.wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			p.relay(c)
		}
	})
	tb.Cleanup(func() {
		_ = l.Close()
		p.cut()
		p.wg.Wait()
	})
	return p
}

func (p *proxy) url() string { return "nats://" + p.listener.Addr().String() }

// aim has new connections relayed to another server.
func (p *proxy) aim(target string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target = strings.TrimPrefix(target, "nats://")
}

func (p *proxy) relay(client net.Conn) {
	p.mu.Lock()
	target := p.target
	p.mu.Unlock()
	srv, err := net.Dial("tcp", target)
	if err != nil {
		_ = client.Close()
		return
	}
	p.mu.Lock()
	p.conns = append(p.conns, client, srv)
	p.mu.Unlock()
	p.wg.Go(func() { _, _ = io.Copy(srv, client); _ = srv.Close() })
	p.wg.Go(func() { _, _ = io.Copy(muted{client, p}, srv); _ = client.Close() })
}

// cut drops all connections; new ones are relayed.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		_ = c.Close()
	}
	p.conns = nil
}

type muted struct {
	io.Writer
	proxy *proxy
}

func (m muted) Write(b []byte) (int, error) {
	if m.proxy.mute.Load() {
		m.proxy.muted.Add(int64(len(b)))
		return len(b), nil
	}
	return m.Writer.Write(b)
}

package eventstore_test

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// proxy is a TCP relay between a store and its server that can swallow what
// the server says, change what it is asked, and cut its connections.
type proxy struct {
	listener net.Listener
	mute     atomic.Bool
	muted    atomic.Int64 // how much was swallowed, in bytes
	wg       sync.WaitGroup

	mu     sync.Mutex
	target string
	conns  []net.Conn
	what   string                    // what is asked next on a subject of this beginning is given to do
	do     func(asked []byte) []byte // says what to ask in its place
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
	p.wg.Go(func() { p.ask(srv, client); _ = srv.Close() })
	p.wg.Go(func() { _, _ = io.Copy(muted{client, p}, srv); _ = client.Close() })
}

// next has the next question on a subject of this beginning given to do.
func (p *proxy) next(subject string, do func([]byte) []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.what, p.do = subject, do
}

// awaits says whether that has not come yet.
func (p *proxy) awaits() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.what != ""
}

// question does not reach the server.
func question([]byte) []byte { return nil }

// answer does not reach who asked.
func answer(asked []byte) []byte {
	line, message, _ := bytes.Cut(asked, []byte("\r\n"))
	words := bytes.Fields(line)
	words[2] = []byte("nobody")
	return slices.Concat(bytes.Join(words, []byte(" ")), []byte("\r\n"), message)
}

// ask relays what a client says.
func (p *proxy) ask(srv io.Writer, client io.Reader) {
	for in := bufio.NewReader(client); ; {
		said, err := in.ReadBytes('\n')
		if err != nil {
			return
		}
		words := bytes.Fields(said)
		if len(words) > 2 && bytes.HasSuffix(words[0], []byte("PUB")) { // or HPUB: a message is behind the line
			size, err := strconv.Atoi(string(words[len(words)-1]))
			if err != nil {
				return
			}
			message := make([]byte, size+len("\r\n"))
			if _, err := io.ReadFull(in, message); err != nil {
				return
			}
			said = append(said, message...)
			p.mu.Lock()
			do := p.do
			if p.what == "" || !bytes.HasPrefix(words[1], []byte(p.what)) {
				do = bytes.Clone
			} else {
				p.what = ""
			}
			p.mu.Unlock()
			said = do(said)
		}
		if _, err := srv.Write(said); err != nil {
			return
		}
	}
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

package webhook_test

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/dns/dnsmessage"
)

// names is a name server for which every name is at one address.
type names struct {
	conn net.PacketConn
	at   atomic.Pointer[netip.Addr]
}

func newNames(t *testing.T, at string) *names {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	n := &names{conn: conn}
	n.move(at)
	done := make(chan struct{})
	go func() { defer close(done); n.serve() }()
	t.Cleanup(func() { _ = conn.Close(); <-done })
	return n
}

func (n *names) move(to string) { a := netip.MustParseAddr(to); n.at.Store(&a) }

func (n *names) serve() {
	buf := make([]byte, 1500)
	for {
		size, from, err := n.conn.ReadFrom(buf)
		if err != nil {
			return
		}
		var m dnsmessage.Message
		if m.Unpack(buf[:size]) != nil || len(m.Questions) != 1 {
			continue
		}
		m.Response, m.Authoritative, m.Additionals = true, true, nil
		q, at := m.Questions[0], *n.at.Load()
		header := dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class}
		switch {
		case q.Type == dnsmessage.TypeA && at.Is4():
			m.Answers = []dnsmessage.Resource{{Header: header, Body: &dnsmessage.AResource{A: at.As4()}}}
		case q.Type == dnsmessage.TypeAAAA && at.Is6():
			m.Answers = []dnsmessage.Resource{{Header: header, Body: &dnsmessage.AAAAResource{AAAA: at.As16()}}}
		}
		if answer, err := m.Pack(); err == nil {
			_, _ = n.conn.WriteTo(answer, from)
		}
	}
}

func (n *names) resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", n.conn.LocalAddr().String())
	}}
}

// What a name leads to is looked at on each connection: one that led to a good
// address before does not lead to a private one now.
func TestDeliverer_refusesPrivateAddressesAfterTheNameWasResolved(t *testing.T) {
	r := newRig(t)
	to := newReceiver(t)
	to.Config.SetKeepAlivesEnabled(false)
	_, port, err := net.SplitHostPort(strings.TrimPrefix(to.URL, "https://"))
	require.NoError(t, err)

	// Given something at an address that is not allowed, on the same port,
	var reached atomic.Int64
	inner, err := net.Listen("tcp", "127.0.0.2:"+port)
	require.NoError(t, err)
	private := &httptest.Server{Listener: inner, Config: &http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})}}
	private.TLS = &tls.Config{Certificates: to.TLS.Certificates}
	private.Config.ConnState = func(net.Conn, http.ConnState) { reached.Add(1) }
	private.StartTLS()
	defer private.Close()

	// and a name that leads to an allowed one at first
	dns := newNames(t, "127.0.0.1")
	opts := r.trusting(to)
	opts.Resolver = dns.resolver()
	r.register("hook", "https://example.com:"+port)
	d, _ := r.deliver(opts)
	want := r.parties(1)
	r.eventually("the first", func() bool { return len(to.accepted()) == 1 && r.lag(d) == 0 })

	for _, address := range []string{"127.0.0.2", "::ffff:127.0.0.2", "::1", "10.0.0.1", "169.254.169.254", "fd00::1", "64:ff9b::7f00:2"} {
		// When it is moved between two attempts
		goOn := r.clock.stop()
		dns.move(address)
		want = append(want, r.parties(1)...)
		shown := netip.MustParseAddr(address).Unmap().String()
		r.eventually(address, func() bool {
			s, err := d.Delivery("hook")
			return err == nil && strings.Contains(s.LastError, "--webhook-allow") && strings.Contains(s.LastError, shown)
		})

		// Then no connection is made, and the event comes when it has moved back
		dns.move("127.0.0.1")
		goOn()
		r.eventually("it is back", func() bool { return len(to.accepted()) == len(want) && r.lag(d) == 0 })
	}
	assert.Equal(t, want, to.sent())
	assert.Zero(t, reached.Load())
}

// A certificate that is not good is not sent to, and neither is an address
// without TLS, unless told to.
func TestDeliverer_verifiesTheReceiver(t *testing.T) {
	for name, c := range map[string]struct {
		url, says string
	}{
		"no certificate of the roots": {"", "certificate"},
		"no TLS":                      {"http", "--webhook-http"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			to := newReceiver(t)
			plain := httptest.NewServer(to)
			defer plain.Close()
			opts, url := r.options(), to.URL
			if c.url != "" {
				url = plain.URL
			}
			r.register("hook", url)
			goOn := r.clock.stop()
			defer goOn()
			r.parties(1)
			d, stop := r.deliver(opts)
			r.eventually("refused", func() bool {
				s, err := d.Delivery("hook")
				return err == nil && strings.Contains(s.LastError, c.says)
			})
			stop()
			assert.Empty(t, to.sent())
		})
	}
	t.Run("told to", func(t *testing.T) {
		r := newRig(t)
		to := newReceiver(t)
		plain := httptest.NewServer(to)
		defer plain.Close()
		opts := r.options()
		opts.HTTP = true
		r.register("hook", plain.URL)
		r.parties(1)
		r.deliver(opts)
		r.eventually("accepted", func() bool { return len(to.accepted()) == 1 })
	})
}

// A proxy of the environment is not asked: it would connect to anything.
func TestDeliverer_asksNoProxy(t *testing.T) {
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:1")
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	r := newRig(t)
	to := newReceiver(t)
	r.register("hook", to.URL)
	r.parties(1)
	r.deliver(r.trusting(to))
	r.eventually("accepted", func() bool { return len(to.accepted()) == 1 })
}

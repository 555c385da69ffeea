package eventstore

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"

	"github.com/nats-io/nats-server/v2/server"
)

// Limits of what the embedded server takes from outside. The one for subscriptions
// holds for the connections of this process, too, which has one for each reader.
const (
	maxConnections   = 1000
	maxConnected     = 16 // connections of one subscriber
	maxSubscriptions = 4096
)

// checkListen refuses addresses that the embedded server may not listen on.
func checkListen(cfg Config) error {
	switch {
	case cfg.Listen == "":
		if cfg.ListenCert != "" || cfg.ListenKey != "" {
			return errors.New("eventstore: a certificate is given, and no address to listen on")
		}
		return nil
	case cfg.URL != "":
		return errors.New("eventstore: with an external server there is no server of ours to listen: subscribers connect to the external one")
	case (cfg.ListenCert == "") != (cfg.ListenKey == ""):
		return errors.New("eventstore: TLS takes both, a certificate and its key")
	}
	host, port, err := net.SplitHostPort(cfg.Listen)
	if err != nil {
		return fmt.Errorf("eventstore: listen on %s: want HOST:PORT, such as 127.0.0.1:4222", cfg.Listen)
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return fmt.Errorf("eventstore: listen on %s: want a port from 0, which picks a free one, to 65535", cfg.Listen)
	}
	if ip := net.ParseIP(host); cfg.ListenCert == "" && host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("eventstore: listen on %s: other machines can reach this address, and events would pass in clear: "+
			"give a certificate and its key, or listen on 127.0.0.1, [::1] or localhost", cfg.Listen)
	}
	return nil
}

// listening adds to the server's options what takes subscribers in. The server
// begins to listen only with Admit.
func listening(opts *server.Options, cfg Config, gate *gate) error {
	host, port, err := net.SplitHostPort(cfg.Listen)
	if err != nil {
		return err
	}
	opts.Host = host
	if opts.Port, err = strconv.Atoi(port); err != nil {
		return err
	}
	if opts.Port == 0 {
		opts.Port = server.RANDOM_PORT
	}
	if cfg.ListenCert != "" {
		cert, err := tls.LoadX509KeyPair(cfg.ListenCert, cfg.ListenKey)
		if err != nil {
			return fmt.Errorf("eventstore: certificate for %s: %w", cfg.Listen, err)
		}
		opts.TLSConfig = &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
		opts.TLSTimeout = 5
	}
	opts.AlwaysEnableNonce = true
	opts.CustomClientAuthentication = gate
	opts.MaxConn = maxConnections
	opts.MaxSubs = maxSubscriptions
	return nil
}

// Admit begins to listen on Config.Listen, for those whom subscribers names and
// nobody else. Until then a client finds the port closed and tries again later,
// where a refusal would make it give up.
func (s *Store) Admit(ctx context.Context, subscribers Subscribers) error {
	if s.gate == nil {
		return errors.New("eventstore: the store was opened without an address to listen on")
	}
	// The server only logs why it cannot listen.
	probe, err := new(net.ListenConfig).Listen(ctx, "tcp", s.cfg.Listen)
	if err != nil {
		return fmt.Errorf("eventstore: listen for subscribers: %w", err)
	}
	_ = probe.Close()
	s.gate.open(s, subscribers)
	ready := make(chan struct{})
	go s.srv.Load().AcceptLoop(ready) // returns when it listens, or cannot
	<-ready
	if s.srv.Load().Addr() == nil {
		return fmt.Errorf("eventstore: cannot listen for subscribers on %s; the log says why", s.cfg.Listen)
	}
	s.srv.admitted.Store(true)
	go s.cutFloods()
	return nil
}

// Address is where subscribers connect, as a NATS URL; "" before Admit. With an
// external server it is that one's, without the user by which the ledger connects.
func (s *Store) Address() string {
	switch {
	case s.srv.Load() == nil:
		if address := s.read.ConnectedUrlRedacted(); address != "" {
			return WithoutUser(address)
		}
		return ""
	case s.gate == nil || s.srv.Load().Addr() == nil:
		return ""
	case s.cfg.ListenCert != "":
		return "tls://" + s.srv.Load().Addr().String()
	}
	return "nats://" + s.srv.Load().Addr().String()
}

// newSecret is what this process shows its own server.
func newSecret() string { return rand.Text() }

package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/milepost-ledger/milepost/cmd/internal/api"
)

// listening says where a server listens, and how it can be reached from
// elsewhere: by TLS of its own, or behind a proxy that has it.
type listening struct {
	address   string
	cert, key string // files
	proxied   string // HOST[:PORT] by which a proxy serves it

	organisation organisation // by which people may sign in
	stop         stopping
}

func (l *listening) flags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&l.cert, "tls-cert", "", "`file` of the server's certificate, with those that lead to its authority; read again when it changes")
	flags.StringVar(&l.key, "tls-key", "", "`file` of the certificate's key")
	flags.StringVar(&l.proxied, "behind-proxy", "", "`host[:port]` by which a proxy serves this server by https; it must pass on the header Host,\n"+
		"and set X-Forwarded-Proto and X-Forwarded-For")
}

// check refuses what would let tokens be read on the way.
func (l *listening) check() error {
	host, _, err := net.SplitHostPort(l.address)
	if err != nil {
		return usagef("--listen %s: want HOST:PORT, such as 127.0.0.1:8080", l.address)
	}
	if (l.cert == "") != (l.key == "") {
		return usagef("--tls-cert and --tls-key go together: the one is the certificate, the other its key")
	}
	if l.proxied != "" && (strings.ContainsAny(l.proxied, "/ @") || !strings.Contains(l.proxied, ".") && !isLoopback(l.proxied)) {
		return usagef("--behind-proxy %s: want HOST or HOST:PORT, as browsers know it, such as ledger.example.org", l.proxied)
	}
	if err := l.stop.check(); err != nil {
		return err
	}
	if err := l.organisation.prepare(); err != nil {
		return err
	}
	if l.cert != "" || l.proxied != "" || isLoopback(host) {
		return nil
	}
	return fmt.Errorf("--listen %s: this address can be reached from other machines, and what is sent to it could be read on the way: "+
		"give a certificate with --tls-cert and --tls-key, or name the proxy's host with --behind-proxy, or listen on 127.0.0.1, [::1] or localhost", l.address)
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// front is what the API knows of it.
func (l *listening) front() api.Front { return api.Front{TLS: l.cert != "", Proxied: l.proxied} }

// certificate is the file of the certificate as others find it, "" for none.
func (l *listening) certificate() string {
	if file, err := filepath.Abs(l.cert); err == nil && l.cert != "" {
		return file
	}
	return l.cert
}

// open listens. It returns the address by which this machine reaches the
// listener, and the one that people are told.
func (l *listening) open(log *slog.Logger) (_ net.Listener, local, told string, err error) {
	listener, err := net.Listen("tcp", l.address)
	if err != nil {
		return nil, "", "", fmt.Errorf("listen: %w; give another address with --listen", err)
	}
	scheme, name := "http", ""
	if l.cert != "" {
		pair, err := newKeyPair(l.cert, l.key, log)
		if err != nil {
			return nil, "", "", errors.Join(err, listener.Close())
		}
		scheme, name = "https", pair.name()
		listener = tls.NewListener(listener, &tls.Config{
			MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}, GetCertificate: pair.get,
		})
	}
	at := listener.Addr().(*net.TCPAddr)
	host, port := at.IP.String(), fmt.Sprint(at.Port)
	if at.IP.IsUnspecified() {
		host = "127.0.0.1"
	}
	local = scheme + "://" + net.JoinHostPort(host, port)
	switch told = local; {
	case l.proxied != "":
		told = "https://" + l.proxied
	case name != "" && !at.IP.IsLoopback():
		told = "https://" + net.JoinHostPort(name, port)
	}
	return listener, local, told, nil
}

package main

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"
)

// keyPair is the server's certificate and its key, read again when the files
// change: a certificate is renewed without a restart.
type keyPair struct {
	cert, key string // files
	log       *slog.Logger

	mu   sync.Mutex
	pair *tls.Certificate
	of   [2]fileState
}

// fileState tells whether a file has changed.
type fileState struct {
	size int64
	time time.Time
}

func newKeyPair(cert, key string, log *slog.Logger) (*keyPair, error) {
	p := &keyPair{cert: cert, key: key, log: log}
	if err := p.read(p.states()); err != nil {
		return nil, fmt.Errorf("--tls-cert and --tls-key: %w", err)
	}
	return p, nil
}

// get returns the certificate for a new connection. Where the files cannot be
// read, as when one is written and the other is not yet, it is the former.
func (p *keyPair) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if states := p.states(); states != p.of {
		if err := p.read(states); err != nil {
			p.log.Warn("the certificate has changed and cannot be used; the former one is", "error", err)
		}
	}
	return p.pair, nil
}

// read takes the files over as they are now, and does not try the same again.
func (p *keyPair) read(states [2]fileState) error {
	p.of = states
	pair, err := tls.LoadX509KeyPair(p.cert, p.key)
	if err != nil {
		return err
	}
	p.pair = &pair
	return nil
}

func (p *keyPair) states() (s [2]fileState) {
	for i, file := range []string{p.cert, p.key} {
		if info, err := os.Stat(file); err == nil {
			s[i] = fileState{info.Size(), info.ModTime()}
		}
	}
	return s
}

// name is the first that the certificate is for, "" when it has none that could
// be asked for.
func (p *keyPair) name() string {
	for _, name := range p.pair.Leaf.DNSNames {
		if !strings.Contains(name, "*") {
			return name
		}
	}
	return ""
}

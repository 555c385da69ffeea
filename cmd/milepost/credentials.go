package main

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/milepost-ledger/milepost/cmd/internal/signin"
	"github.com/milepost-ledger/milepost/eventstore"
)

// defaultData is the data directory when nothing names one.
const defaultData = "./milepost-data"

// dataDir is the data directory that a verb works on or looks into.
func (a *app) dataDir() string {
	return cmp.Or(a.data, a.env("MILEPOST_DATA"), defaultData)
}

// heldBy returns the note of the process that has dir open, a zero one when none
// has: the note of one that was killed must not be believed, for its address may
// be somebody else's by now.
func heldBy(dir string) holder {
	if h := readHolder(dir); h.Address != "" && eventstore.InUse(dir) {
		return h
	}
	return holder{}
}

// credentials finds by what a client shows who it is: the token in the
// environment, else the administrator's of the data directory, which goes to the
// process that holds that directory and to nobody else.
func (a *app) credentials(c *client, held holder) error {
	if c.token = a.env("MILEPOST_TOKEN"); c.token != "" {
		return nil
	}
	if c.data = a.dataDir(); !sameServer(c.base, held.Address) {
		return nil
	}
	token, err := signin.ReadAdminToken(a.dataDir())
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission): // not for this user; the server says what it wants
		return nil
	case err != nil:
		return err
	}
	c.base, c.token = held.Address, token
	if held.Certificate != "" {
		c.http.Transport = pinned(held.Certificate)
	}
	return nil
}

// sameServer reports whether two addresses are of one server. On this machine it
// goes by the name localhost too.
func sameServer(a, b string) bool {
	u, errA := url.Parse(a)
	v, errB := url.Parse(b)
	if errA != nil || errB != nil || b == "" || u.Scheme != v.Scheme || u.Port() != v.Port() || strings.Trim(u.Path, "/") != "" {
		return false
	}
	return u.Hostname() == v.Hostname() || u.Hostname() == "localhost" && isLoopback(v.Hostname())
}

// pinned is a connection to the server that has this very certificate: on the
// machine itself it need not be in the certificate's names.
func pinned(file string) http.RoundTripper {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.Proxy = nil
	t.TLSClientConfig = &tls.Config{
		MinVersion:         tls.VersionTLS12,
		InsecureSkipVerify: true, // VerifyConnection does it, by the certificate instead of by names
		VerifyConnection: func(s tls.ConnectionState) error {
			want, err := leafOf(file)
			if err != nil {
				return err
			}
			if !s.PeerCertificates[0].Equal(want) {
				return fmt.Errorf("the server has another certificate than %s: name it with --server and set MILEPOST_TOKEN", file)
			}
			return nil
		},
	}
	return t
}

// leafOf reads the first certificate in a file.
func leafOf(file string) (*x509.Certificate, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("the server's certificate: %w", err)
	}
	for block, rest := pem.Decode(b); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "CERTIFICATE" {
			return x509.ParseCertificate(block.Bytes)
		}
	}
	return nil, fmt.Errorf("%s holds no certificate", file)
}

// unauthenticated adds to what the server says what to do about it here.
func (c *client) unauthenticated(r *refusal) {
	if r.Status != http.StatusUnauthorized {
		return
	}
	if c.token == "" {
		r.Detail = "the server at " + c.base + " wants to know who asks: set MILEPOST_TOKEN to your token, " +
			"or, on its own machine, name its data directory with --data or MILEPOST_DATA, as somebody who may read it: " + c.data + " is not it"
		return
	}
	r.Detail = "the server at " + c.base + " does not accept the token, which may be revoked or expired: set MILEPOST_TOKEN to another one"
}

package eventstore_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/eventstore"
)

// A directory that a store without a listener made goes on, and its consumers
// stay over a restart.
func TestListeningOnADirectoryThatIsThere(t *testing.T) {
	cfg := config(t)
	s, err := eventstore.Open(t.Context(), cfg)
	require.NoError(t, err)
	mustAppend(t, s, message("p", 0, "one"))
	require.NoError(t, s.EnsureConsumer(t.Context(), eventstore.Consumer{Name: "erp"}))
	require.NoError(t, s.Close())
	assert.Error(t, s.Admit(t.Context(), &standing{}))

	for range 2 {
		o := listen(t, func(c *eventstore.Config) { c.Dir = cfg.Dir })
		assert.Equal(t, []string{"1 p one"}, log(t, o.Store))
		_, creds := o.add(t, "erp")
		nc, js, _ := o.dial(t, "erp", creds)
		c, err := js.Consumer(t.Context(), o.Stream(), "erp")
		require.NoError(t, err)
		assert.EqualValues(t, 1, c.CachedInfo().NumPending)
		nc.Close()
		require.NoError(t, o.Close())
	}
}

func TestListeningAddresses(t *testing.T) {
	for listen, want := range map[string]string{
		"0.0.0.0:0":       "give a certificate",
		":4222":           "give a certificate",
		"ledger.city:0":   "give a certificate",
		"127.0.0.1":       "want HOST:PORT",
		"127.0.0.1:70000": "port",
	} {
		cfg := config(t)
		cfg.Listen = listen
		_, err := eventstore.Open(t.Context(), cfg)
		assert.ErrorContains(t, err, want, listen)
	}
	cfg := config(t)
	cfg.Listen, cfg.URL = "127.0.0.1:0", "nats://127.0.0.1:1"
	_, err := eventstore.Open(t.Context(), cfg)
	assert.ErrorContains(t, err, "external")

	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = taken.Close() }()
	cfg = config(t)
	cfg.Listen = taken.Addr().String()
	s := openWith(t, cfg)
	assert.ErrorContains(t, s.Admit(t.Context(), &standing{}), "in use")
}

func TestListeningWithTLS(t *testing.T) {
	cert, key, pool := certificate(t)
	o := listen(t, func(c *eventstore.Config) { c.Listen, c.ListenCert, c.ListenKey = "0.0.0.0:0", cert, key })
	mustAppend(t, o.Store, message("p", 0, "one"))
	_, creds := o.add(t, "erp")
	_, port, err := net.SplitHostPort(strings.TrimPrefix(o.Address(), "tls://"))
	require.NoError(t, err)

	nc, err := nats.Connect("nats://127.0.0.1:"+port, nats.UserCredentials(creds), nats.CustomInboxPrefix("_INBOX_erp"), nats.Secure(&tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}))
	require.NoError(t, err)
	defer nc.Close()
	js, err := jetstream.New(nc)
	require.NoError(t, err)
	c, err := js.Consumer(t.Context(), o.Stream(), "erp")
	require.NoError(t, err)
	assert.Equal(t, "one", next(t, c))

	// and nobody speaks in clear
	plain, err := net.Dial("tcp", "127.0.0.1:"+port)
	require.NoError(t, err)
	defer func() { _ = plain.Close() }()
	_, err = plain.Write([]byte("CONNECT {}\r\nPING\r\n"))
	require.NoError(t, err)
	require.NoError(t, plain.SetReadDeadline(time.Now().Add(patience)))
	heard := make([]byte, 1<<16)
	var all strings.Builder
	for {
		n, err := plain.Read(heard)
		all.Write(heard[:n])
		if err != nil {
			break
		}
	}
	assert.NotContains(t, all.String(), "PONG")
}

// certificate makes one for 127.0.0.1 that signs itself.
func certificate(t *testing.T) (certFile, keyFile string, pool *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "ledger"}, NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	public := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	require.NoError(t, os.WriteFile(certFile, public, 0o600))
	require.NoError(t, os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600))
	pool = x509.NewCertPool()
	require.True(t, pool.AppendCertsFromPEM(public))
	return certFile, keyFile, pool
}

package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/signing"
)

// proxied are two servers of one ledger behind the nginx of the page.
type proxied struct {
	caller   // by the proxy, as an administrator whom both know
	one, two *child
}

// caller asks a server.
type caller struct {
	base  string
	token string
	http  *http.Client
}

// directly is the same, of a server itself.
func (c caller) directly(to *child) caller { return caller{to.url, c.token, http.DefaultClient} }

// proxiedHost is the name that the page has.
const proxiedHost = "ledger.example.org"

// spread, as a change to the configuration, has each request go to the next server.
const spread = "    ip_hash;\n"

// startProxied runs nginx with the page's configuration before two servers with the
// page's flags. Only the places are others, and without is left out, as the page says
// that it may be. Its client speaks HTTP/2 and nothing else.
func startProxied(t *testing.T, without string, flags ...string) *proxied {
	t.Helper()
	program := needsNginx(t)
	nats, dir := externalLog(t), t.TempDir()
	flags = append([]string{"--nats", nats, "--behind-proxy", proxiedHost}, flags...)
	p := &proxied{one: startServer(t, dir, flags...)}
	p.two = startServer(t, t.TempDir(), append(flags, "--key", signing.KeyFile(dir))...)
	_, code := p.one.run(t, nil, "do", "grant-access", "--principal", "robot", "--role", "admin")
	require.Equal(t, exitDone, code)
	out, code := p.one.run(t, nil, "token", "create", "robot")
	require.Equal(t, exitDone, code)
	address := unusedAddress(t)
	p.caller = caller{"https://" + proxiedHost, strings.TrimSpace(out), &http.Client{Transport: p.startNginx(t, program, address, without)}}
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", address)
		return err == nil && conn.Close() == nil
	}, 20*time.Second, 5*time.Millisecond, "nginx does not listen")
	for _, s := range []*child{p.one, p.two} { // each by itself has to hear of the token
		require.Eventually(t, func() bool {
			return p.directly(s).ask(t, "GET", "/v1/parties", "").status == http.StatusOK
		}, 20*time.Second, 5*time.Millisecond)
	}
	return p
}

// needsNginx finds nginx, or leaves the test out where .ci/run does not run.
func needsNginx(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"nginx", "/usr/sbin/nginx"} { // which is not in everybody's path
		if program, err := exec.LookPath(name); err == nil {
			return program
		}
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("nginx is not installed")
	}
	t.Skip("the configuration of nginx in OPERATIONS.md is not tried: nginx is not installed (apt-get install nginx)")
	return ""
}

// unusedAddress is one of this machine at which nobody listens yet.
func unusedAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	return l.Addr().String()
}

// startNginx runs it until the test ends, and returns what reaches it by its name.
func (p *proxied) startNginx(t *testing.T, program, address, without string) *http.Transport {
	t.Helper()
	dir := t.TempDir()
	certificate := certify(t, dir, proxiedHost)
	site := strings.Replace(block(t, operationsPage(t), "nginx", "upstream milepost"), without, "", 1)
	for place, here := range map[string]string{
		"listen 443 ": "listen " + address + " ", "/etc/nginx/": dir + "/",
		"10.0.0.11:8080": strings.TrimPrefix(p.one.url, "http://"), "10.0.0.12:8080": strings.TrimPrefix(p.two.url, "http://"),
	} {
		require.Contains(t, site, place)
		site = strings.ReplaceAll(site, place, here)
	}
	user := ""
	if os.Geteuid() == 0 { // or its workers could not reach the directory
		user = "user root root;\n"
	}
	conf := fmt.Sprintf(`%sdaemon off; worker_processes 2; pid %[2]s/pid; error_log stderr crit;
events {}
http {
access_log off;
client_body_temp_path %[2]s/body; proxy_temp_path %[2]s/proxy;
fastcgi_temp_path %[2]s/fastcgi; uwsgi_temp_path %[2]s/uwsgi; scgi_temp_path %[2]s/scgi;
%[3]s}
`, user, dir, site)
	file := filepath.Join(dir, "nginx.conf")
	require.NoError(t, os.WriteFile(file, []byte(conf), 0o600))
	out, err := exec.Command(program, "-t", "-p", dir, "-c", file).CombinedOutput()
	require.NoError(t, err, "%s", out)
	cmd := exec.Command(program, "-p", dir, "-c", file)
	cmd.Stderr = os.Stderr
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		assert.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
		assert.NoError(t, cmd.Wait())
	})

	return dialing(t, address, proxiedHost, certificate)
}

// certify writes a certificate and its key to cert.pem and key.pem.
func certify(t *testing.T, dir, host string) (certificate []byte) {
	t.Helper()
	certificate, key, err := newCertificate(host)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "cert.pem"), certificate, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "key.pem"), key, 0o600))
	return certificate
}

// dialing reaches an address by a name of which it trusts the certificate, by HTTP/2 and
// nothing else.
func dialing(t *testing.T, address, host string, certificate []byte) *http.Transport {
	roots := x509.NewCertPool()
	require.True(t, roots.AppendCertsFromPEM(certificate))
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: host, MinVersion: tls.VersionTLS12}, Protocols: new(http.Protocols)}
	transport.Protocols.SetHTTP2(true)
	transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

// said is an answer, whole.
type said struct {
	status int
	header http.Header
	body   string
}

// ask asks for a path; headers are "Name: value".
func (c caller) ask(t *testing.T, method, path, body string, headers ...string) said {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, c.base+path, strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+c.token)
	req.Header.Set("Content-Type", "application/json")
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		req.Header.Set(name, value)
		if name == "Host" {
			req.Host = value
		}
	}
	resp, err := c.http.Do(req)
	if !assert.NoError(t, err) {
		return said{}
	}
	defer func() { _ = resp.Body.Close() }()
	whole, err := io.ReadAll(resp.Body)
	assert.NoError(t, err)
	return said{resp.StatusCode, resp.Header, string(whole)}
}

package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"io"
	"io/fs"
	"math/big"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/signin"
)

// signInCmds are what scripts about sign-in have beside the others:
//
//	ask STATUS METHOD PATH HEADER...   the server answers a request that shows nothing else with that status
//	mode MODE FILE                     the file has that mode
//	token VAR DIR                      $VAR is the administrator's token of a data directory
//	spy VAR [ADDRESS]                  listen, in place of the spy there was, as a server that notes what it is shown; $VAR is where
//	spied N nothing                    the spy was asked N times, and shown no token
//	certificate NAME HOST              make NAME.pem and NAME.key, a certificate for HOST
var signInCmds = map[string]func(*testscript.TestScript, bool, []string){
	"ask": askServer, "mode": mode, "spy": spy, "spied": spied, "certificate": certificate,
	"token": func(ts *testscript.TestScript, _ bool, args []string) {
		token, err := signin.ReadAdminToken(ts.MkAbs(args[1]))
		ts.Check(err)
		ts.Setenv(args[0], token)
	},
}

func askServer(ts *testscript.TestScript, _ bool, args []string) {
	req, err := http.NewRequest(args[1], ts.Getenv("MILEPOST_SERVER")+args[2], nil)
	ts.Check(err)
	for _, header := range args[3:] {
		name, value, _ := strings.Cut(header, ": ")
		req.Header.Set(name, value)
		if name == "Host" {
			req.Host = value
		}
	}
	resp, err := http.DefaultClient.Do(req)
	ts.Check(err)
	ts.Check(resp.Body.Close())
	if got := strconv.Itoa(resp.StatusCode); got != args[0] {
		ts.Fatalf("%s %s: status %s, want %s", args[1], args[2], got, args[0])
	}
	if resp.StatusCode == http.StatusUnauthorized && resp.Header.Get("WWW-Authenticate") == "" {
		ts.Fatalf("%s %s: 401 does not say how to show who asks", args[1], args[2])
	}
}

func mode(ts *testscript.TestScript, _ bool, args []string) {
	info, err := os.Stat(ts.MkAbs(args[1]))
	ts.Check(err)
	want, err := strconv.ParseUint(args[0], 8, 32)
	ts.Check(err)
	if got := info.Mode().Perm(); got != fs.FileMode(want) {
		ts.Fatalf("%s has mode %04o, want %s", args[1], got, args[0])
	}
}

type spyKey struct{}

// spying is the spy of a script.
type spying struct {
	server *httptest.Server
	mu     sync.Mutex
	asked  int
	shown  []string
}

func spy(ts *testscript.TestScript, _ bool, args []string) {
	s := ts.Value(spyKey{}).(*spying)
	if s.server != nil {
		s.server.Close()
	}
	address := "127.0.0.1:0"
	if len(args) > 1 {
		address = args[1]
	}
	l, err := net.Listen("tcp", address)
	ts.Check(err)
	s.asked, s.shown = 0, nil
	s.server = &httptest.Server{Listener: l, Config: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.asked++
		for name, values := range r.Header {
			if text := strings.Join(values, ","); strings.Contains(text, "mp_") || name == "Authorization" {
				s.shown = append(s.shown, name+": "+text)
			}
		}
		w.WriteHeader(http.StatusTeapot)
	})}}
	s.server.Start()
	ts.Defer(s.server.Close)
	ts.Setenv(args[0], s.server.URL)
}

func spied(ts *testscript.TestScript, _ bool, args []string) {
	s := ts.Value(spyKey{}).(*spying)
	s.mu.Lock()
	defer s.mu.Unlock()
	if strconv.Itoa(s.asked) != args[0] || len(s.shown) > 0 {
		ts.Fatalf("the spy was asked %d times, and shown %q", s.asked, s.shown)
	}
}

func certificate(ts *testscript.TestScript, _ bool, args []string) {
	public, secret, err := newCertificate(args[1:]...)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".pem"), public, 0o600))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".key"), secret, 0o600))
}

// newCertificate makes a certificate for hosts, which answers for itself, and its key.
func newCertificate(hosts ...string) (public, secret []byte, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		return nil, nil, err
	}
	of := &x509.Certificate{
		SerialNumber: serial, DNSNames: hosts, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, of, of, key.Public(), key)
	if err != nil {
		return nil, nil, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), err
}

// formFields are those of the page that a link leads to.
var formFields = regexp.MustCompile(`name="(form|code)" value="([^"]+)"`)

// A person signs in to the demo by the link that it prints, and asks its API from
// there; another site cannot make that browser ask for anything.
func TestBrowserSignsIn(t *testing.T) {
	d := startDemo(t)
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	browser := &http.Client{Jar: jar}
	send := func(method, address, form string, headers ...string) (status int, body string) {
		req, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(form))
		require.NoError(t, err)
		req.Header.Set("Accept", "text/html")
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		for i := 0; i < len(headers); i += 2 {
			req.Header.Set(headers[i], headers[i+1])
		}
		resp, err := browser.Do(req)
		require.NoError(t, err)
		defer func() { _ = resp.Body.Close() }()
		b, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return resp.StatusCode, string(b)
	}
	filled := func(page string) string {
		form := url.Values{}
		for _, m := range formFields.FindAllStringSubmatch(page, -1) {
			form.Set(m[1], m[2])
		}
		return form.Encode()
	}
	api := d.address + "/v1/agreements"
	command := []string{"Content-Type", "application/json", "Accept", "application/json"}

	// Given nobody is signed in, then nothing is answered.
	status, _ := send(http.MethodGet, api, "")
	require.Equal(t, http.StatusUnauthorized, status)

	// When she opens the link and presses the button, then she is the administrator,
	_, page := send(http.MethodGet, d.link, "")
	status, page = send(http.MethodPost, d.address+"/sign-in/link", filled(page))
	require.Equal(t, http.StatusOK, status)
	assert.Contains(t, page, "<h1>Overview</h1>")
	_, page = send(http.MethodGet, d.address+"/account", "")
	assert.Contains(t, page, "<strong>administrator</strong>")
	assert.Contains(t, page, "the whole ledger")
	status, _ = send(http.MethodGet, api, "")
	assert.Equal(t, http.StatusOK, status)

	// and may write, by a page of this server and no other.
	party := `{"party":"new","title":"New","kind":"other"}`
	for _, other := range [][]string{{"Origin", "http://evil.example"}, {"Sec-Fetch-Site", "cross-site"}} {
		status, _ = send(http.MethodPost, d.address+"/v1/commands/register-party", party, append(other, command...)...)
		assert.Equal(t, http.StatusForbidden, status)
	}
	status, body := send(http.MethodPost, d.address+"/v1/commands/register-party", party, append([]string{"Origin", d.address}, command...)...)
	assert.Equal(t, http.StatusCreated, status, body)
	// A session makes no links, by which it would last for ever.
	status, body = send(http.MethodPost, d.address+"/v1/sign-in-links", "{}", command...)
	assert.Equal(t, http.StatusForbidden, status, body)

	// When she signs out, then nothing is answered again.
	send(http.MethodPost, d.address+"/sign-out", filled(page))
	status, _ = send(http.MethodGet, api, "")
	assert.Equal(t, http.StatusUnauthorized, status)
}

package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

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
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ts.Check(err)
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	ts.Check(err)
	of := &x509.Certificate{
		SerialNumber: serial, DNSNames: args[1:], NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, of, of, key.Public(), key)
	ts.Check(err)
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	ts.Check(err)
	for file, block := range map[string]*pem.Block{".pem": {Type: "CERTIFICATE", Bytes: der}, ".key": {Type: "PRIVATE KEY", Bytes: secret}} {
		ts.Check(os.WriteFile(ts.MkAbs(args[0]+file), pem.EncodeToMemory(block), 0o600))
	}
	_, err = tls.LoadX509KeyPair(ts.MkAbs(args[0]+".pem"), ts.MkAbs(args[0]+".key"))
	ts.Check(err)
	ts.Logf("%s", fmt.Sprintf("certificate %x", serial))
}

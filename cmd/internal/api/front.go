package api

import (
	"net"
	"net/http"
	"strings"
)

// Front is how requests reach the server: directly, or by a proxy in front of it.
type Front struct {
	TLS     bool   // the server has a certificate of its own
	Proxied string // HOST[:PORT] by which a proxy serves it by https; "" for none
}

// check refuses a request for a host that is not this server.
//
// On a loopback listener only a name that was made to point here (DNS rebinding)
// brings another host than this machine's. By TLS a browser has compared the name
// with the certificate. What a proxy says of a request is believed only of the host
// that it was named for: a request for any other did not come by it. What watches the
// servers behind it asks each by whatever name it has: how a server is is no secret, and
// for what is counted it takes a token, which no browser has.
func (f Front) check(r *http.Request) *Problem {
	switch {
	case f.proxies(r):
		if last(r, "X-Forwarded-Proto") == "https" {
			return nil
		}
		return newProblem(CodeInsecure, "X-Forwarded-Proto", "The proxy does not say that it was asked by https. Ask by https, and have it set X-Forwarded-Proto.")
	case f.Proxied != "" && forwarded(r):
		return newProblem(CodeForbiddenHost, "Host", "This ledger is served as "+f.Proxied+". Have the proxy pass on the header Host.")
	case r.TLS != nil, onLoopback(r) && loopback(r.Host):
		return nil
	case f.Proxied != "" && probed(r.URL.Path): // of each server, by who watches them
		return nil
	case f.Proxied != "":
		return newProblem(CodeForbiddenHost, "Host", "This ledger is served as "+f.Proxied+": ask it by that name.")
	case !onLoopback(r):
		return nil // the program does not listen there without TLS or a proxy
	}
	return newProblem(CodeForbiddenHost, "Host", "This ledger listens on this machine only: ask it by localhost, 127.0.0.1 or [::1].")
}

// proxies reports whether a request is for the host that the proxy serves.
func (f Front) proxies(r *http.Request) bool {
	return f.Proxied != "" && plainHost(r.Host) == plainHost(f.Proxied)
}

// plainHost is a host in the one spelling: lower case, without the port of https.
func plainHost(host string) string { return strings.TrimSuffix(strings.ToLower(host), ":443") }

// Secure reports whether the browser came by TLS, so that its cookies may say that
// they go by nothing else.
func (f Front) Secure(r *http.Request) bool { return r.TLS != nil || f.proxies(r) }

// Address is who asks: of a request by the proxy what that says last, for what
// stands before was said to it and may be invented.
func (f Front) Address(r *http.Request) string {
	if f.proxies(r) {
		if from := last(r, "X-Forwarded-For"); from != "" {
			return from
		}
	}
	return r.RemoteAddr
}

// last is the last value of a header that each proxy adds to.
func last(r *http.Request, header string) string {
	values := strings.Split(strings.Join(r.Header.Values(header), ","), ",")
	return strings.TrimSpace(values[len(values)-1])
}

func forwarded(r *http.Request) bool {
	for _, header := range []string{"X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Forwarded"} {
		if r.Header.Get(header) != "" {
			return true
		}
	}
	return false
}

// onLoopback reports whether the connection is one of this machine with itself.
func onLoopback(r *http.Request) bool {
	switch local := r.Context().Value(http.LocalAddrContextKey).(type) {
	case *net.TCPAddr:
		return local.IP.IsLoopback()
	case net.Addr:
		return loopback(local.String())
	}
	return false
}

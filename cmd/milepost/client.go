package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os/user"
	"strconv"
	"strings"
	"time"

	"github.com/milepost-ledger/milepost/cmd/internal/api"
	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
)

const defaultServer = "http://127.0.0.1:8080"

// client speaks to a server's HTTP API.
type client struct {
	base  string // without a final slash
	token string // sent as a bearer token when set
	data  string // directory in which its token was looked for; empty when it was given
	actor string // named to the server for commands that name none
	http  http.Client
}

// refusal is an answer of the server that is not a success.
type refusal struct{ api.Problem }

func (r *refusal) Error() string {
	switch {
	case r.Code != "" && r.Field != "":
		return fmt.Sprintf("%s (code %s, field %s)", r.Detail, r.Code, r.Field)
	case r.Code != "":
		return fmt.Sprintf("%s (code %s)", r.Detail, r.Code)
	}
	return r.Detail
}

// unreachableError says that nothing answers at the address.
type unreachableError struct {
	base string
	err  error
}

func (e *unreachableError) Error() string {
	return fmt.Sprintf("no server answers at %s: start one with milepost serve, or say which with --server (%v)", e.base, e.err)
}

func (e *unreachableError) Unwrap() error { return e.err }

// client makes the client of the server that the flags or the environment name.
func (a *app) client() (*client, error) { return a.clientOf(a.server) }

// clientOf makes the client of the server at base; "" leaves the choice to the
// environment, and then to who holds the data directory.
func (a *app) clientOf(base string) (*client, error) {
	if base == "" {
		base = a.env("MILEPOST_SERVER")
	}
	held := heldBy(a.dataDir())
	base = cmp.Or(base, held.Address, defaultServer)
	if !strings.Contains(base, "://") {
		base = "http://" + base
	}
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, usagef("--server %s: want an address such as %s", base, defaultServer)
	}
	c := &client{base: strings.TrimSuffix(u.String(), "/"), actor: a.actor()}
	c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse } // a token goes nowhere else
	return c, a.credentials(c, held)
}

// actor is who asks when nobody else is named. Who has a token of their own is
// known by it, and only an administrator may name another; who acts as the local
// administrator is told apart by the user of this system.
func (a *app) actor() string {
	if name := a.env("MILEPOST_ACTOR"); name != "" || a.env("MILEPOST_TOKEN") != "" {
		return name
	}
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return ""
}

// path makes an address from its parts, each of them escaped.
func path(parts ...string) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteByte('/')
		b.WriteString(url.PathEscape(p))
	}
	return b.String()
}

func (c *client) get(ctx context.Context, path string, query url.Values) ([]byte, error) {
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return c.do(ctx, http.MethodGet, path, "", nil)
}

func (c *client) post(ctx context.Context, path, contentType string, body io.Reader) ([]byte, error) {
	return c.do(ctx, http.MethodPost, path, contentType, body)
}

// command asks for a command, and returns its receipt when what it did is shown.
func (c *client) command(ctx context.Context, name string, body []byte) (answer []byte, r ledger.Receipt, err error) {
	answer, err = c.post(ctx, path("v1", "commands", name), "application/json", bytes.NewReader(body))
	if err != nil {
		return answer, r, err
	}
	if err := json.Unmarshal(answer, &r); err != nil {
		return answer, r, fmt.Errorf("the receipt cannot be read: %w", err)
	}
	c.shown(ctx, r.Seq)
	return answer, r, nil
}

// shown waits until the read models show what was recorded up to seq: who asks next is to
// see it. What does not come in time is recorded all the same.
func (c *client) shown(ctx context.Context, seq uint64) {
	if seq == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, shownPatience)
	defer cancel()
	_, _ = c.get(ctx, path("v1", "agreements"), url.Values{"min_seq": {strconv.FormatUint(seq, 10)}, "limit": {"1"}})
}

// shownPatience is how long a verb waits for the read models.
const shownPatience = 5 * time.Second

// do returns the body of a successful answer. Else the error is a *refusal, an
// *unreachableError, or says that the connection broke off.
func (c *client) do(ctx context.Context, method, path, contentType string, body io.Reader) ([]byte, error) {
	resp, err := c.send(ctx, method, path, contentType, body)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, c.short(err)
	}
	return answer, nil
}

// send is do for an answer that may be long: its body is the caller's to read
// and to close.
func (c *client) send(ctx context.Context, method, path, contentType string, body io.Reader) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return nil, err
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	return c.ask(req)
}

// ask is send for a request that has more to say, such as headers of its own.
func (c *client) ask(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	if req.Method != http.MethodGet && isPrintableASCII(c.actor) {
		req.Header.Set("Milepost-Actor", c.actor)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, c.broken(err)
	}
	if resp.StatusCode < 300 {
		return resp, nil
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, c.short(err)
	}
	refused := readRefusal(resp, answer)
	c.unauthenticated(refused)
	return nil, refused
}

// short says that an answer began and did not end.
func (c *client) short(err error) error {
	return fmt.Errorf("the answer of %s broke off: %w", c.base, err)
}

// broken explains why no answer came.
func (c *client) broken(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" {
		return &unreachableError{c.base, err}
	}
	return fmt.Errorf("the connection to %s broke off (%w)", c.base, err)
}

func readRefusal(resp *http.Response, answer []byte) *refusal {
	r := &refusal{}
	if json.Unmarshal(answer, &r.Problem) != nil || r.Detail == "" { // some other server, or a proxy
		r.Problem = api.Problem{Detail: "the server answered " + resp.Status + ": " + firstLine(answer)}
	}
	r.Status = resp.StatusCode
	return r
}

func firstLine(b []byte) string {
	line, _, _ := bytes.Cut(bytes.TrimSpace(b), []byte("\n"))
	return string(line[:min(len(line), 200)])
}

func isPrintableASCII(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) < 0
}

package webhook

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/milepost-ledger/milepost/cmd/internal/feed"
)

// answerLimit is how much of an answer is read; nobody looks at it.
const answerLimit = 64 << 10

// newClient makes the client of one deliverer. It asks no proxy, which would
// connect to whatever it likes, and follows no redirect.
func newClient(opts Options) *http.Client {
	transport := &http.Transport{
		DialContext:            guard{opts.Allow}.dialer(opts.Resolver).DialContext,
		ForceAttemptHTTP2:      true,
		DisableCompression:     true,
		TLSClientConfig:        &tls.Config{RootCAs: opts.Roots, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    opts.Timeout,
		MaxResponseHeaderBytes: answerLimit,
		MaxIdleConnsPerHost:    1, // of each webhook one request at a time
		IdleConnTimeout:        30 * time.Second,
	}
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// answer is what came of a request.
type answer struct {
	attempt
	retryAfter time.Duration // as the receiver asked
}

func (a *answer) accepted() bool { return a.Error == "" }
func (a *answer) gone() bool     { return a.Status == http.StatusGone }

// send sends one event once.
func (r *runner) send(ctx context.Context, e feed.Event) answer {
	at := r.d.opts.Now()
	a := answer{attempt: attempt{Seq: e.Seq, At: at.UTC()}}
	ctx, cancel := context.WithTimeout(ctx, r.d.opts.Timeout)
	defer cancel()
	if err := r.request(ctx, e, at, &a); err != nil {
		a.Error = r.explain(err)
	}
	return a
}

// request sends the event and reads the answer, whole or up to the limit.
func (r *runner) request(ctx context.Context, e feed.Event, at time.Time, a *answer) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.hook.URL, bytes.NewReader(e.Data))
	if err != nil {
		return err
	}
	if req.URL.Scheme != "https" && !r.d.opts.HTTP {
		return errors.New("it is an address without TLS: give one with https, or serve with --webhook-http")
	}
	req.Header.Set("Content-Type", "application/cloudevents+json")
	req.Header.Set("User-Agent", "milepost")
	req.Header.Set("Webhook-Id", e.ID)
	req.Header.Set("Webhook-Timestamp", strconv.FormatInt(at.Unix(), 10))
	req.Header.Set("Webhook-Signature", r.secret.sign(e.ID, at, e.Data))
	req.Header.Set("Milepost-Seq", strconv.FormatUint(e.Seq, 10))
	resp, err := r.d.client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	a.Status, a.retryAfter = resp.StatusCode, retryAfter(resp.Header, at)
	_, err = io.CopyN(io.Discard, resp.Body, answerLimit)
	if late := ctx.Err(); late != nil {
		return late // who was cut off may have ended its answer in time to look whole
	}
	switch {
	case resp.StatusCode >= 300 && resp.StatusCode < 400:
		return fmt.Errorf("it answered %d, a redirect, which is not followed: register the address that it leads to", resp.StatusCode)
	case resp.StatusCode < 200 || resp.StatusCode > 299:
		return fmt.Errorf("it answered %d", resp.StatusCode)
	case err != nil && !errors.Is(err, io.EOF):
		return fmt.Errorf("its answer broke off: %w", err)
	}
	return nil
}

// explain says in a line why no whole answer came.
func (r *runner) explain(err error) string {
	var outer *url.Error
	if errors.As(err, &outer) {
		err = outer.Err // the address is known
	}
	var refused *RefusedError
	switch {
	case errors.As(err, &refused):
		return refused.Error()
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Sprintf("no whole answer came within %s", r.d.opts.Timeout)
	}
	const most = 300
	text := err.Error()
	return text[:min(len(text), most)]
}

package webhook_test

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"
)

// receiver is a server that notes what it is sent and answers as it is told.
type receiver struct {
	*httptest.Server
	t testing.TB

	mu      sync.Mutex
	answers []behaviour // of the next requests, in turn; after them, all are accepted
	got     []delivery
}

// delivery is one request.
type delivery struct {
	seq      uint64
	header   http.Header
	body     []byte
	accepted bool // as far as the receiver knows
}

// behaviour is what a receiver does with one request; it reports whether it
// answered that it accepts.
type behaviour func(w http.ResponseWriter, r *http.Request) bool

// newReceiver starts a receiver that speaks TLS.
func newReceiver(t testing.TB) *receiver {
	r := &receiver{t: t}
	r.Server = httptest.NewUnstartedServer(r)
	r.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	r.StartTLS()
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return // the sender has gone, and sends it again
	}
	seq, _ := strconv.ParseUint(req.Header.Get("Milepost-Seq"), 10, 64)
	r.mu.Lock()
	i := len(r.got)
	r.got = append(r.got, delivery{seq: seq, header: req.Header.Clone(), body: body})
	do := behaviour(accept)
	if len(r.answers) > 0 {
		do, r.answers = r.answers[0], r.answers[1:]
	}
	r.mu.Unlock()
	if do(w, req) {
		r.mu.Lock()
		r.got[i].accepted = true
		r.mu.Unlock()
	}
}

// will has it answer the next requests so.
func (r *receiver) will(answers ...behaviour) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answers = append(r.answers, answers...)
}

func (r *receiver) deliveries() []delivery {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]delivery{}, r.got...)
}

// sent are the sequences of all requests, in order.
func (r *receiver) sent() []uint64 {
	seqs := []uint64{}
	for _, d := range r.deliveries() {
		seqs = append(seqs, d.seq)
	}
	return seqs
}

// accepted are the sequences that were accepted, in order.
func (r *receiver) accepted() []uint64 {
	seqs := []uint64{}
	for _, d := range r.deliveries() {
		if d.accepted {
			seqs = append(seqs, d.seq)
		}
	}
	return seqs
}

// verify checks the signatures of all that came, by another implementation.
func (r *receiver) verify(secret string) {
	r.t.Helper()
	independent, err := standardwebhooks.NewWebhook(secret)
	require.NoError(r.t, err)
	for _, d := range r.deliveries() {
		require.NoError(r.t, independent.VerifyIgnoringTimestamp(d.body, d.header))
		require.Error(r.t, independent.VerifyIgnoringTimestamp(append(d.body, ' '), d.header))
	}
}

func accept(w http.ResponseWriter, _ *http.Request) bool {
	w.WriteHeader(http.StatusNoContent)
	return true
}

func answers(status int) behaviour {
	return func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(status)
		return false
	}
}

// hangs never answers.
func hangs(_ http.ResponseWriter, r *http.Request) bool {
	<-r.Context().Done()
	return false
}

// drips accepts, and then sends byte by byte and never ends.
func drips(w http.ResponseWriter, r *http.Request) bool {
	out := http.NewResponseController(w)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		_, _ = w.Write([]byte("."))
		_ = out.Flush()
		select {
		case <-tick.C:
		case <-r.Context().Done():
			return false
		}
	}
}

// breaks accepts, and closes the connection in the middle of the answer.
func breaks(w http.ResponseWriter, _ *http.Request) bool {
	w.Header().Set("Content-Length", "100")
	_, _ = w.Write([]byte("a part"))
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// closes closes the connection instead of an answer.
func closes(http.ResponseWriter, *http.Request) bool { panic(http.ErrAbortHandler) }

// floods accepts, with an answer of which nobody should read the whole.
func floods(w http.ResponseWriter, r *http.Request) bool {
	for r.Context().Err() == nil {
		if _, err := w.Write(bytes.Repeat([]byte("x"), 1<<16)); err != nil {
			break
		}
	}
	return true
}

func redirects(to string) behaviour {
	return func(w http.ResponseWriter, r *http.Request) bool {
		http.Redirect(w, r, to, http.StatusTemporaryRedirect)
		return false
	}
}

// asks fails, and asks for a pause.
func asks(pause string) behaviour {
	return func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Retry-After", pause)
		w.WriteHeader(http.StatusTooManyRequests)
		return false
	}
}

// lines is a log that can be read.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *lines) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

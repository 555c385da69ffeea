package main

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// hooked is a receiver of webhooks with TLS, of which a server of ours trusts the
// certificate.
type hooked struct {
	*httptest.Server
	on func(n int) // called with each request, from 1, before it is answered

	mu   sync.Mutex
	seqs []uint64
	got  []*http.Request
	body [][]byte
}

func startHooked(t *testing.T) *hooked {
	t.Helper()
	h := &hooked{on: func(int) {}}
	h.Server = httptest.NewTLSServer(h)
	t.Cleanup(h.Close)
	file := filepath.Join(t.TempDir(), "roots.pem")
	require.NoError(t, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: h.Certificate().Raw}), 0o600))
	t.Setenv("SSL_CERT_FILE", file)
	return h
}

func (h *hooked) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the sender has gone, and sends it again
	}
	seq, _ := strconv.ParseUint(r.Header.Get("Milepost-Seq"), 10, 64)
	h.mu.Lock()
	h.seqs, h.got, h.body = append(h.seqs, seq), append(h.got, r), append(h.body, body)
	n := len(h.seqs)
	h.mu.Unlock()
	h.on(n)
}

func (h *hooked) sent() []uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.seqs)
}

// A server that is killed while it sends events sends all of them, in order, when
// it runs again, and at most the one under way twice.
func TestWebhookOfAServerThatIsKilled(t *testing.T) {
	const parties, kills = 40, 3
	to := startHooked(t)
	dir := t.TempDir()
	allow := []string{"--webhook-allow", "127.0.0.1/32"}
	server := startServer(t, dir, allow...)
	out, code := server.run(t, nil, "webhook", "add", "hook", to.URL, "--kind", "party", "-o", "json")
	require.Equal(t, exitDone, code)
	var added struct{ Secret string }
	require.NoError(t, json.Unmarshal([]byte(out), &added))

	// Given events to send, and a server that is killed with every tenth under way
	under := make(chan struct{})
	killed := make(chan struct{})
	ctx := t.Context() // which ends before the receiver is closed
	to.on = func(n int) {
		if n%10 != 0 || n/10 > kills {
			return
		}
		for _, c := range []chan struct{}{under, killed} {
			select {
			case c <- struct{}{}:
			case <-ctx.Done():
			}
		}
	}
	var lines strings.Builder
	for i := range parties {
		_, _ = fmt.Fprintf(&lines, `{"command":"register-party","party":"party-%d","title":"Party","kind":"other"}`+"\n", i)
	}
	_, code = server.run(t, strings.NewReader(lines.String()), "import", "-", "--format", "jsonl")
	require.Equal(t, exitDone, code)
	want := make([]uint64, parties)
	for i := range want {
		want[i] = uint64(i + 2)
	}
	for range kills {
		select {
		case <-under:
		case <-time.After(20 * time.Second):
			require.FailNow(t, "nothing is sent", to.sent())
		}
		server.stop(t, syscall.SIGKILL)
		<-killed
		server = startServer(t, dir, allow...)
	}

	// Then all of them came, in order, and one twice for each time
	require.Eventually(t, func() bool { return len(to.sent()) >= parties+kills }, 30*time.Second, 5*time.Millisecond)
	require.Eventually(t, func() bool {
		out, _ := server.run(t, nil, "webhook", "show", "hook", "-o", "json")
		return strings.Contains(out, `"lag":0`)
	}, 10*time.Second, 20*time.Millisecond)
	assert.Equal(t, want, slices.Compact(to.sent()))
	assert.Len(t, to.sent(), parties+kills)

	// signed with the one secret
	check, err := standardwebhooks.NewWebhook(added.Secret)
	require.NoError(t, err)
	for i, r := range to.got {
		require.NoError(t, check.Verify(to.body[i], r.Header))
	}

	// which is in no file.
	out, code = server.run(t, nil, "webhook", "secret", "hook")
	require.Equal(t, exitDone, code)
	assert.Equal(t, added.Secret+"\n", out)
	server.stop(t, syscall.SIGTERM)
	hidden := []byte(strings.TrimPrefix(added.Secret, "whsec_"))
	files := 0
	require.NoError(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == "webhook.key" {
			return err
		}
		b, err := os.ReadFile(path)
		assert.False(t, bytes.Contains(b, hidden), path)
		files++
		return err
	}))
	assert.Greater(t, files, 5)
}

// Without leave, a server sends nothing to its own machine.
func TestWebhookToAPrivateAddress(t *testing.T) {
	to := startHooked(t)
	server := startServer(t, t.TempDir())
	_, code := server.run(t, nil, "webhook", "add", "hook", to.URL, "--from", "1")
	require.Equal(t, exitDone, code)
	_, code = server.run(t, nil, "do", "register-party", "--party", "city", "--title", "City", "--kind", "other")
	require.Equal(t, exitDone, code)
	require.Eventually(t, func() bool {
		out, _ := server.run(t, nil, "webhook", "show", "hook")
		return strings.Contains(out, "--webhook-allow")
	}, 10*time.Second, 20*time.Millisecond)
	// and the status counts it as failing, beside one that has nothing to send.
	_, code = server.run(t, nil, "webhook", "add", "late", to.URL)
	require.Equal(t, exitDone, code)
	server.settled(t)
	out, code := server.run(t, nil, "status")
	require.Equal(t, exitDone, code)
	assert.Regexp(t, `(?m)^webhooks enabled +2\nwebhooks disabled +0\nwebhooks failing +1\nwebhooks lag +2$`, out)
	server.stop(t, syscall.SIGTERM)
	assert.Empty(t, to.sent())
}

// On an external log webhooks are delivered where somebody says so. A server that was
// not told says at its start that there are some to which it sends nothing.
func TestWebhooksThatNobodyDelivers(t *testing.T) {
	const warning = "give --webhooks to exactly one server of the ledger"
	dir, url := t.TempDir(), externalNATS(t)
	log := func(do []string, flags ...string) string {
		s := startServer(t, dir, append(flags, "--nats", url)...)
		s.must(t, "", do...)
		s.stop(t, syscall.SIGTERM)
		return s.log.String()
	}
	status := []string{"status"}
	require.NotContains(t, log([]string{"webhook", "add", "erp", "https://erp.example.org/hook"}, "--webhooks"), warning)
	require.Contains(t, log(status), warning)
	require.NotContains(t, log(status, "--webhooks"), warning)
	require.NotContains(t, log([]string{"webhook", "disable", "erp", "--reason", "moving house"}, "--webhooks=false"), warning)
	require.NotContains(t, log(status), warning)
}

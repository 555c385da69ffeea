package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/api"
	"github.com/milepost-ledger/milepost/cmd/internal/signing"
	"github.com/milepost-ledger/milepost/projections"
)

// wrong is a clock that is so far from the right one.
type wrong struct{ by atomic.Int64 }

func (c *wrong) now() time.Time        { return time.Now().Add(time.Duration(c.by.Load())) }
func (c *wrong) jump(to time.Duration) { c.by.Store(int64(to)) }

// skewed is a replica whose clock is wrong.
type skewed struct {
	*node
	clock *wrong
	url   string
}

func startSkewed(t *testing.T, cfg nodeConfig) *skewed {
	clock := &wrong{}
	cfg.name, cfg.dir, cfg.now, cfg.log = "main", t.TempDir(), clock.now, slog.New(slog.DiscardHandler)
	n, err := startNode(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, n.Close()) })
	web := httptest.NewServer(n.handler(api.Front{}, nil))
	t.Cleanup(web.Close)
	return &skewed{n, clock, web.URL}
}

func (s *skewed) ask(t *testing.T, method, path, body string) []byte {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.url+path, bytes.NewReader([]byte(body)))
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+s.admin)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Contains(t, []int{http.StatusOK, http.StatusCreated}, resp.StatusCode, string(b))
	return b
}

// run is the program, as its administrator has it ask the replica.
func (s *skewed) run(t *testing.T, in string, args ...string) string {
	t.Helper()
	var out, errs strings.Builder
	env := map[string]string{"MILEPOST_SERVER": s.url, "MILEPOST_TOKEN": s.admin}
	require.Equal(t, exitDone, Main(args, strings.NewReader(in), &out, &errs, func(name string) string { return env[name] }), &errs)
	return out.String()
}

var skewLine = regexp.MustCompile(`(?m)^milepost_clock_skew_seconds (\S+)$`)

// skew is what the metrics say of the clock.
func (s *skewed) skew(t *testing.T) time.Duration {
	t.Helper()
	m := skewLine.FindSubmatch(s.ask(t, "GET", "/metrics", ""))
	require.NotNil(t, m)
	seconds, err := strconv.ParseFloat(string(m[1]), 64)
	require.NoError(t, err)
	return time.Duration(seconds * float64(time.Second))
}

// Replicas disagree on the time, and change their minds: what is recorded keeps its
// order, who has written reads it through either, both mean the same by an instant,
// and what was said as of one that is over stays so.
func TestClocksDisagree(t *testing.T) {
	log := externalLog(t)
	one := startSkewed(t, nodeConfig{natsURL: log})
	two := startSkewed(t, nodeConfig{natsURL: log, keyFile: signing.KeyFile(one.cfg.dir)})
	replicas := []*skewed{one, two}

	resolve := func(s *skewed, at time.Time) uint64 {
		t.Helper()
		p, err := s.models.Resolve(t.Context(), projections.AsOf(at.UTC().Format(time.RFC3339Nano)))
		require.NoError(t, err)
		return p.Seq
	}
	rng := rand.New(rand.NewPCG(1, 2))
	var recorded, ledger []time.Time // of each sequence: by its own clock, and the latest so far
	said := map[time.Time]uint64{}   // as of instants that are over
	backwards := 0
	for i := range 60 {
		// when either records something, by a clock that has jumped
		writer, reader := replicas[i%2], replicas[(i+rng.IntN(2))%2]
		if rng.IntN(2) == 0 {
			writer, reader = reader, writer
		}
		writer.clock.jump(time.Duration(rng.Int64N(int64(4*time.Hour))) - 2*time.Hour)
		command, title := "change-party", fmt.Sprint("City ", i)
		if i == 0 {
			command = "register-party"
		}
		body := fmt.Sprintf(`{"party":"city","title":{"en":%q}}`, title)
		if i == 0 {
			body = fmt.Sprintf(`{"party":"city","title":{"en":%q},"kind":"other"}`, title)
		}
		var receipt struct {
			Seq        uint64
			Version    int
			RecordedAt time.Time `json:"recorded_at"`
		}
		require.NoError(t, json.Unmarshal(writer.ask(t, "POST", "/v1/commands/"+command, body), &receipt))
		// then it has the next sequence and version
		require.EqualValues(t, i+1, receipt.Seq)
		require.Equal(t, i+1, receipt.Version)
		// and is read through either with its token
		require.Contains(t, string(reader.ask(t, "GET", fmt.Sprintf("/v1/parties/city?min_seq=%d", receipt.Seq), "")), title)

		at := receipt.RecordedAt
		recorded = append(recorded, at)
		if i > 0 && ledger[i-1].After(at) {
			at = ledger[i-1]
			backwards++
		}
		ledger = append(ledger, at)
		if over := at.Add(-time.Second); over.After(ledger[0]) {
			said[over] = resolve(reader, over)
		}
	}
	require.Greater(t, backwards, 10, "no clock was behind the other")

	// and once each has read all of it, an instant means the same to both, whatever time
	// each believes it is: all that came before the first event of a later time
	require.NoError(t, one.models.Wait(t.Context(), uint64(len(ledger))))
	require.NoError(t, two.models.Wait(t.Context(), uint64(len(ledger))))
	one.clock.jump(-5 * time.Hour)
	two.clock.jump(5 * time.Hour)
	last := ledger[len(ledger)-1]
	asked := 0
	for _, at := range append(recorded, ledger...) {
		if at.Before(ledger[0]) || at.After(last) {
			continue
		}
		want := uint64(0)
		for _, l := range ledger {
			if !l.After(at) {
				want++
			}
		}
		for _, s := range replicas {
			require.Equal(t, want, resolve(s, at), "as of %v", at)
		}
		asked++
	}
	require.NotZero(t, asked)
	// and what was said as of an instant before the last one recorded is still true
	for at, seq := range said {
		require.Equal(t, seq, resolve(one, at), "as of %v", at)
	}
	// and both have the same read models
	require.Equal(t, one.models.Position().Digest, two.models.Position().Digest)
	// and the metrics say how wrong each is.
	require.InDelta(t, -5*time.Hour, one.skew(t), float64(2*time.Second))
	require.InDelta(t, 5*time.Hour, two.skew(t), float64(2*time.Second))
	one.clock.jump(0)
	require.InDelta(t, 0, one.skew(t), float64(2*time.Second))
}

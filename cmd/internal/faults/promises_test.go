package faults_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// receipt is what an acknowledged command was answered with.
type receipt struct {
	CommandID string `json:"command_id"`
	Seq       uint64 `json:"seq"`
	Events    []struct {
		Seq uint64 `json:"seq"`
		ID  string `json:"id"`
	} `json:"events"`
	Replayed bool `json:"replayed"`
}

// promises are the commands that a ledger acknowledged, by command id, and the
// files that it took as evidence, by hash. What is in it must be in the log, once,
// and in the store, whatever happens.
type promises struct {
	mu     sync.Mutex
	all    map[string]receipt
	files  map[string]int // sizes
	newest uint64         // sequence that was acknowledged
}

func newPromises() *promises { return &promises{all: map[string]receipt{}, files: map[string]int{}} }

// keep refuses a second receipt of a command that says something else.
func (p *promises) keep(r receipt) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if first, again := p.all[r.CommandID]; again && !slices.Equal(first.Events, r.Events) {
		return fmt.Errorf("command %s was acknowledged as %v, and then as %v", r.CommandID, first.Events, r.Events)
	}
	p.all[r.CommandID] = r
	p.newest = max(p.newest, r.Seq)
	return nil
}

// last is the last sequence that was acknowledged.
func (p *promises) last() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.newest
}

// events is how many the receipt of a command names.
func (p *promises) events(id string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.all[id].Events)
}

// copy is what was promised so far.
func (p *promises) copy() *promises {
	p.mu.Lock()
	defer p.mu.Unlock()
	return &promises{all: maps.Clone(p.all), files: maps.Clone(p.files)}
}

func (p *promises) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.all)
}

// do has the server execute a command under an id, and keeps its receipt. Its
// status is 0 where no whole answer came.
func (s *server) do(ctx context.Context, p *promises, id, command, body string) (status int, err error) {
	a, err := s.command(ctx, p, id, command, body)
	if err == nil && !a.done() {
		err = fmt.Errorf("%d: %s", a.status, a.body)
	}
	return a.status, err
}

// command is do for who reads refusals: an error is no whole answer, or a receipt
// that breaks a promise.
func (s *server) command(ctx context.Context, p *promises, id, command, body string) (answer, error) {
	a, err := s.ask(ctx, "POST", "/v1/commands/"+command, strings.NewReader(body), "Idempotency-Key", id, "Milepost-Actor", "tester")
	if err != nil {
		return answer{}, err
	}
	if !a.done() {
		return a, nil
	}
	var r receipt
	if err := json.Unmarshal(a.body, &r); err != nil {
		return a, err
	}
	return a, p.keep(r)
}

// attach has the server store a file, and keeps that it did.
func (s *server) attach(ctx context.Context, p *promises, file []byte) (answer, error) {
	a, err := s.ask(ctx, "POST", "/v1/evidence", bytes.NewReader(file), "Content-Type", "application/octet-stream")
	if err != nil {
		return answer{}, err
	}
	if !a.done() {
		return a, nil
	}
	var stored struct{ SHA256 string }
	if err := json.Unmarshal(a.body, &stored); err != nil {
		return a, err
	}
	if stored.SHA256 != hashOf(file) {
		return a, fmt.Errorf("a file with SHA-256 %s was stored as %s", hashOf(file), stored.SHA256)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.files[stored.SHA256] = len(file)
	return a, nil
}

func hashOf(file []byte) string {
	sum := sha256.Sum256(file)
	return hex.EncodeToString(sum[:])
}

// logged is an event as the log has it.
type logged struct {
	Seq   uint64 `json:"seq"`
	Event struct {
		ID        string `json:"id"`
		Type      string `json:"type"`
		Subject   string `json:"subject"`
		CommandID string `json:"commandid"`
		Data      struct {
			Title map[string]string `json:"title"`
		} `json:"data"`
	} `json:"event"`
}

// events reads the whole log through the API.
func (s *server) events(t *testing.T) []logged {
	t.Helper()
	return s.eventsAfter(t, 0)
}

// eventsAfter reads what is in the log by now, from behind a sequence on.
func (s *server) eventsAfter(t *testing.T, after uint64) (all []logged) {
	t.Helper()
	last := s.settled(t)
	for after < last {
		var page struct {
			Items []logged `json:"items"`
		}
		s.get(t, fmt.Sprintf("/v1/events?limit=1000&after=%d&as_of=seq:%d", after, last), &page)
		require.NotEmpty(t, page.Items, "the log ends at %d, of %d", after, last)
		all = append(all, page.Items...)
		after = all[len(all)-1].Seq
	}
	return all
}

// settled waits until the read models show all that is in the log by now, and
// returns its last sequence.
func (s *server) settled(t *testing.T) uint64 {
	t.Helper()
	var status struct {
		LastSeq uint64 `json:"last_seq"`
	}
	s.get(t, "/v1/status", &status)
	require.Eventually(t, func() bool {
		a, err := s.ask(t.Context(), "GET", fmt.Sprintf("/v1/parties?limit=1&min_seq=%d", status.LastSeq), nil)
		return err == nil && a.status == http.StatusOK
	}, time.Minute, 10*time.Millisecond)
	return status.LastSeq
}

// requireKept holds the log to what was promised: every acknowledged command is
// in it once, with the sequences and event ids of its receipt; sequences have no
// gap; no command is there twice or in part. A lost beginning, middle and end are
// told apart.
func (p *promises) requireKept(t *testing.T, log []logged) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	byCommand := map[string][]logged{}
	for i, e := range log {
		require.Equal(t, uint64(i+1), e.Seq, "the sequences of the log have a gap")
		byCommand[e.Event.CommandID] = append(byCommand[e.Event.CommandID], e)
	}
	for id, r := range p.all {
		got := byCommand[id]
		require.Len(t, got, len(r.Events), "command %s was acknowledged with sequence %d, of a log of %d events", id, r.Seq, len(log))
		for i, e := range r.Events {
			require.Equal(t, e.Seq, got[i].Seq, "command %s", id)
			require.Equal(t, e.ID, got[i].Event.ID, "command %s", id)
		}
	}
	for id, events := range byCommand {
		first := events[0].Seq
		for i, e := range events {
			require.Equal(t, first+uint64(i), e.Seq, "command %s is in the log in more than one place", id)
		}
	}
}

// requireFiles gets every file that was taken as evidence, with the hash by which
// it was taken.
func (s *server) requireFiles(t *testing.T, p *promises) {
	t.Helper()
	for hash, size := range p.copy().files {
		a, err := s.ask(t.Context(), "GET", "/v1/evidence/"+hash, nil)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, a.status, "evidence %s of %d bytes: %s", hash, size, a.body)
		require.Equal(t, hash, hashOf(a.body))
	}
}

// requireReplay has the read models compared with a fold of the log.
func (s *server) requireReplay(t *testing.T) {
	t.Helper()
	out, errs, code := s.run(t, nil, "replay")
	require.Zero(t, code, out+errs)
	require.Contains(t, out, "identical")
}

// codeOf is the code of the problem that an answer is, "" where it is none.
func codeOf(a answer) string {
	var p struct{ Code string }
	_ = json.Unmarshal(a.body, &p)
	return p.Code
}

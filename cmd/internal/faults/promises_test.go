package faults_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

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

// promises are the commands that a ledger acknowledged, by command id. What is
// in it must be in the log, once, whatever happens.
type promises struct {
	mu  sync.Mutex
	all map[string]receipt
}

func newPromises() *promises { return &promises{all: map[string]receipt{}} }

func (p *promises) keep(r receipt) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all[r.CommandID] = r
}

func (p *promises) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.all)
}

// do has the server execute a command under an id, and keeps its receipt. Its
// status is 0 where no whole answer came.
func (s *server) do(ctx context.Context, p *promises, id, command, body string) (status int, err error) {
	a, err := s.ask(ctx, "POST", "/v1/commands/"+command, strings.NewReader(body), "Idempotency-Key", id, "Milepost-Actor", "tester")
	if err != nil {
		return 0, err
	}
	if a.status == http.StatusCreated || a.status == http.StatusOK {
		var r receipt
		if err := json.Unmarshal(a.body, &r); err != nil {
			return a.status, err
		}
		p.keep(r)
		return a.status, nil
	}
	return a.status, fmt.Errorf("%d: %s", a.status, a.body)
}

// logged is an event as the log has it.
type logged struct {
	Seq   uint64 `json:"seq"`
	Event struct {
		ID        string `json:"id"`
		Type      string `json:"type"`
		Subject   string `json:"subject"`
		CommandID string `json:"commandid"`
	} `json:"event"`
}

// events reads the whole log through the API.
func (s *server) events(t *testing.T) (all []logged) {
	t.Helper()
	for path := "/v1/events?limit=1000"; path != ""; {
		var page struct {
			Items []logged `json:"items"`
			Next  string   `json:"next"`
		}
		s.get(t, path, &page)
		all = append(all, page.Items...)
		path = ""
		if page.Next != "" {
			path = "/v1/events?limit=1000&cursor=" + page.Next
		}
	}
	return all
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

// requireReplay has the read models compared with a fold of the log.
func (s *server) requireReplay(t *testing.T) {
	t.Helper()
	out, errs, code := s.run(t, nil, "replay")
	require.Zero(t, code, out+errs)
	require.Contains(t, out, "identical")
}

package main

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/projections"
)

// A walk shows every event of the agreement and every change, each with its
// event, over more than one page of both lists, and nothing of others.
func TestStepsTakeEventsAndChangesSideBySide(t *testing.T) {
	// given an agreement with several pages of events, another one, and events of both in turn
	w := newWorkload(1000)
	var commands bytes.Buffer
	w.parties(&commands)
	busy, other := w.agreement(&commands, "busy", 4, 10), w.agreement(&commands, "other", 1, 10)
	for i := range 400 {
		busy[i%len(busy)].next(&commands)
		other[i%len(other)].next(&commands)
	}
	a := &app{in: strings.NewReader(""), out: io.Discard, err: io.Discard, env: func(string) string { return "" }}
	n, err := startNode(t.Context(), nodeConfig{dir: t.TempDir(), name: "main", log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	defer func() { require.NoError(t, n.Close()) }()
	_, err = n.ledger.Import(t.Context(), ledger.Lines(&commands), nil)
	require.NoError(t, err)
	// when it is walked through
	var steps []step
	require.NoError(t, a.served(t.Context(), n, func(ctx context.Context, c *client) error {
		for s, err := range c.steps(ctx, "busy", 1) {
			require.NoError(t, err)
			steps = append(steps, s)
		}
		// then it can also begin later
		later := steps[len(steps)-3].Seq - 1
		at := len(steps) - 3
		for s, err := range c.steps(ctx, "busy", later) {
			require.NoError(t, err)
			if s.Seq > later {
				assert.Equal(t, steps[at], s)
				at++
			}
		}
		assert.Len(t, steps, at)
		return nil
	}))
	// then it is what the read models have
	var events []uint64
	changes := map[uint64]int{}
	at, err := n.models.Resolve(t.Context(), "")
	require.NoError(t, err)
	for page := (projections.Page{Limit: 1000}); ; {
		items, next, err := n.models.Events(t.Context(), projections.EventQuery{Agreement: "busy", Page: page})
		require.NoError(t, err)
		for _, e := range items {
			events = append(events, e.Seq)
		}
		if page.Cursor = next; next == "" {
			break
		}
	}
	for page := (projections.Page{Limit: 1000}); ; {
		answer, err := n.models.Changes(t.Context(), projections.ChangeQuery{To: at, Agreement: domain.Key("busy"), Page: page})
		require.NoError(t, err)
		for _, c := range answer.Changes {
			changes[c.Seq]++
		}
		if page.Cursor = answer.Next; answer.Complete {
			break
		}
	}
	require.Greater(t, len(events), 400)
	require.Len(t, steps, len(events))
	for i, s := range steps {
		assert.Equal(t, events[i], s.Seq)
		assert.Len(t, s.Changes, changes[s.Seq], "event %d", s.Seq)
		assert.NotEmpty(t, s.Changes)
	}
}

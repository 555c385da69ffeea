package feed_test

import (
	"context"
	"fmt"
	"iter"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/feed"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/eventstore"
	"github.com/milepost-ledger/milepost/projections"
)

// rig is a log with read models that follow it, and a feed of them.
type rig struct {
	t      *testing.T
	store  *eventstore.Store
	models *projections.Models
	feed   *feed.Feed
	reads  atomic.Int64 // times that the feed asked the log for records
	halt   func()       // stops the read models, and waits until they have stopped
	last   map[string]uint64
	n      int
}

func start(t *testing.T) *rig {
	t.Helper()
	store, err := eventstore.Open(t.Context(), eventstore.Config{Dir: t.TempDir(), Ledger: "test"})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, store.Close()) })
	models, err := projections.Open(t.Context(), projections.Options{Dir: t.TempDir(), Ledger: "test"})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, models.Close()) })
	ctx, cancel := context.WithCancel(context.Background())
	var projector sync.WaitGroup
	projector.Go(func() { _ = models.Follow(ctx, store) })
	halt := func() { cancel(); projector.Wait() }
	t.Cleanup(halt)
	require.NoError(t, models.Wait(t.Context(), 0))
	r := &rig{t: t, store: store, models: models, halt: halt, last: map[string]uint64{}}
	r.feed = feed.New(countingLog{store, &r.reads})
	return r
}

// countingLog counts the questions to a log.
type countingLog struct {
	feed.Log
	reads *atomic.Int64
}

func (l countingLog) Records(ctx context.Context, subject string, seqs []uint64) iter.Seq2[eventstore.Record, error] {
	l.reads.Add(1)
	return l.Log.Records(ctx, subject, seqs)
}

// append appends n events, of parties and of two agreements in turn, and
// returns the last sequence.
func (r *rig) append(n int) (last uint64) {
	r.t.Helper()
	refs := []domain.Ref{{Kind: "party", Key: "wuxi"}, {Agreement: "a1", Kind: "project", Key: "p"}, {Agreement: "a2", Kind: "fund", Key: "f"}}
	types := []string{"milepost.party.changed.v1", "milepost.project.started.v1", "milepost.fund.closed.v1"}
	msgs := make([]eventstore.Message, 0, n)
	for range n {
		i := r.n % len(refs)
		r.n++
		of := string(refs[i].Agreement)
		if of == "" {
			of = eventstore.LedgerWide
		}
		// Aggregates of one event each: an append takes one expectation for a subject.
		ref := refs[i]
		ref.Key = domain.Key(fmt.Sprintf("%s-%d", ref.Key, r.n))
		env := domain.Envelope{
			ID: fmt.Sprintf("01900000-0000-7000-8000-%012d", r.n), Source: "/ledgers/test", Ref: ref, Type: types[i],
			Time: time.Date(2026, 1, 1, 0, 0, r.n, 0, time.UTC), Version: 1, Actor: "li.wei", Data: []byte(`{}`),
		}
		msgs = append(msgs, eventstore.Message{Subject: eventstore.Subject("test", of, ref.Kind, string(ref.Key)), Data: env.Append(nil), ID: env.ID})
	}
	first, err := r.store.Append(r.t.Context(), msgs)
	require.NoError(r.t, err)
	return first + uint64(n) - 1
}

// collect follows until everything up to a sequence was looked at.
func (r *rig) collect(filter feed.Filter, after, upTo uint64) (events []feed.Event, chunks int) {
	r.t.Helper()
	at := after
	for chunk, err := range r.feed.Follow(r.t.Context(), r.models, filter, after) {
		if !assert.NoError(r.t, err) {
			return
		}
		assert.Greater(r.t, chunk.UpTo, at)
		for _, e := range chunk.Events {
			assert.Greater(r.t, e.Seq, at)
			assert.LessOrEqual(r.t, e.Seq, chunk.UpTo)
			at = e.Seq
		}
		at = chunk.UpTo
		events, chunks = append(events, chunk.Events...), chunks+1
		if chunk.UpTo >= upTo {
			return events, chunks
		}
	}
	return events, chunks
}

package feed_test

import (
	"context"
	"errors"
	"iter"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/feed"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/eventstore"
	"github.com/milepost-ledger/milepost/projections"
)

// goroutines are those of this package that run now.
func goroutines() int {
	buf := make([]byte, 1<<20)
	return strings.Count(string(buf[:runtime.Stack(buf, true)]), "internal/feed.(*hub).run(")
}

func TestFollow_eachEventOnceInOrderFromAnySequence(t *testing.T) {
	r := start(t)
	r.append(1000)
	last := r.append(200) // more than a page

	// When it is read from anywhere, also while more is written
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 5 {
		after := rnd.Uint64N(last + 1)
		more := make(chan uint64)
		go func() { more <- r.append(30) }()
		end := <-more
		events, _ := r.collect(feed.Filter{}, after, end)

		// Then each event is there once, with its stored bytes
		require.Len(t, events, int(end-after))
		for i, e := range events {
			require.Equal(t, after+uint64(i)+1, e.Seq)
		}
		e := events[rnd.IntN(len(events))]
		rec, err := r.store.Get(t.Context(), e.Seq)
		require.NoError(t, err)
		env, err := domain.DecodeEnvelope(rec.Data)
		require.NoError(t, err)
		assert.Equal(t, feed.Event{Seq: rec.Seq, ID: env.ID, Type: env.Type, Ref: env.Ref, Data: rec.Data}, e)
	}
	assert.Zero(t, goroutines(), "nobody follows any more")
}

func TestFollow_filtersAndMovesOnWhereNothingMatches(t *testing.T) {
	r := start(t)
	last := r.append(900)
	for name, c := range map[string]struct {
		filter feed.Filter
		want   int
	}{
		"an agreement":          {feed.Filter{Agreement: "a1"}, 300},
		"a kind":                {feed.Filter{Kinds: []string{"fund"}}, 300},
		"several kinds":         {feed.Filter{Kinds: []string{"fund", "party"}}, 600},
		"a type":                {feed.Filter{Types: []string{"milepost.fund.closed.v1"}}, 300},
		"several types":         {feed.Filter{Types: []string{"milepost.fund.closed.v1", "milepost.project.started.v1"}}, 600},
		"one of another kind":   {feed.Filter{Agreement: "a2", Kinds: []string{"project"}}, 0},
		"an agreement not here": {feed.Filter{Agreement: "a9"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			// From the register, and live from the ring
			events, _ := r.collect(c.filter, 0, last)
			require.Len(t, events, c.want)
			for _, e := range events {
				assert.True(t, c.filter.Matches(&e), e.Ref)
			}
		})
	}

	t.Run("live", func(t *testing.T) {
		next, stop := iter.Pull2(r.feed.Follow(t.Context(), r.models, feed.Filter{Agreement: "a1"}, last))
		defer stop()
		end := r.append(2) // of a party and of a1
		for at, found := last, 0; at < end; {
			chunk, err, ok := next()
			require.True(t, ok)
			require.NoError(t, err)
			for _, e := range chunk.Events {
				assert.Equal(t, domain.Key("a1"), e.Ref.Agreement)
				found++
			}
			if at = chunk.UpTo; at == end {
				assert.Equal(t, 1, found)
			}
		}
		end = r.append(2) // none of a1: of a2 and of a party
		chunk, err, _ := next()
		require.NoError(t, err)
		assert.Empty(t, chunk.Events)
		assert.LessOrEqual(t, chunk.UpTo, end)
	})
}

// However many listen at the tail, what is new is read once.
func TestFollow_readsOnceForAll(t *testing.T) {
	r := start(t)
	last := r.append(3)
	require.NoError(t, r.models.Wait(t.Context(), last))

	// Given a hundred readers at the tail
	const readers, events = 100, 20
	var listening, done sync.WaitGroup
	heard := make([]int, readers)
	for i := range readers {
		next, stop := iter.Pull2(r.feed.Follow(t.Context(), r.models, feed.Filter{}, last-1))
		listening.Add(1)
		done.Go(func() {
			defer stop()
			_, err, _ := next() // the last event
			assert.NoError(t, err)
			listening.Done()
			for heard[i] < events {
				chunk, err, _ := next()
				if !assert.NoError(t, err) {
					return
				}
				heard[i] += len(chunk.Events)
			}
		})
	}
	listening.Wait()
	before := r.reads.Load()

	// When events come one by one
	for range events {
		r.append(1)
	}
	done.Wait()

	// Then each is read once
	assert.LessOrEqual(t, r.reads.Load()-before, int64(events))
	for _, n := range heard {
		assert.Equal(t, events, n)
	}
	assert.Zero(t, goroutines())
}

// A reader that stood still longer than the ring is misses nothing.
func TestFollow_oneThatFellBehindCatchesUp(t *testing.T) {
	r := start(t)
	first := r.append(1)
	require.NoError(t, r.models.Wait(t.Context(), first))
	slow, stop := iter.Pull2(r.feed.Follow(t.Context(), r.models, feed.Filter{}, 0))
	defer stop()
	chunk, err, _ := slow()
	require.NoError(t, err)
	require.Len(t, chunk.Events, 1)

	// When another reader takes all that comes, and keeps it,
	last := first + 7000
	var quick [][]feed.Event
	done := make(chan struct{})
	go func() {
		defer close(done)
		for chunk, err := range r.feed.Follow(t.Context(), r.models, feed.Filter{}, first) {
			quick = append(quick, chunk.Events)
			if !assert.NoError(t, err) || chunk.UpTo >= last {
				return
			}
		}
	}()
	for range 14 {
		r.append(500)
	}
	<-done

	// then what that one has stays as it was, and the slow one catches up.
	next := first
	for _, events := range quick {
		for _, e := range events {
			next++
			require.Equal(t, next, e.Seq)
		}
	}
	require.Equal(t, last, next)

	at := chunk.UpTo
	for at < last {
		chunk, err, _ := slow()
		require.NoError(t, err)
		for _, e := range chunk.Events {
			require.Equal(t, at+1, e.Seq)
			at = e.Seq
		}
		require.Equal(t, at, chunk.UpTo)
	}
}

func TestFollow_ends(t *testing.T) {
	r := start(t)
	last := r.append(1)
	follow := func(ctx context.Context) (next func() (feed.Chunk, error, bool), stop func()) {
		next, stop = iter.Pull2(r.feed.Follow(ctx, r.models, feed.Filter{}, last-1))
		_, err, _ := next()
		require.NoError(t, err)
		return next, stop
	}
	ended := func(next func() (feed.Chunk, error, bool)) error {
		_, err, ok := next()
		require.True(t, ok)
		_, _, more := next()
		assert.False(t, more, "the error is the last")
		return err
	}

	ctx, cancel := context.WithCancel(t.Context())
	ours, _ := follow(ctx)
	others, stop := follow(t.Context())
	defer stop()
	cancel()
	assert.Equal(t, context.Canceled, ended(ours), "when its context ends")

	// which is nothing to the others
	r.append(1)
	chunk, err, _ := others()
	require.NoError(t, err)
	assert.Len(t, chunk.Events, 1)

	// when the models are closed
	r.halt()
	require.NoError(t, r.models.Close())
	assert.ErrorIs(t, ended(others), projections.ErrClosed)
	next, stop := iter.Pull2(r.feed.Follow(t.Context(), r.models, feed.Filter{}, 0))
	defer stop()
	_, err, _ = next()
	assert.ErrorIs(t, err, projections.ErrClosed, "and they stay so")
	assert.Zero(t, goroutines())
}

// A view's readers get what the view shows, and move over what it withholds.
func TestFollow_showsWhatAViewShows(t *testing.T) {
	r := start(t)
	last := r.append(300)
	require.NoError(t, r.models.Wait(t.Context(), last))
	views := projections.NewViews(r.models, r.store, projections.ViewsOptions{})
	defer func() { assert.NoError(t, views.Close()) }()
	ctx, done := context.WithCancel(t.Context())
	defer done()
	models, err := views.Of(ctx, projections.View{
		Agreements: []domain.Key{"a1"}, Restricted: []projections.Restriction{{Agreement: "a1", Project: "p-5"}},
	})
	require.NoError(t, err)

	next, stop := iter.Pull2(r.feed.Follow(t.Context(), models, feed.Filter{}, 0))
	defer stop()
	look := func(from, to uint64) {
		t.Helper()
		var got []uint64
		for at := from; at < to; {
			chunk, err, _ := next()
			require.NoError(t, err)
			for _, e := range chunk.Events {
				got = append(got, e.Seq)
			}
			at = chunk.UpTo
		}
		var want []uint64
		for seq := from + 1; seq <= to; seq++ { // a party, a1 and a2 in turn; the fifth is of p-5
			if seq%3 != 0 && seq != 5 {
				want = append(want, seq)
			}
		}
		assert.Equal(t, want, got)
	}
	look(0, last)
	end := r.append(6) // live
	look(last, end)
}

// Models that stop following the log end the feed with what happened; once they
// go on, so does who comes again.
func TestFollow_endsWhenTheModelsStop(t *testing.T) {
	r := start(t)
	last := r.append(1)
	require.NoError(t, r.models.Wait(t.Context(), last))
	next, stop := iter.Pull2(r.feed.Follow(t.Context(), r.models, feed.Filter{}, 0))
	defer stop()
	_, err, _ := next()
	require.NoError(t, err)

	env := domain.Envelope{ID: "01900000-0000-7000-8000-00000000000a", Source: "/ledgers/test", Ref: domain.Ref{Kind: "party", Key: "later"},
		Type: "milepost.party.renamed.v9", Time: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC), Version: 1, Data: []byte("{}")}
	_, err = r.store.Append(t.Context(), []eventstore.Message{{Subject: eventstore.Subject("test", eventstore.LedgerWide, "party", "later"), Data: env.Append(nil)}})
	require.NoError(t, err)
	_, err, _ = next()
	var behind *projections.BehindError
	require.ErrorAs(t, err, &behind)
	assert.Error(t, behind.Err)
}

// Models that are made anew from the log are followed as before.
func TestFollow_goesOnAfterARebuild(t *testing.T) {
	r := start(t)
	last := r.append(50)
	require.NoError(t, r.models.Wait(t.Context(), last))
	next, stop := iter.Pull2(r.feed.Follow(t.Context(), r.models, feed.Filter{}, 0))
	defer stop()
	chunk, err, _ := next()
	require.NoError(t, err)
	require.Equal(t, last, chunk.UpTo)

	_, err = r.models.Rebuild(t.Context(), r.store, nil)
	require.NoError(t, err)
	r.append(1)
	chunk, err, _ = next()
	require.NoError(t, err)
	require.Len(t, chunk.Events, 1)
	assert.Equal(t, last+1, chunk.Events[0].Seq)
}

// A log that fails ends the feed; who comes again is served.
func TestFollow_comesBackAfterTheLogFailed(t *testing.T) {
	r := start(t)
	broken := &brokenLog{Log: r.store}
	f := feed.New(broken)
	last := r.append(1)
	require.NoError(t, r.models.Wait(t.Context(), last))
	next, stop := iter.Pull2(f.Follow(t.Context(), r.models, feed.Filter{}, 0))
	_, err, _ := next()
	require.NoError(t, err)

	broken.set(errors.New("no disk"))
	r.append(1)
	_, err, _ = next()
	require.ErrorContains(t, err, "no disk")
	broken.set(nil)

	// also before the one who saw the failure has left
	again, stopAgain := iter.Pull2(f.Follow(t.Context(), r.models, feed.Filter{}, last))
	chunk, err, _ := again()
	require.NoError(t, err)
	assert.Len(t, chunk.Events, 1)
	stop()
	r.append(1)
	chunk, err, _ = again()
	require.NoError(t, err)
	assert.Len(t, chunk.Events, 1)
	stopAgain()
	assert.Zero(t, goroutines())
}

type brokenLog struct {
	feed.Log
	mu  sync.Mutex
	err error
}

func (l *brokenLog) set(err error) { l.mu.Lock(); l.err = err; l.mu.Unlock() }

func (l *brokenLog) Records(ctx context.Context, subject string, seqs []uint64) iter.Seq2[eventstore.Record, error] {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.err; err != nil {
		return func(yield func(eventstore.Record, error) bool) { yield(eventstore.Record{}, err) }
	}
	return l.Log.Records(ctx, subject, seqs)
}

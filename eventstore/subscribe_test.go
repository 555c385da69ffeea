package eventstore_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/eventstore"
)

// Given a log that is being written, when a reader subscribes, stops and
// comes back with the next sequence, then it sees each record once.
func TestSubscribe_resumesWithNeitherGapNorRepeat(t *testing.T) {
	s := open(t)
	const total = 600
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			last := uint64(0)
			for i := range total / 4 {
				seq, err := s.Append(context.Background(), []eventstore.Message{message(fmt.Sprint("w", w), last, fmt.Sprint(i))})
				if !assert.NoError(t, err) {
					return
				}
				last = seq
			}
		})
	}
	next := uint64(1)
	for next <= total {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		stop := next + 99
		for r, err := range s.Subscribe(ctx, next, "") {
			require.NoError(t, err)
			require.Equal(t, next, r.Seq)
			next++
			if next > stop || next > total {
				break
			}
		}
		cancel()
	}
	wg.Wait()
	assert.Len(t, log(t, s), total)
}

func TestSubscribeChunks_yieldsWhatIsAtHandAndThenEachAsItComes(t *testing.T) {
	s := open(t)
	fill(t, s, 10_000)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	next, chunks, sent := uint64(1), 0, uint64(0)
	for chunk, err := range s.SubscribeChunks(ctx, 1) {
		require.NoError(t, err)
		require.NotEmpty(t, chunk)
		require.LessOrEqual(t, len(chunk), 4096)
		chunks++
		for _, r := range chunk {
			require.Equal(t, next, r.Seq)
			next++
		}
		if next == 10_001+sent {
			if sent == 5 {
				break
			}
			mustAppend(t, s, message(fmt.Sprint("late", sent), 0, "x"))
			sent++
		}
	}
	assert.Equal(t, uint64(10_006), next)
	assert.Less(t, chunks, 5_000, "records at hand did not come together")
}

func TestSubscribe_filterSeesOnlyItsOwn(t *testing.T) {
	s := open(t)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	mustAppend(t, s, message("p1", 0, "a"), message("p2", 0, "b"))
	n := 0
	for r, err := range s.Subscribe(ctx, 1, subject("p2")) {
		require.NoError(t, err)
		require.Equal(t, subject("p2"), r.Subject)
		if n++; n == 3 {
			break
		}
		mustAppend(t, s, message("p1", r.Seq-1, "a"), message("p2", r.Seq, "b"))
	}
	assert.Equal(t, 3, n)
}

// Given a reader that has records the log has not, when it subscribes, then
// it is told, instead of waiting for the log to catch up with it.
func TestSubscribe_beyondTheEndIsAGap(t *testing.T) {
	s := open(t)
	mustAppend(t, s, message("p1", 0, "a"))
	for _, err := range s.Subscribe(context.Background(), 3, "") {
		var gap *eventstore.GapError
		require.ErrorAs(t, err, &gap)
		assert.Equal(t, eventstore.GapError{Want: 3, Got: 2}, *gap)
	}
}

func TestSubscribe_endsWithItsContextAndLeavesNothing(t *testing.T) {
	s := open(t)
	mustAppend(t, s, message("p1", 0, "a"))
	run := func() {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		var last error
		for r, err := range s.Subscribe(ctx, 1, "") {
			if err == nil {
				require.EqualValues(t, 1, r.Seq)
				cancel()
			}
			last = err
		}
		require.ErrorIs(t, last, context.Canceled)
	}
	for range 5 {
		run()
	}
	noReaders(t)
}

func TestSubscribe_endsWhenTheStoreCloses(t *testing.T) {
	s := open(t)
	mustAppend(t, s, message("p1", 0, "a"))
	seen, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		var last error
		for _, err := range s.Subscribe(context.Background(), 1, "") {
			if last = err; err == nil {
				close(seen)
			}
		}
		ended <- last
	}()
	<-seen
	require.NoError(t, s.Close())
	assert.ErrorIs(t, <-ended, eventstore.ErrClosed)
	noReaders(t)
}

// A reader that does not take its records holds up neither appends nor other
// readers.
func TestSubscribe_slowReaderHoldsNobodyUp(t *testing.T) {
	s := open(t)
	fill(t, s, 12_000)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	next := uint64(1)
	for chunk, err := range s.SubscribeChunks(ctx, 1) {
		require.NoError(t, err)
		if next == 1 {
			mustAppend(t, s, message("p1", 0, "a"))
			require.Len(t, collect(t, s, 1, 0, ""), 12_001)
		}
		for _, r := range chunk {
			require.Equal(t, next, r.Seq)
			next++
		}
		if next > 12_001 {
			break
		}
	}
}

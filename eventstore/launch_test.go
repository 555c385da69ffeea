package eventstore_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/eventstore"
)

// An append that waited behind one whose caller has gone is refused when it is stale,
// though nothing else is under way.
func TestAStaleAppendBehindOneThatHasGoneIsRefused(t *testing.T) {
	cfg := config(t)
	held, goOn := make(chan struct{}), make(chan struct{})
	var once sync.Once
	cfg.Observe = func(eventstore.AppendStats) { once.Do(func() { close(held); <-goOn }) }
	s, err := eventstore.Open(t.Context(), cfg)
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	// given a committer that is held up behind a first append
	_, err = s.Append(t.Context(), []eventstore.Message{message("first", 0, "x")})
	require.NoError(t, err)
	<-held
	// and one that comes, with a stale one behind it
	ctx, cancel := context.WithCancel(t.Context())
	gone, stale := make(chan error, 1), make(chan error, 1)
	go func() { _, err := s.Append(ctx, []eventstore.Message{message("k", 0, "x")}); gone <- err }()
	require.Eventually(t, func() bool { return s.Waiting() == 1 }, 5*time.Second, time.Millisecond)
	go func() {
		_, err := s.Append(t.Context(), []eventstore.Message{message("k", 0, "x"), message("first", 0, "y")})
		stale <- err
	}()
	require.Eventually(t, func() bool { return s.Waiting() == 2 }, 5*time.Second, time.Millisecond)
	// when its caller goes
	cancel()
	require.ErrorIs(t, <-gone, context.Canceled)
	close(goOn)
	// then the other one is answered
	select {
	case err := <-stale:
		var conflict *eventstore.ConflictError
		require.ErrorAs(t, err, &conflict)
	case <-time.After(10 * time.Second):
		require.Fail(t, "it waits for ever")
	}
}

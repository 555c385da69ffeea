package eventstore_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/eventstore"
)

func TestAppend_whatWasAppendedIsReadBack(t *testing.T) {
	s := open(t)
	ctx := context.Background()

	assert.EqualValues(t, 1, mustAppend(t, s, message("p1", 0, "one")))
	assert.EqualValues(t, 2, mustAppend(t, s, message("p1", 1, "two"), message("p2", 0, "three"), message("p1", 0, "four")))

	assert.Equal(t, []string{"1 p1 one", "2 p1 two", "3 p2 three", "4 p1 four"}, log(t, s))
	rec, err := s.Get(ctx, 3)
	require.NoError(t, err)
	assert.Equal(t, "3 p2 three", line(rec))
	assert.False(t, rec.Stored.IsZero())
	_, err = s.Get(ctx, 5)
	assert.ErrorIs(t, err, eventstore.ErrNotFound)
	_, err = s.Get(ctx, 0)
	assert.ErrorIs(t, err, eventstore.ErrNotFound)
}

func TestAppend_staleExpectationIsAConflictAndNothingIsWritten(t *testing.T) {
	s := open(t)
	mustAppend(t, s, message("p1", 0, "one"))
	for name, msgs := range map[string][]eventstore.Message{
		"exists already":  {message("p1", 0, "x")},
		"is not there":    {message("p2", 7, "x")},
		"in a batch":      {message("p2", 0, "x"), message("p1", 0, "x")},
		"later in batch":  {message("p1", 1, "x"), message("p2", 0, "x"), message("p3", 9, "x")},
		"other's version": {message("p1", 2, "x")},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := s.Append(context.Background(), msgs)
			var conflict *eventstore.ConflictError
			require.ErrorAs(t, err, &conflict)
			assert.Equal(t, msgs[0].Subject, conflict.Subject)
			assert.Equal(t, msgs[0].Expect, conflict.Expected)
			assert.Equal(t, []string{"1 p1 one"}, log(t, s))
		})
	}
}

func TestAppend_duplicateIDIsRefused(t *testing.T) {
	s := open(t)
	m := message("p1", 0, "one")
	m.ID = "event-1"
	mustAppend(t, s, m)
	again := message("p2", 0, "again")
	again.ID = "event-1"

	_, err := s.Append(context.Background(), []eventstore.Message{again})
	var dup *eventstore.DuplicateError
	require.ErrorAs(t, err, &dup)
	assert.Equal(t, "event-1", dup.ID)
	assert.EqualValues(t, 1, dup.Seq)

	_, err = s.Append(context.Background(), []eventstore.Message{message("p3", 0, "x"), again})
	require.ErrorAs(t, err, &dup)
	assert.Equal(t, []string{"1 p1 one"}, log(t, s))
}

func TestAppend_badInputIsRefusedBeforeAnythingIsSent(t *testing.T) {
	s := open(t)
	ctx := context.Background()
	for _, bad := range []string{
		"", "milepost", "milepost.test.a.k", "milepost.test.a.k.x.y", "milepost.test.a.k.", "milepost.test..k.x",
		"milepost.test.a.k.*", "milepost.test.a.k.>", "milepost.test.a.k.x y", "milepost.test.a.k.x\r\n",
		"milepost.other.a.k.x", "other.test.a.k.x", eventstore.Subject("test", "a", "k", "1.2"),
		eventstore.Subject("test", "a", "k", "\u00a0"), eventstore.Subject("test", "a", "k", "\xff"),
		eventstore.Subject("test", "a", "k", strings.Repeat("x", 300)),
	} {
		_, err := s.Append(ctx, []eventstore.Message{{Subject: bad}})
		var se *eventstore.SubjectError
		assert.ErrorAs(t, err, &se, "%q", bad)
	}
	_, err := s.Append(ctx, nil)
	assert.Error(t, err)
	_, err = s.Append(ctx, []eventstore.Message{{Subject: subject("p"), ID: "a b"}})
	assert.Error(t, err)
	_, err = s.Append(ctx, make([]eventstore.Message, eventstore.MaxMessages+1))
	assert.ErrorIs(t, err, eventstore.ErrTooLarge)
	_, err = s.Append(ctx, []eventstore.Message{{Subject: subject("p"), Data: make([]byte, eventstore.MaxData+1)}})
	assert.ErrorIs(t, err, eventstore.ErrTooLarge)
	assert.Empty(t, log(t, s))
}

func TestAppend_theLargestIsAccepted(t *testing.T) {
	s := open(t)
	big := eventstore.Message{Subject: subject(strings.Repeat("k", 200)), Data: make([]byte, eventstore.MaxData), ID: strings.Repeat("i", 256)}
	assert.EqualValues(t, 1, mustAppend(t, s, big))
	msgs := make([]eventstore.Message, eventstore.MaxMessages)
	for i := range msgs {
		msgs[i] = message("many", 0, "x")
	}
	assert.EqualValues(t, 2, mustAppend(t, s, msgs...))
	last, err := s.Last(context.Background())
	require.NoError(t, err)
	assert.EqualValues(t, 1+eventstore.MaxMessages, last)
}

func TestAppend_endedContextSendsNothing(t *testing.T) {
	s := open(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := s.Append(ctx, []eventstore.Message{message("p", 0, "x")})
	assert.ErrorIs(t, err, context.Canceled)
	assert.Empty(t, log(t, s))
}

// Given 64 writers, each on a subject of its own and some on several, when
// all append at once, then every acknowledged append is in the log once, at
// the sequences its writer was told.
func TestAppend_manyWritersEachIsInTheLogOnce(t *testing.T) {
	var batches, messages atomic.Int64
	cfg := config(t)
	cfg.Observe = func(a eventstore.AppendStats) {
		assert.Empty(t, a.Err)
		messages.Add(int64(a.Messages))
		if a.Batch && a.Appends > 1 {
			batches.Add(1)
		}
	}
	s := openWith(t, cfg)
	const writers, each = 64, 12
	var (
		mu   sync.Mutex
		told = map[uint64]string{}
		wg   sync.WaitGroup
	)
	for w := range writers {
		wg.Go(func() {
			key, last := "w"+strconv.Itoa(w), uint64(0)
			for i := range each {
				msgs := []eventstore.Message{message(key, last, fmt.Sprint(i))}
				if w%8 == 0 { // an append of two subjects
					msgs = append(msgs, message(key+"-b", 0, fmt.Sprint(i, "b")))
					if i > 0 {
						msgs[1].Expect = last + 1
					}
				}
				first, err := s.Append(context.Background(), msgs)
				if !assert.NoError(t, err) {
					return
				}
				last = first
				mu.Lock()
				for j, m := range msgs {
					told[first+uint64(j)] = line(eventstore.Record{Seq: first + uint64(j), Subject: m.Subject, Data: m.Data})
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	got := log(t, s)
	assert.Len(t, got, writers*each+writers/8*each)
	assert.Len(t, told, len(got))
	for i, l := range got {
		assert.Equal(t, told[uint64(i+1)], l)
	}
	assert.EqualValues(t, len(got), messages.Load())
	assert.Positive(t, batches.Load(), "nothing was shared: the test has not tested group commit")
}

// Given many writers that read a subject's state and append to it, when they
// race, then exactly one wins each round: the number of wins is the number of
// records and no increment is lost.
func TestAppend_exactlyOneWinsEachRound(t *testing.T) {
	s := open(t)
	const writers, rounds = 8, 15
	var wins, conflicts atomic.Int64
	for round := range rounds {
		before, err := s.Last(context.Background())
		require.NoError(t, err)
		start := make(chan struct{})
		var wg sync.WaitGroup
		var won atomic.Int64
		for w := range writers {
			wg.Go(func() {
				<-start
				_, err := s.Append(context.Background(), []eventstore.Message{message("counter", before, fmt.Sprint(round, w))})
				var conflict *eventstore.ConflictError
				switch {
				case err == nil:
					won.Add(1)
				case assert.ErrorAs(t, err, &conflict):
					conflicts.Add(1)
				}
			})
		}
		close(start)
		wg.Wait()
		require.EqualValues(t, 1, won.Load(), "round %d", round)
		wins.Add(1)
	}
	assert.EqualValues(t, rounds*(writers-1), conflicts.Load())
	assert.Len(t, log(t, s), int(wins.Load()))
}

// Given a shared commit in which some appends are stale, in a way this store
// cannot know, when it is refused, then only those fail.
func TestAppend_onlyTheGuiltyOfASharedCommitFail(t *testing.T) {
	srv := external(t)
	var refused atomic.Int64
	s := openWith(t, eventstore.Config{URL: srv.ClientURL(), Ledger: "test", Observe: func(a eventstore.AppendStats) {
		if a.Appends > 1 && a.Err == "conflict" {
			refused.Add(1)
		}
	}})
	other := openWith(t, eventstore.Config{URL: srv.ClientURL(), Ledger: "test"})
	const writers = 60
	for w := 0; w < writers; w += 20 {
		mustAppend(t, other, message("w"+strconv.Itoa(w), 0, "theirs"))
	}
	last := make([]uint64, writers)
	for round := 0; refused.Load() == 0; round++ { // a crowd that comes too slowly shares nothing; try again
		require.Less(t, round, 100, "no commit was shared")
		start := make(chan struct{})
		var wg sync.WaitGroup
		wg.Go(func() { // keeps the server busy while the crowd gathers
			<-start
			big := make([]eventstore.Message, eventstore.MaxMessages)
			for i := range big {
				big[i] = message(fmt.Sprint("big", round), 0, "big")
			}
			_, err := s.Append(context.Background(), big)
			assert.NoError(t, err)
		})
		for w := range writers {
			wg.Go(func() {
				<-start
				seq, err := s.Append(context.Background(), []eventstore.Message{message("w"+strconv.Itoa(w), last[w], "ours")})
				if w%20 != 0 {
					assert.NoError(t, err)
					last[w] = seq
					return
				}
				var conflict *eventstore.ConflictError
				assert.ErrorAs(t, err, &conflict)
			})
		}
		close(start)
		wg.Wait()
	}
	for _, l := range log(t, s) {
		f := strings.Fields(l)
		if f[2] == "big" {
			continue
		}
		n, err := strconv.Atoi(strings.TrimPrefix(f[1], "w"))
		require.NoError(t, err)
		assert.Equal(t, n%20 == 0, f[2] == "theirs", l)
	}
}

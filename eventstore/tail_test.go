package eventstore_test

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/eventstore"
)

// following is a reader that is given one chunk at a time.
type following struct {
	t      *testing.T
	chunks chan []eventstore.Record
	next   uint64
}

func follow(t *testing.T, s *eventstore.Store, from uint64) *following {
	t.Helper()
	f := &following{t, make(chan []eventstore.Record), from}
	go func() {
		defer close(f.chunks)
		for chunk, err := range s.SubscribeChunks(t.Context(), from) {
			if !assert.True(t, err == nil || t.Context().Err() != nil, err) {
				return
			}
			select {
			case f.chunks <- chunk:
			case <-t.Context().Done():
				return
			}
		}
	}()
	return f
}

// until takes all records up to one, each once and in order, as the log has them.
func (f *following) until(s *eventstore.Store, last uint64) {
	f.t.Helper()
	var got []eventstore.Record
	for f.next <= last {
		chunk, ok := <-f.chunks
		require.True(f.t, ok, "the reader ended")
		got = append(got, chunk...)
		f.next = chunk[len(chunk)-1].Seq + 1
	}
	i := 0
	for want, err := range s.Read(f.t.Context(), got[0].Seq, f.next-1, "") {
		require.NoError(f.t, err)
		require.Equal(f.t, [3]string{fmt.Sprint(want.Seq), want.Subject, string(want.Data)},
			[3]string{fmt.Sprint(got[i].Seq), got[i].Subject, string(got[i].Data)})
		i++
	}
	require.Len(f.t, got, i)
}

// consumers is how many the server has of the log: those who read it from there.
func consumers(t *testing.T, s *eventstore.Store) int {
	t.Helper()
	js, err := jetstream.New(s.Raw())
	require.NoError(t, err)
	st, err := js.Stream(t.Context(), s.Stream())
	require.NoError(t, err)
	return st.CachedInfo().State.Consumers
}

// Given a reader that has come up with the log, when more is appended, then it gets
// that without asking the server, which a reader too far behind does.
func TestWhatIsAppendedIsFollowedWithoutTheServer(t *testing.T) {
	s := open(t)
	fill(t, s, 100)
	f := follow(t, s, 1)
	f.until(s, 100)
	eventually(t, "the first part to be read", func() bool { return consumers(t, s) == 0 })

	mustAppend(t, s, messages(1000, 30)...)
	mustAppend(t, s, messages(2000, 1)...)
	f.until(s, 131)
	assert.Zero(t, consumers(t, s))

	for i := range 12 { // more than is kept, while the reader takes nothing
		mustAppend(t, s, messages(10_000+1000*i, 1000)...)
	}
	mustAppend(t, s, enlarged(messages(5000, 60), bytes.Repeat([]byte("x"), 900_000))...)
	f.until(s, lastOf(t, s))
	eventually(t, "what it missed to be read", func() bool { return consumers(t, s) == 0 })
	mustAppend(t, s, messages(3000, 30)...)
	f.until(s, lastOf(t, s))
}

// Given something in the log that the store did not append, then readers get it, and
// all that follows, from the server.
func TestWhatOthersWroteIsFollowedFromTheServer(t *testing.T) {
	s := open(t)
	f := follow(t, s, 1)
	mustAppend(t, s, messages(0, 20)...)
	f.until(s, 20)
	js, err := jetstream.New(s.Raw())
	require.NoError(t, err)
	_, err = js.Publish(context.Background(), subject("foreign"), []byte("not ours"))
	require.NoError(t, err)

	mustAppend(t, s, messages(20, 20)...)

	f.until(s, 41)
	assert.Equal(t, 1, consumers(t, s))
	mustAppend(t, s, messages(40, 20)...)
	f.until(s, 61)
}

// Given a reader of one subject, when far more of others is appended than is kept, then
// it gets what comes for it, each once and in order, and the server is not asked; also
// after something that the store did not append.
func TestAPartOfWhatIsAppendedIsFollowedWithoutTheServer(t *testing.T) {
	s := open(t)
	got := make(chan string)
	go func() {
		for rec, err := range s.Subscribe(t.Context(), 1, subject("mine")) {
			if !assert.True(t, err == nil || t.Context().Err() != nil, err) {
				return
			}
			select {
			case got <- string(rec.Data):
			case <-t.Context().Done():
				return
			}
		}
	}()
	last := uint64(0)
	mine := func(data string) {
		last = mustAppend(t, s, message("mine", last, data))
	}

	mine("first")
	assert.Equal(t, "first", <-got)
	for i := range 12 {
		mustAppend(t, s, messages(1000*i, 1000)...)
	}
	last = mustAppend(t, s, append([]eventstore.Message{message("mine", last, "second")}, messages(20_000, 10)...)...)
	mine("third")
	assert.Equal(t, "second", <-got)
	assert.Equal(t, "third", <-got)
	for i := range 12 { // with something for it in hand
		mustAppend(t, s, messages(30_000+1000*i, 1000)...)
	}
	mine("fourth")
	assert.Equal(t, "fourth", <-got)
	eventually(t, "the consumer of a reader that was behind to be gone", func() bool { return consumers(t, s) == 0 })

	js, err := jetstream.New(s.Raw())
	require.NoError(t, err)
	_, err = js.Publish(context.Background(), subject("foreign"), []byte("not ours"))
	require.NoError(t, err)
	mine("fifth")
	assert.Equal(t, "fifth", <-got)
	mine("sixth")
	assert.Equal(t, "sixth", <-got)
	assert.Equal(t, 1, consumers(t, s))
}

// Given an append whose outcome is not known, then readers see whether it is there.
func TestWhatIsNotKnownIsFollowedFromTheServer(t *testing.T) {
	s := open(t)
	f := follow(t, s, 1)
	mustAppend(t, s, messages(0, 20)...)
	f.until(s, 20)

	require.NoError(t, s.Lose(t.Context(), messages(20, 1)[0])) // it is stored

	f.until(s, 21)
	mustAppend(t, s, messages(21, 20)...)
	f.until(s, 41)
}

// A reader that is behind ends with its context, too.
func TestAReaderOfTheTailEndsWithItsContext(t *testing.T) {
	s := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	mustAppend(t, s, messages(0, 1)...)
	f := 0
	for chunk, err := range s.SubscribeChunks(ctx, 1) {
		if err != nil {
			require.ErrorIs(t, err, context.Canceled)
			break
		}
		require.Zero(t, f, "it goes on")
		f += len(chunk)
		cancel()
		mustAppend(t, s, messages(100, 1)...)
	}
	require.NotZero(t, f)
}

// Given a record that is on the disk before this store was told, when a reader that has
// it goes on from there, then it is not given that again.
func TestAReaderAheadOfTheTailIsGivenNothingAgain(t *testing.T) {
	for _, filter := range []string{"", subject("*")} {
		s := open(t)
		mustAppend(t, s, messages(0, 1)...)
		js, err := jetstream.New(s.Raw())
		require.NoError(t, err)
		_, err = js.Publish(context.Background(), subject("untold"), []byte("as if its answer were still to come"))
		require.NoError(t, err)
		got := make(chan uint64)
		go func() {
			for rec, err := range s.Subscribe(t.Context(), 3, filter) {
				if err != nil {
					close(got)
					return
				}
				got <- rec.Seq
			}
		}()
		eventually(t, "the reader to wait", func() bool { return s.Followers() == 1 })

		mustAppend(t, s, messages(1, 2)...)

		assert.EqualValues(t, 3, <-got, "with filter %q", filter)
		assert.EqualValues(t, 4, <-got, "with filter %q", filter)
	}
}

// Given writers, when a reader reads to the end and subscribes from there, again and
// again, then it is never given what it has.
func TestReadersGoOnWhereTheyReadTo(t *testing.T) {
	t.Parallel()
	for _, filter := range []string{"", subject("*")} {
		s := open(t)
		mustAppend(t, s, messages(0, 1)...)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var writers sync.WaitGroup
		for w := range 4 {
			writers.Go(func() {
				for i := 0; ctx.Err() == nil; i++ {
					_, err := s.Append(context.Background(), messages(1_000_000*(w+1)+3*i, 3))
					assert.NoError(t, err)
				}
			})
		}
		for ctx.Err() == nil {
			from := lastOf(t, s)
			for rec, err := range s.Read(t.Context(), from, 0, filter) {
				require.NoError(t, err)
				from = rec.Seq + 1
			}
			for rec, err := range s.Subscribe(ctx, from, filter) {
				if err == nil {
					require.Equal(t, from, rec.Seq, "with filter %q", filter)
				}
				break
			}
		}
		writers.Wait()
	}
}

// Readers that end leave nothing behind.
func TestReadersThatWaitAreForgotten(t *testing.T) {
	s := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		for _, err := range s.Subscribe(ctx, 1, subject("nobody")) {
			ended <- err
		}
	}()
	eventually(t, "the reader to wait", func() bool { return s.Followers() == 1 })

	cancel()

	require.ErrorIs(t, <-ended, context.Canceled)
	assert.Zero(t, s.Followers())
}

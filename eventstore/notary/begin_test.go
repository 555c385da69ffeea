package notary_test

import (
	"context"
	"errors"
	"iter"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/eventstore"
	"github.com/milepost-ledger/milepost/eventstore/notary"
)

// slow is a log of which nobody can read more than the end until it is let go, and
// that then fails a number of times.
type slow struct {
	*eventstore.Store
	reading chan struct{} // closed when somebody begins
	letGo   chan struct{}
	fails   int
}

func newSlow(s *eventstore.Store, fails int) *slow {
	return &slow{Store: s, reading: make(chan struct{}), letGo: make(chan struct{}), fails: fails}
}

func (s *slow) ReadChunks(ctx context.Context, from, to uint64, filter string) iter.Seq2[[]eventstore.Record, error] {
	if from > 1 && from == to {
		return s.Store.ReadChunks(ctx, from, to, filter)
	}
	return func(yield func([]eventstore.Record, error) bool) {
		select {
		case <-s.reading:
		default:
			close(s.reading)
		}
		select {
		case <-s.letGo:
		case <-ctx.Done():
			yield(nil, ctx.Err())
			return
		}
		if s.fails > 0 {
			s.fails--
			yield(nil, errors.New("out of reach"))
			return
		}
		s.Store.ReadChunks(ctx, from, to, filter)(yield)
	}
}

// beside opens a notary that does not wait.
func (r *rig) beside(log notary.Log) (*notary.Notary, error) {
	opts := r.options()
	opts.Patience, opts.Every = time.Nanosecond, 10*time.Millisecond
	return notary.Open(context.Background(), log, opts)
}

func TestALongLogIsComparedBesideWhatIsServed(t *testing.T) {
	// given a log that is signed, and takes long to read
	r := newRig(t)
	r.append("a", "b", "a")
	signed := r.checkpoint(r.notary(), "")
	log := newSlow(r.open(), 2)
	n, err := r.beside(log)
	require.NoError(t, err)
	<-log.reading
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ran := make(chan error, 1)
	go func() { ran <- n.Run(ctx) }()
	// then nothing is signed yet
	r.append("b")
	hurried, stop := context.WithTimeout(ctx, 20*time.Millisecond)
	defer stop()
	_, err = n.Checkpoint(hurried, "")
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorContains(t, err, "still being compared")
	require.Equal(t, signed.Size, n.Size())
	// when it has been read, after it was out of reach for a while
	close(log.letGo)
	// then the end of the log is signed
	require.Eventually(t, func() bool { return n.Size() == 4 }, 10*time.Second, time.Millisecond)
	require.Equal(t, r.checkpoint(r.notary(), "").Root, r.checkpoint(n, "").Root)
	require.NoError(t, n.Err())
	cancel()
	require.NoError(t, <-ran)
}

func TestALongLogThatDisagreesIsRefusedWhenItIsFound(t *testing.T) {
	// given a log that is signed, and changed afterwards
	r := newRig(t)
	r.append("a", "b", "a")
	r.checkpoint(r.notary(), "")
	r.rewrite(func(list []eventstore.Record) []eventstore.Record {
		list[1].Data = changed(string(list[1].Data), `"n":2`, `"n":7`)
		return list
	})
	log := newSlow(r.open(), 0)
	// when it takes long to read
	n, err := r.beside(log)
	require.NoError(t, err)
	close(log.letGo)
	// then whoever runs the notary hears of it, and nothing is signed
	var disagree *notary.DisagreeError
	require.ErrorAs(t, n.Run(t.Context()), &disagree)
	require.ErrorAs(t, n.Err(), &disagree)
	_, err = n.Checkpoint(t.Context(), "")
	require.ErrorAs(t, err, &disagree)
	assert.EqualValues(t, 3, n.Size())
}

// Its next sequence would be one that was given out.
func TestALogThatLostItsEndIsNotServed(t *testing.T) {
	r := newRig(t)
	r.append("a", "b", "a")
	r.checkpoint(r.notary(), "")
	r.rewrite(func(list []eventstore.Record) []eventstore.Record { return list[:2] })
	_, err := r.beside(r.open())
	var disagree *notary.DisagreeError
	require.ErrorAs(t, err, &disagree)
	assert.EqualValues(t, 3, disagree.Until)
}

func TestStoppedWhileALongLogIsCompared(t *testing.T) {
	r := newRig(t)
	r.append("a", "b")
	log := newSlow(r.open(), 0)
	n, err := r.beside(log)
	require.NoError(t, err)
	<-log.reading
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.NoError(t, n.Run(ctx))
	// then what would be signed at the end is refused at once
	_, err = n.Checkpoint(t.Context(), "")
	require.ErrorIs(t, err, context.Canceled)
}

// torn is a log whose last batch is there in part.
type torn struct{ *eventstore.Store }

func (l torn) ReadChunks(ctx context.Context, from, to uint64, filter string) iter.Seq2[[]eventstore.Record, error] {
	return func(yield func([]eventstore.Record, error) bool) {
		for chunk, err := range l.Store.ReadChunks(ctx, from, to, filter) {
			if !yield(chunk, err) {
				return
			}
		}
		yield(nil, &eventstore.TornBatchError{Batch: "b", Seq: to})
	}
}

// What came after it would be in its place.
func TestALogWithATornEndIsNotServed(t *testing.T) {
	r := newRig(t)
	r.append("a", "b")
	r.checkpoint(r.notary(), "")
	r.append("a")
	_, err := r.beside(torn{r.open()})
	var disagree *notary.DisagreeError
	require.ErrorAs(t, err, &disagree)
	assert.EqualValues(t, 4, disagree.Seq)
}

// A start asks the ledger's newest checkpoint alone how long the log has been.
func TestTheLedgersCheckpointGoesAsFarAsEach(t *testing.T) {
	r := newRig(t)
	n := r.notary()
	r.append("a", "b", "a")
	assert.EqualValues(t, 2, r.checkpoint(n, "a").Size)
	assert.EqualValues(t, 3, n.Size())
}

func TestALogThatIsOutOfReachIsTold(t *testing.T) {
	r := newRig(t)
	r.append("a", "b")
	log := newSlow(r.open(), 1_000_000)
	n, err := r.beside(log)
	require.NoError(t, err)
	defer n.Close()
	close(log.letGo)
	require.Eventually(t, func() bool { return errors.As(n.Err(), new(*notary.SigningError)) }, 10*time.Second, time.Millisecond)
	assert.Equal(t, notary.ScrubBeginning, n.Scrub().State)
}

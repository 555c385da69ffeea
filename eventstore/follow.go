package eventstore

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	chunkMax = 4096 // records in a chunk, and in a request to the server

	// pullBytes bounds what the server sends ahead, so that large records do
	// not overrun the connection's buffers.
	pullBytes = 16 << 20

	// heartbeat is how often an external server says that there is nothing to read.
	// After two that did not come it hangs, and the next consumer is on another.
	heartbeat = 2 * time.Second

	// followRetry is how long a reader waits that the server had no answer for.
	followRetry = 250 * time.Millisecond

	// consumerTTL is when the server forgets the consumer of a reader that
	// vanished. Those which end normally delete theirs.
	consumerTTL = time.Minute
)

// span is what a reader wants to see.
type span struct {
	from, to uint64 // to == 0: never ends
	whole    bool   // to is the end of the log, and nothing is filtered out
	filter   string
	headers  bool // records come with theirs
}

// follow drives both Read and Subscribe: an ordered consumer fills a feed,
// and the caller's goroutine empties it in chunks.
func (s *Store) follow(ctx context.Context, sp span, yield func([]Record, error) bool) {
	cfg := jetstream.OrderedConsumerConfig{
		DeliverPolicy:     jetstream.DeliverByStartSequencePolicy,
		OptStartSeq:       sp.from,
		InactiveThreshold: consumerTTL,
		NamePrefix:        rand.Text(), // the same one when it is asked for again
	}
	if sp.filter != "" {
		cfg.FilterSubjects = []string{sp.filter}
	}
	begin := func(ctx context.Context) (jetstream.Consumer, error) { return s.js.OrderedConsumer(ctx, s.stream, cfg) }
	cons, err := query(ctx, s, begin)
	for sp.to == 0 && s.srv.Load() != nil && err != nil && ctx.Err() == nil && !s.isClosing() && passes(err) {
		// Whoever goes on for ever waits for a server in this process that stalls, or
		// is being started again.
		s.log.Warn("reader cannot go on yet, trying again", "error", err)
		select {
		case <-time.After(followRetry):
		case <-ctx.Done():
		case <-s.closing:
		}
		cons, err = query(ctx, s, begin)
	}
	if err != nil {
		yield(nil, fmt.Errorf("eventstore: read from %d: %w", sp.from, err))
		return
	}
	defer s.forget(cons)

	f := newFeed(sp)
	opts := []jetstream.PullConsumeOpt{
		jetstream.PullMaxMessagesWithBytesLimit(chunkMax, pullBytes),
		jetstream.ConsumeErrHandler(func(_ jetstream.ConsumeContext, err error) {
			if errors.Is(err, nats.ErrConnectionClosed) || errors.Is(err, jetstream.ErrConnectionClosed) {
				f.end(ErrClosed)
				return
			}
			s.log.Warn("reader interrupted, it will go on", "error", err)
		}),
	}
	if s.srv.Load() == nil {
		opts = append(opts, jetstream.PullHeartbeat(heartbeat))
	}
	cc, err := cons.Consume(f.put, opts...)
	if err != nil {
		yield(nil, fmt.Errorf("eventstore: read from %d: %w", sp.from, s.readError(err)))
		return
	}
	defer func() {
		f.end(nil) // lets go of the consumer's goroutine
		cc.Stop()
		<-cc.Closed()
	}()

	for {
		chunk, err := f.take(ctx, s.closing)
		if len(chunk) > 0 && !yield(chunk, nil) {
			return
		}
		if err != nil {
			if !errors.Is(err, errSpanDone) {
				yield(nil, err)
			}
			return
		}
	}
}

// passes says that the server could not be asked, and may be soon.
func passes(err error) bool {
	return errors.Is(err, ErrUnavailable) || errors.Is(err, jetstream.ErrJetStreamNotEnabled)
}

// forget deletes a reader's consumer; the server would do it later.
func (s *Store) forget(cons jetstream.Consumer) {
	info := cons.CachedInfo()
	if info == nil || s.isClosing() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	_ = s.js.DeleteConsumer(ctx, s.stream, info.Name)
}

// errSpanDone ends a feed whose span was read to its end.
var errSpanDone = errors.New("eventstore: span done")

// feed hands records from the consumer's goroutine to the reader's, as many
// at a time as there are.
type feed struct {
	span span

	mu    sync.Mutex
	buf   []Record
	err   error
	space sync.Cond     // there is room in buf, or err is set
	ready chan struct{} // room for one: there is something to take

	putting sync.Mutex // one put at a time: a reset consumer's first may meet the old one's last
	next    uint64     // guarded by putting
	batch   batchCheck // guarded by putting
}

func newFeed(sp span) *feed {
	f := &feed{span: sp, next: sp.from, ready: make(chan struct{}, 1)}
	f.space.L = &f.mu
	return f
}

// put is called by the consumer for every message, in order. It blocks when
// the reader is behind, which in turn stops the server from sending more.
func (f *feed) put(m jetstream.Msg) {
	f.putting.Lock()
	defer f.putting.Unlock()
	rec, err := delivered(m)
	if f.span.headers {
		rec.Headers = m.Headers()
	}
	if err == nil {
		err = f.check(rec.Seq, placeOf(m.Headers()))
	}
	beyond := f.span.to != 0 && rec.Seq > f.span.to
	if err == nil && f.span.to != 0 && rec.Seq >= f.span.to {
		err = errSpanDone
		if id := f.batch.open(); f.span.whole && id != "" {
			err = &TornBatchError{Batch: id, Seq: rec.Seq}
		}
	}

	f.mu.Lock()
	defer f.mu.Unlock()
	for len(f.buf) >= chunkMax && f.err == nil {
		f.space.Wait()
	}
	if f.err != nil {
		return
	}
	if err == nil || errors.Is(err, errSpanDone) && !beyond {
		f.buf = append(f.buf, rec)
	}
	f.err = err
	if len(f.buf) == 1 || err != nil { // else the reader was told before
		f.signal()
	}
}

// check asserts that nothing is missing before seq.
func (f *feed) check(seq uint64, place batchPlace) error {
	if f.span.filter != "" {
		if seq < f.next {
			return &GapError{Want: f.next, Got: seq}
		}
		f.next = seq + 1
		return nil
	}
	if seq != f.next {
		return &GapError{Want: f.next, Got: seq}
	}
	f.next++
	return f.batch.check(seq, place)
}

func (f *feed) signal() {
	select {
	case f.ready <- struct{}{}:
	default:
	}
}

func (f *feed) end(err error) {
	f.mu.Lock()
	if f.err == nil {
		if err == nil {
			err = errSpanDone
		}
		f.err = err
	}
	f.space.Broadcast()
	f.signal()
	f.mu.Unlock()
}

// take waits for records and returns all there are, with the error that ends
// the feed after them.
func (f *feed) take(ctx context.Context, closing <-chan struct{}) ([]Record, error) {
	for {
		select {
		case <-f.ready:
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-closing:
			return nil, ErrClosed
		}
		f.mu.Lock()
		chunk, err := f.buf, f.err
		f.buf = make([]Record, 0, min(2*len(chunk)+1, chunkMax)) // the next is likely as long
		f.space.Signal()
		f.mu.Unlock()
		if len(chunk) > 0 || err != nil {
			return chunk, err
		}
	}
}

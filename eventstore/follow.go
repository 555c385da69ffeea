package eventstore

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
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

	// stallTime is how long a reader of a cluster gets nothing before it is asked whether
	// there is something.
	stallTime = 10 * time.Second

	// copiesTried is how many consumers in a row are tried that do not come further. Each
	// is on a server that was picked at random.
	copiesTried = 12

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

// follow drives both Read and Subscribe: an ordered consumer fills a feed, and the
// caller's goroutine empties it in chunks. In a cluster the consumer is on any of the
// servers, and reads the copy of that one: where it lacks a record that the leader has,
// another consumer goes on.
func (s *Store) follow(ctx context.Context, sp span, yield func([]Record, error) bool) {
	again := false
	for tries := 0; ; tries++ {
		next, err := s.consume(ctx, sp, yield)
		if next > sp.from {
			sp.from, tries = next, 0
		}
		gap, missing := (*GapError)(nil), false
		switch {
		case err == nil:
			return
		case s.replicas <= 1 || tries == copiesTried:
		case errors.Is(err, errStalled):
			missing = true
		case errors.As(err, &gap) && gap.Got > gap.Want:
			_, lookErr := s.getFromLeader(ctx, s.stream, fmt.Sprintf(`{"seq":%d}`, gap.Want))
			missing = lookErr == nil
		}
		if !missing && again && sp.to == 0 && passes(err) && !errors.Is(err, errStalled) && ctx.Err() == nil && !s.isClosing() {
			select { // who goes on for ever does so also while a leader is chosen
			case <-time.After(followRetry):
			case <-ctx.Done():
			case <-s.closing:
			}
			tries = 0
			continue
		}
		if !missing {
			yield(nil, err)
			return
		}
		again = true
		s.log.Warn("a server's copy of the log lacks a record that the leader has, another copy is read", "seq", sp.from)
	}
}

// consume reads with one consumer. It returns what comes after the last record that it
// yielded, and why that did not come; nil when the caller has enough.
func (s *Store) consume(ctx context.Context, sp span, yield func([]Record, error) bool) (next uint64, err error) {
	cons, err := s.newConsumer(ctx, sp)
	if err != nil {
		return sp.from, fmt.Errorf("eventstore: read from %d: %w", sp.from, err)
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
		return sp.from, fmt.Errorf("eventstore: read from %d: %w", sp.from, s.readError(err))
	}
	defer func() {
		f.end(nil) // lets go of the consumer's goroutine
		cc.Stop()
		<-cc.Closed()
	}()

	patience := time.Duration(0)
	if s.replicas > 1 {
		patience = s.stallTime
	}
	for next = sp.from; ; {
		chunk, err := f.take(ctx, s.closing, patience)
		if n := len(chunk); n > 0 {
			next = chunk[n-1].Seq + 1
			if !yield(chunk, nil) {
				return next, nil
			}
		}
		switch {
		case errors.Is(err, errSpanDone):
			return next, nil
		case errors.Is(err, errStalled) && !s.hasNext(ctx, sp, next):
		case err != nil:
			return next, err
		}
	}
}

// hasNext says whether the leader has something to read for a reader that gets nothing.
func (s *Store) hasNext(ctx context.Context, sp span, next uint64) bool {
	_, err := s.getFromLeader(ctx, s.stream, fmt.Sprintf(`{"seq":%d,"next_by_subj":%q}`, next, cmp.Or(sp.filter, everything)))
	return err == nil
}

// newConsumer makes the consumer of a reader.
func (s *Store) newConsumer(ctx context.Context, sp span) (jetstream.Consumer, error) {
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
	return cons, err
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

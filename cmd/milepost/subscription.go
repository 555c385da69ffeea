package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"time"
)

// subscription follows the server's stream of events, over however many
// connections, and hands each event to its taker, once and in order.
type subscription struct {
	app    *app
	client *client
	filter url.Values
	mark   *bookmark
	taker  taker
}

// taker is what events are handed to. When take returns without error they are
// done with, and the place moves past them.
type taker interface {
	// most is how many events it takes at a time.
	most() int
	take(ctx context.Context, events []streamed) error
}

const (
	batchEvents = 1000    // handed on, and synced, at a time
	batchBytes  = 4 << 20 // of which one may be more
)

// takingError marks what is no fault of the connection, and ends the subscription.
type takingError struct{ err error }

func (e *takingError) Error() string { return e.err.Error() }
func (e *takingError) Unwrap() error { return e.err }

// run follows until ctx ends, which is no error, or there is no use in going on.
func (s *subscription) run(ctx context.Context) error {
	var wait backoff
	for {
		err := s.listen(ctx, &wait)
		if final := (*takingError)(nil); errors.As(err, &final) && !errors.Is(err, context.Canceled) {
			return final.err
		}
		if ctx.Err() != nil {
			return nil
		}
		if refused := (*refusal)(nil); errors.As(err, &refused) && refused.Status < 500 && refused.Status != http.StatusTooManyRequests {
			return err
		}
		if wait.failures == 0 {
			s.note("%v; connecting again", err)
		}
		if wait.pause(ctx) != nil {
			return nil
		}
	}
}

func (s *subscription) note(format string, args ...any) {
	_, _ = fmt.Fprintf(s.app.err, "milepost: "+format+"\n", args...)
}

// listen follows over one connection, until it breaks.
func (s *subscription) listen(ctx context.Context, wait *backoff) error {
	stream, err := s.client.stream(ctx, s.filter, s.mark.after())
	if err != nil {
		return err
	}
	messages := make(chan streamed, batchEvents)
	left := make(chan struct{})
	var broke error // once messages is closed
	go func() {
		defer close(messages)
		for {
			m, err := stream.next()
			if err != nil {
				broke = err
				return
			}
			select {
			case messages <- m:
			case <-left:
				return
			}
		}
	}()
	defer func() {
		close(left)
		stream.close()
		for range messages { // until it has ended
		}
	}()
	for first := range messages {
		wait.reset()
		if err := s.handOn(ctx, gather(first, messages, s.taker.most())); err != nil {
			return &takingError{err}
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return broke
}

// gather takes along what has come already.
func gather(first streamed, messages <-chan streamed, most int) []streamed {
	batch, size := []streamed{first}, len(first.data)
	for len(batch) < most && size < batchBytes {
		select {
		case m, ok := <-messages:
			if !ok {
				return batch
			}
			batch, size = append(batch, m), size+len(m.data)
		default:
			return batch
		}
	}
	return batch
}

// handOn gives the events of a batch to the taker, and moves the place.
func (s *subscription) handOn(ctx context.Context, batch []streamed) error {
	if !s.mark.known { // the first message says where now is; it is kept before anything is taken
		if err := s.mark.moveTo(batch[0].seq); err != nil {
			return err
		}
	}
	var events []streamed
	after := s.mark.after()
	for _, m := range batch {
		if after != nil && (m.seq < *after || m.seq == *after && m.data != nil) {
			return fmt.Errorf("the server sent sequence %d after %d: it is of another ledger, or restored", m.seq, *after)
		}
		after = &m.seq
		if m.data != nil {
			events = append(events, m)
		}
	}
	if len(events) > 0 {
		if err := s.taker.take(ctx, events); err != nil {
			return err
		}
	}
	return s.mark.moveTo(*after)
}

// backoff makes pauses that grow with each failure, and are of random length so
// that not all clients of a server come back at once.
type backoff struct{ failures int }

const (
	firstPause   = 250 * time.Millisecond
	longestPause = 15 * time.Second
)

func (b *backoff) reset() { b.failures = 0 }

// pause waits, unless ctx ends.
func (b *backoff) pause(ctx context.Context) error {
	longest := min(longestPause, firstPause<<min(b.failures, 10))
	b.failures++
	select {
	case <-time.After(longest/2 + rand.N(longest/2)):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

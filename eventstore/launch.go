package eventstore

import (
	"errors"
	"time"
)

// launch sends what is worth sending now. Every case that waits has a flight
// under way whose landing comes back here, or a timer.
func (c *committer) launch() {
	for {
		c.launchAlone()
		c.launchTogether()
		if len(c.solo) == 0 || c.singles+c.batches > 0 { // those that have gone may have let others through
			return
		}
	}
}

// launchAlone sends what is to be sent by itself.
func (c *committer) launchAlone() {
	for len(c.solo) > 0 && c.singles+c.batches < c.singlesLimit() {
		r := c.solo[0]
		c.solo = c.solo[1:]
		if c.depart(r) {
			c.fly(newFlight(r))
		} else {
			c.release(r)
		}
	}
}

// launchTogether sends what may share a commit.
func (c *committer) launchTogether() {
	if c.batches == 0 && c.gather.waits(len(c.ready), c.run) {
		return
	}
	for len(c.ready) > 0 {
		limit := c.singlesLimit()
		few := c.messages <= limit && c.messages == len(c.ready)
		switch {
		case few && c.batches == 0 && c.singles+c.messages <= limit:
			for _, r := range c.take() {
				c.fly(newFlight(r))
			}
		case few && c.singles+c.batches > 0:
			return
		case c.batches == 0, c.batches < maxBatches && c.messages >= min(c.aboard, MaxMessages):
			if reqs := c.take(); len(reqs) > 0 {
				c.fly(newFlight(reqs...))
			}
		default:
			return
		}
	}
}

// take removes from the front of ready what fits into one batch, and leaves
// out the requests whose callers have gone.
func (c *committer) take() []*request {
	var (
		taken, gone []*request
		n, size, i  int
	)
	for ; i < len(c.ready); i++ {
		r := c.ready[i]
		if n+len(r.msgs) > MaxMessages || n > 0 && size+r.bytes > maxBatchBytes {
			break
		}
		c.messages -= len(r.msgs)
		if !c.depart(r) {
			gone = append(gone, r)
			continue
		}
		taken = append(taken, r)
		n += len(r.msgs)
		size += r.bytes
	}
	c.ready = append([]*request(nil), c.ready[i:]...)
	for _, r := range gone {
		c.release(r)
	}
	return taken
}

// depart marks a request as sent; false if its caller has gone.
func (c *committer) depart(r *request) bool {
	if !r.state.CompareAndSwap(requestWaiting, requestSent) {
		return false
	}
	c.left()
	return true
}

// newFlight is the commit for these requests. One message alone needs no
// batch.
func newFlight(reqs ...*request) *flight {
	f := &flight{reqs: reqs}
	for _, r := range reqs {
		f.messages += len(r.msgs)
	}
	f.batch = f.messages > 1
	return f
}

func (c *committer) fly(f *flight) {
	if f.batch {
		c.batches++
		c.aboard += f.messages
	} else {
		c.singles++
	}
	c.wire.send(f)
}

// settle deals with the outcome of a flight.
func (c *committer) settle(f *flight) {
	if f.batch {
		c.batches--
		c.aboard -= f.messages
		if len(f.reqs) > 1 && f.err == nil {
			c.gather.expect(len(f.reqs), len(c.ready)+c.parked, time.Since(f.sent))
		}
	} else {
		c.singles--
	}
	if c.observe != nil {
		c.observe(AppendStats{
			Messages: f.messages,
			Appends:  len(f.reqs),
			Batch:    f.batch,
			Duration: time.Since(f.sent),
			Err:      errorKind(f.err),
		})
	}
	if apiCode(f.err) == codeBatchIncomplete {
		c.staging.failed()
	}
	switch {
	case f.err == nil && !f.duplicate: // the callers know already
		c.remember(f)
		c.finish(f, nil)
	case f.duplicate:
		r := f.reqs[0]
		c.finish(f, &DuplicateError{ID: r.id(), Seq: f.first})
	case f.retryable() && f.attempts+1 < maxAttempts:
		c.flyLater(f)
	case f.retryable():
		c.finish(f, unavailable(f.err))
	case len(f.reqs) > 1 && (isConflict(f.err) || isDuplicate(f.err)):
		// The server does not say whose fault it was. Alone, only the guilty
		// fail. The requests keep their subjects meanwhile; one whose caller
		// has gone since is still carried out, as its caller was told may be.
		for _, r := range f.reqs {
			c.fly(newFlight(r))
		}
	default:
		c.finish(f, f.err)
	}
}

// finish ends the requests of a flight. On success their callers were told
// when it landed.
func (c *committer) finish(f *flight, err error) {
	for _, r := range f.reqs {
		if err != nil {
			r.done <- result{err: r.fail(err)}
		}
		c.release(r)
	}
}

// succeed gives each request of a flight its sequences, in order.
func (f *flight) succeed() {
	seq := f.first
	for _, r := range f.reqs {
		r.done <- result{first: seq}
		seq += uint64(len(r.msgs))
	}
}

// remember notes the last sequences of the subjects written, so that requests
// decided on older ones keep out of shared batches.
func (c *committer) remember(f *flight) {
	if len(c.tips) > maxTips {
		clear(c.tips)
	}
	seq := f.first
	for _, r := range f.reqs {
		for _, m := range r.msgs {
			c.tips[m.Subject] = seq
			seq++
		}
	}
}

// retryable says that nothing was written, and that the same may succeed soon.
func (f *flight) retryable() bool {
	code := apiCode(f.err)
	return f.unsent || code == codeBatchIncomplete || code == codeBatchTooManyInFlight
}

// flyLater sends a flight again after a pause that doubles each time.
func (c *committer) flyLater(f *flight) {
	pause := firstBackoff << f.attempts
	f.attempts++
	f.err, f.unsent = nil, false
	c.backoff++
	c.log.Warn("append refused for the moment, trying again", "messages", f.messages, "attempt", f.attempts, "pause", pause)
	time.AfterFunc(pause, func() {
		c.mu.Lock()
		c.again = append(c.again, f)
		c.mu.Unlock()
		c.run()
	})
}

func unavailable(err error) error {
	if errors.Is(err, ErrUnavailable) {
		return err
	}
	return errors.Join(ErrUnavailable, err)
}

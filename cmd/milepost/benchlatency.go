package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// So many events are timed, after some that warm up: fewer where they would take
// longer than --seconds.
const (
	latencyWarmUp = 20
	latencyLeast  = 20
	latencyEvents = 500
)

// receiver listens to the ledger of n, which c speaks to, until ctx ends. It
// calls listening once, when it would hear of the next event, and heard for each
// as soon as it has it.
type receiver func(ctx context.Context, n *node, c *client, listening func(), heard func(seq uint64)) error

// latency measures how long events take from when the log stored them until
// each receiver has them, in milliseconds, one list a receiver. All receivers hear
// the same events, in the same run; the next one is recorded when all have
// the last, so that none waits behind another.
func (b *bench) latency(ctx context.Context, name string, receivers ...receiver) (took [][]float64, err error) {
	n, err := b.node(ctx, name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, n.Close()) }()
	var setup strings.Builder
	w := newWorkload(1)
	w.parties(&setup)
	work := w.agreement(&setup, "latency", 1, 1)[0]
	if _, err := n.importText(ctx, setup.String()); err != nil {
		return nil, err
	}
	bar := b.app.bar(name, latencyWarmUp+latencyEvents, false)
	defer bar.finish()
	return took, b.app.served(ctx, n, func(ctx context.Context, c *client) error {
		ears := make([]*ear, len(receivers))
		for i, receive := range receivers {
			ears[i] = listen(ctx, n, c, receive)
			defer ears[i].stop()
		}
		for _, e := range ears {
			if err := e.wait(ctx, e.listening); err != nil {
				return err
			}
		}
		took = make([][]float64, len(ears))
		start := time.Now()
		for round := range latencyWarmUp + latencyEvents {
			if round >= latencyWarmUp+latencyLeast && time.Since(start).Seconds() > b.seconds {
				break
			}
			receipt, err := n.ledger.Execute(ctx, work.reforecast())
			if err != nil {
				return err
			}
			stored, err := n.store.Get(ctx, receipt.Seq)
			if err != nil {
				return err
			}
			for i, e := range ears {
				at, err := e.await(ctx, receipt.Seq)
				if err != nil {
					return err
				}
				if round >= latencyWarmUp {
					took[i] = append(took[i], float64(at.Sub(stored.Stored).Nanoseconds())/1e6)
				}
			}
			bar.add(1)
		}
		return nil
	})
}

// ear is a receiver that listens in a goroutine.
type ear struct {
	stop      func() // ends it, and waits for that
	listening chan struct{}
	heard     chan hearing
	ended     chan struct{}
	err       error // once ended
}

type hearing struct {
	seq uint64
	at  time.Time
}

func listen(ctx context.Context, n *node, c *client, receive receiver) *ear {
	ctx, cancel := context.WithCancel(ctx)
	e := &ear{listening: make(chan struct{}), heard: make(chan hearing, 1024), ended: make(chan struct{})}
	e.stop = func() {
		cancel()
		<-e.ended
	}
	go func() {
		defer close(e.ended)
		e.err = receive(ctx, n, c, func() { close(e.listening) }, func(seq uint64) {
			select {
			case e.heard <- hearing{seq, time.Now()}:
			case <-ctx.Done():
			}
		})
	}()
	return e
}

// latencyPatience is how long an event may take before the measurement fails.
const latencyPatience = 30 * time.Second

func (e *ear) wait(ctx context.Context, listening <-chan struct{}) error {
	select {
	case <-listening:
		return nil
	case <-e.ended:
		return e.silent()
	case <-time.After(latencyPatience):
		return errors.New("the receiver does not listen")
	case <-ctx.Done():
		return ctx.Err()
	}
}

// await returns when an event was heard of; those before it do not count.
func (e *ear) await(ctx context.Context, seq uint64) (time.Time, error) {
	late := time.After(latencyPatience)
	for {
		select {
		case h := <-e.heard:
			if h.seq >= seq {
				return h.at, nil
			}
		case <-e.ended:
			return time.Time{}, e.silent()
		case <-late:
			return time.Time{}, fmt.Errorf("event %d was not received within %v", seq, latencyPatience)
		case <-ctx.Done():
			return time.Time{}, ctx.Err()
		}
	}
}

func (e *ear) silent() error {
	if e.err != nil {
		return e.err
	}
	return errors.New("the receiver left")
}

// latencies makes a measurement of what events took.
func latencies(took []float64) measurement {
	return measurement{P50: ptr(median(took)), P99: ptr(percentile(took, 99))}
}

// percentile is the least value that p of a hundred are not above.
func percentile(v []float64, p float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[max(0, int(math.Ceil(p/100*float64(len(v))))-1)]
}

func p99Under(ms float64) func(measurement) bool {
	return func(m measurement) bool { return *m.P99 < ms }
}

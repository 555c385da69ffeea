package main

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"time"
)

const (
	httpConnections = 64
	visibleWriters  = 16
)

// overHTTP measures clients that send commands, each on a connection of its own,
// against as many writers within the process.
func (b *bench) overHTTP(ctx context.Context) (m measurement, err error) {
	w, err := b.writing(ctx, "http-64", httpConnections)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	bar := b.app.bar("http-64", 2*appendRounds, false)
	defer bar.finish()
	return m, b.app.served(ctx, w.node, func(ctx context.Context, c *client) (err error) {
		connections, err := c.commandConnections(httpConnections)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, connections.Close()) }()
		ours := func() (float64, error) { return w.all(ctx, connections.reforecast) }
		within := func() (float64, error) { return w.all(ctx, w.execute) }
		for _, warm := range []side{ours, within} {
			if _, err := warm(); err != nil {
				return err
			}
		}
		rates, err := inTurn(appendRounds, bar.step(ours), bar.step(within))
		if err == nil {
			m = compare(rates[0], rates[1])
		}
		return err
	})
}

// reforecast sends the command that [busyMilestone.reforecast] makes.
func (c *client) reforecast(ctx context.Context, milestone *busyMilestone) error {
	var body bytes.Buffer
	milestone.said++
	milestone.late(&body)
	_, err := c.post(ctx, path("v1", "commands", "reforecast-milestone"), "application/json", &body)
	return err
}

// visible measures how long the read models take to show a command whose receipt
// is there, so after its sync. Each writer waits for that before it goes on.
func (b *bench) visible(ctx context.Context) (m measurement, err error) {
	w, err := b.writing(ctx, "visible", visibleWriters)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	var mu sync.Mutex
	var took []float64
	bar := b.app.bar("visible", appendRounds, false)
	defer bar.finish()
	_, err = inTurn(appendRounds, bar.step(func() (float64, error) {
		return w.all(ctx, func(ctx context.Context, milestone *busyMilestone) error {
			receipt, err := w.ledger.Execute(ctx, milestone.reforecast())
			if err != nil {
				return err
			}
			start := time.Now()
			if err := w.models.Wait(ctx, receipt.Seq); err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			took = append(took, float64(time.Since(start).Nanoseconds())/1e6)
			return nil
		})
	}))
	if err != nil {
		return m, err
	}
	return latencies(took), nil
}

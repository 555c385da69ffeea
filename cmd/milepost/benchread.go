package main

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/milepost-ledger/milepost/projections"
)

const (
	wholeRounds   = 5 // of what reads the whole log
	changesAsked  = 500
	changesWanted = 100
)

// rebuilding measures read models made from the log, beside those that answer.
func (b *bench) rebuilding(ctx context.Context) (measurement, error) {
	return b.wholeLog(ctx, "rebuild", func(n *node) (time.Duration, error) {
		rebuilt, err := n.models.Rebuild(ctx, n.store, nil)
		if err == nil && !rebuilt.Identical {
			err = fmt.Errorf("rebuilt read models differ: %s", rebuiltSentence(rebuilt))
		}
		return rebuilt.Load, err
	})
}

// replaying measures the log folded and checked. That the tables are read, too,
// is left out: it reads no log.
func (b *bench) replaying(ctx context.Context) (measurement, error) {
	return b.wholeLog(ctx, "replay", func(n *node) (time.Duration, error) {
		start := time.Now()
		replayed, err := n.models.Replay(ctx, n.store, projections.ReplayOptions{LogOnly: true})
		if err == nil && !replayed.Identical {
			err = replayed.Difference
		}
		return time.Since(start), err
	})
}

// wholeLog measures what reads the whole log against a consumer that only counts.
func (b *bench) wholeLog(ctx context.Context, what string, read func(*node) (time.Duration, error)) (measurement, error) {
	if err := b.filled(ctx); err != nil {
		return measurement{}, err
	}
	n := b.full
	js, err := jetstream.New(n.store.Raw())
	if err != nil {
		return measurement{}, err
	}
	last, err := n.store.Last(ctx)
	if err != nil {
		return measurement{}, err
	}
	bar := b.app.bar(what, 2*wholeRounds, false)
	defer bar.finish()
	ours := func() (float64, error) {
		took, err := read(n)
		return float64(last) / took.Seconds(), err
	}
	raw := func() (float64, error) { return count(ctx, js, n.store.Stream(), int(last)) }
	rates, err := inTurn(wholeRounds, bar.step(ours), bar.step(raw))
	if err != nil {
		return measurement{}, err
	}
	return compare(rates[0], rates[1]), nil
}

// whatChanged asks what changed in agreements in which little did, of all that
// the log holds.
func (b *bench) whatChanged(ctx context.Context) (m measurement, err error) {
	if err := b.filled(ctx); err != nil {
		return m, err
	}
	models := b.full.models
	now, err := models.Resolve(ctx, "")
	if err != nil {
		return m, err
	}
	took := make([]float64, changesAsked)
	for i := range took {
		start := time.Now()
		answer, err := models.Changes(ctx, projections.ChangeQuery{
			To: now, Agreement: b.work.quiet[i%len(b.work.quiet)], Page: projections.Page{Limit: changesWanted},
		})
		took[i] = float64(time.Since(start).Nanoseconds()) / 1e6
		if err != nil {
			return m, err
		}
		if len(answer.Changes) != changesWanted {
			return m, fmt.Errorf("%d changes came, want %d: take more --events", len(answer.Changes), changesWanted)
		}
	}
	p50 := median(took)
	return measurement{Ours: ptr(1e3 / p50), P50: &p50}, nil
}

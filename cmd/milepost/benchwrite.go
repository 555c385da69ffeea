package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/project"
)

const (
	appendRounds = 5
	importRounds = 5
)

// writing is a ledger with writers at work, each on a project of its own.
type writing struct {
	*node
	work  []*busyMilestone
	slice time.Duration // of one side in a round
}

// writing opens one.
func (b *bench) writing(ctx context.Context, name string, writers int) (*writing, error) {
	n, err := b.node(ctx, name)
	if err != nil {
		return nil, err
	}
	var setup strings.Builder
	w := newWorkload(1)
	w.parties(&setup)
	work := w.agreement(&setup, "append", writers, 1)
	if _, err := n.importText(ctx, setup.String()); err != nil {
		return nil, errors.Join(err, n.Close())
	}
	return &writing{n, work, time.Duration(b.seconds / appendRounds * float64(time.Second))}, nil
}

// all has every writer write for the slice, and returns their rate together.
// Before, it lets the read models come up with what was written last.
func (w *writing) all(ctx context.Context, write func(context.Context, *busyMilestone) error) (float64, error) {
	if err := w.catchUp(ctx); err != nil {
		return 0, err
	}
	g, ctx := errgroup.WithContext(ctx)
	var written atomic.Int64
	start := time.Now()
	for _, milestone := range w.work {
		g.Go(func() error {
			for time.Since(start) < w.slice {
				if err := write(ctx, milestone); err != nil {
					return err
				}
				written.Add(1)
			}
			return nil
		})
	}
	err := g.Wait()
	return float64(written.Load()) / time.Since(start).Seconds(), err
}

func (w *writing) execute(ctx context.Context, m *busyMilestone) error {
	_, err := w.ledger.Execute(ctx, m.reforecast())
	return err
}

// appending measures writers that execute commands against one connection that
// publishes the same events one at a time.
func appending(writers int) func(*bench, context.Context) (measurement, error) {
	return func(b *bench, ctx context.Context) (m measurement, err error) {
		name := fmt.Sprintf("append-%d", writers)
		w, err := b.writing(ctx, name, writers)
		if err != nil {
			return m, err
		}
		defer func() { err = errors.Join(err, w.Close()) }()
		raw, cleanup, err := w.store.Scratch(ctx, "append")
		if err != nil {
			return m, err
		}
		defer func() { err = errors.Join(err, cleanup()) }()

		ours := func() (float64, error) { return w.all(ctx, w.execute) }
		// The first round warms up, and makes the bytes that raw publishes.
		before, err := w.store.Last(ctx)
		if err != nil {
			return m, err
		}
		if _, err := ours(); err != nil {
			return m, err
		}
		payloads, err := w.payloads(ctx, before+1)
		if err != nil {
			return m, err
		}
		stream := &rawStream{Scratch: raw}
		bare := func() (float64, error) {
			if err := w.catchUp(ctx); err != nil { // or the read models would still be at work
				return 0, err
			}
			return stream.publish(ctx, payloads, w.slice)
		}
		bar := b.app.bar(name, 2*appendRounds, false)
		defer bar.finish()
		rates, err := inTurn(appendRounds, bar.step(ours), bar.step(bare))
		if err != nil {
			return m, err
		}
		return compare(rates[0], rates[1]), nil
	}
}

// reforecast is a command that changes something whenever it is asked.
func (b *busyMilestone) reforecast() ledger.Request {
	b.said++
	return ledger.Request{
		Command: project.Reforecast{
			MilestoneID: project.MilestoneID{Agreement: domain.Key(b.agreement), Project: domain.Key(b.project), Milestone: domain.Key(b.milestone)},
			Forecast:    domain.MustDate("2031-01-01") + domain.Date(b.said%900),
		},
		Meta: domain.Meta{Actor: "bench", ActingFor: "group", Reason: "supplier-delay", Note: fmt.Sprintf("Delivery %d is late.", b.said)},
	}
}

// importing measures the import of a file of commands against atomic batches
// of the events that came of it. It leaves the log that others read.
func (b *bench) importing(ctx context.Context) (measurement, error) {
	err := b.filled(ctx)
	return b.fill, err
}

// filled makes the ledger with --events events, once.
func (b *bench) filled(ctx context.Context) (err error) {
	if b.full != nil {
		return nil
	}
	if b.full, err = b.node(ctx, "full"); err != nil {
		return err
	}
	raw, cleanup, err := b.full.store.Scratch(ctx, "import")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cleanup()) }()
	stream := &rawStream{Scratch: raw}
	b.work = newWorkload(b.events)
	bar := b.app.bar("import", 2*importRounds, false)
	defer bar.finish()

	var payloads [][]byte // of the last import
	var visible []float64
	done := 0
	load := func() (float64, error) {
		text := b.work.chunk(done, b.events/importRounds, b.events)
		done += strings.Count(text, "\n")
		b.full.halt() // raw has no read models and no notary either
		start := time.Now()
		sum, err := b.full.importText(ctx, text)
		rate := float64(sum.Events) / time.Since(start).Seconds()
		b.full.run(ctx)
		if err != nil {
			return 0, err
		}
		if err := b.full.catchUp(ctx); err != nil {
			return 0, err
		}
		visible = append(visible, float64(sum.Events)/time.Since(start).Seconds())
		payloads, err = b.full.payloads(ctx, sum.FirstSeq)
		return rate, err
	}
	bare := func() (float64, error) { return stream.batches(ctx, payloads) }
	// The order stays: raw takes its bytes from the import before it.
	var ours, raws []float64
	for range importRounds {
		rates, err := inTurn(1, bar.step(load), bar.step(bare))
		if err != nil {
			return err
		}
		ours, raws = append(ours, rates[0][0]), append(raws, rates[1][0])
	}
	b.fill = compare(ours, raws)
	b.fill.Visible = ptr(median(visible))
	return nil
}

func (n *node) importText(ctx context.Context, text string) (ledger.Summary, error) {
	return n.ledger.Import(ctx, ledger.Lines(strings.NewReader(text)), nil)
}

// payloads returns the stored bytes of the events from a sequence on.
func (n *node) payloads(ctx context.Context, from uint64) ([][]byte, error) {
	var all [][]byte
	for rec, err := range n.store.Read(ctx, from, 0, "") {
		if err != nil {
			return nil, err
		}
		all = append(all, rec.Data)
	}
	return all, nil
}

// step is the side with the bar moved on after it.
func (b *bar) step(s side) side {
	if b == nil {
		return s
	}
	return func() (float64, error) {
		rate, err := s()
		_ = b.Add(1) // a bar that cannot be drawn is no reason to stop
		return rate, err
	}
}

package projections

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/eventstore"
	"github.com/milepost-ledger/milepost/eventstore/durable"
)

// Follow keeps the read models up with the log. It makes them first when there
// are none. It returns nil when ctx ends, and otherwise why it stopped, which
// Position also tells from then on; it may be called again. On a full disk it waits
// for room, and for a log that cannot be reached: the read models are behind then, and
// have not stopped.
func (m *Models) Follow(ctx context.Context, log Log) error {
	if !m.following.TryLock() {
		return errFollowed
	}
	defer m.following.Unlock()
	defer shortTurns()()
	m.setError(nil)
	for {
		err := m.follow(ctx, log)
		if ctx.Err() != nil {
			return nil
		}
		switch {
		case errors.Is(err, durable.ErrNoRoom):
			m.log.Error("the read models wait for room", "error", err)
		case errors.Is(err, eventstore.ErrUnavailable): // as while an embedded server is started again
			m.log.Error("the read models wait for the log", "error", err)
		default:
			m.setError(err)
			return err
		}
		select {
		case <-time.After(followPause):
		case <-ctx.Done():
		}
	}
}

var errFollowed = errors.New("projections: another Follow is running")

// followPause lies between two attempts to write to a full disk, or to reach the log.
const followPause = time.Second

// follow makes the models of a view anew as often as something is restricted that
// they have shown, and where they are of another log: that is no loss.
func (m *Models) follow(ctx context.Context, log Log) error {
	for {
		err := m.followOn(ctx, log)
		if m.opts.View == nil {
			return err
		}
		var shown *shownError
		var foreign *ForeignLogError
		switch {
		case errors.As(err, &shown):
		case errors.As(err, &foreign):
			m.work.Lock()
			m.unlearn()
			m.retire(m.live, nil)
			m.work.Unlock()
		default:
			return err
		}
		m.log.Info("a view is made anew", "dir", m.opts.Dir, "reason", err)
	}
}

func (m *Models) followOn(ctx context.Context, log Log) error {
	if err := m.ensure(ctx, log); err != nil {
		return err
	}
	if err := m.checkLog(ctx, log); err != nil {
		return err
	}
	m.readFrom(log)
	next := m.Position().Seq + 1
	read := func(ctx context.Context) iter.Seq2[[]eventstore.Record, error] {
		return paced(ctx, log.SubscribeChunks(ctx, next))
	}
	for events, err := range decodeAhead(ctx, sourceOf(m.opts.Ledger), m.scope, read) {
		if err != nil {
			return fmt.Errorf("projections: read the log: %w", err)
		}
		if err := m.project(ctx, log, events); err != nil {
			return err
		}
	}
	return errors.New("projections: the log ended")
}

// pace is the least time between two small transactions. An event that comes
// alone is shown at once; under load those of one pace share the cost of a
// transaction, which is many times that of their rows. When a crowd writes,
// its appends come first, and the read models follow in longer steps: each entity
// that was written to costs some pages of a transaction, however often it was.
const (
	pace      = 5 * time.Millisecond
	crowd     = 32 // events in one pace
	crowdPace = 50 * time.Millisecond
)

// paced pauses after each small chunk, so that the next one holds all that came
// meanwhile.
func paced(ctx context.Context, chunks iter.Seq2[[]eventstore.Record, error]) iter.Seq2[[]eventstore.Record, error] {
	return func(yield func([]eventstore.Record, error) bool) {
		timer := time.NewTimer(0)
		defer timer.Stop()
		for chunk, err := range chunks {
			if !yield(chunk, err) {
				return
			}
			if len(chunk) >= maxBatch {
				continue
			}
			pause := pace
			if len(chunk) >= crowd {
				pause = crowdPace
			}
			timer.Reset(pause)
			select {
			case <-timer.C:
			case <-ctx.Done():
				return
			}
		}
	}
}

// project writes a batch to the live file in one transaction.
func (m *Models) project(ctx context.Context, log Log, events []decoded) error {
	start := time.Now()
	m.work.Lock()
	defer m.work.Unlock()
	f := m.live
	if f == nil {
		return ErrClosed
	}
	if f.projector == nil {
		p, err := newProjector(f.write, log, false, m.opts)
		if err != nil {
			return err
		}
		f.projector = p
		if p.view != nil {
			f.withheld.Store(p.view.withheld)
		}
	}
	n, err := f.projector.applyAll(ctx, events)
	if shown := (*shownError)(nil); errors.As(err, &shown) {
		m.retire(f, shown.entities)
		return err
	}
	if stop := (stopError{}); n > 0 && (err == nil || errors.As(err, &stop)) {
		if e := f.projector.commit(); e != nil {
			f.projector = nil
			return fmt.Errorf("projections: %w", ofDisk(e))
		}
		m.publish(f.projector.at)
		if m.opts.Observe != nil {
			last := events[n-1].rec
			m.opts.Observe(Batch{
				Events: n, Rows: f.projector.rows, Seq: last.Seq,
				Duration: time.Since(start), Lag: time.Since(last.Stored),
			})
		}
	}
	if err != nil {
		f.projector = nil
	}
	return ofDisk(unwrapStop(err))
}

// retire stops answering from the file of a view that is no longer true, for what
// it is to withhold from its beginning is. Questions under way are of the moment
// before. The caller holds work.
func (m *Models) retire(f *file, beforehand []withheldEntity) {
	m.giveUpRenewal() // which knows no better
	m.mu.Lock()
	m.live, m.followed = nil, nil
	m.mu.Unlock()
	m.learn(beforehand)
	p := m.Position()
	p.Ready = false
	m.setPosition(p)
	m.effective.forget()
	f.projector = nil
	f.unlink() // so that it is not found after a crash
	m.retired.Go(func() {
		if err := f.remove(); err != nil {
			m.log.Warn("the former read models of a view could not be removed", "error", err)
		}
	})
}

// known is what a new file of a view withholds from its beginning, beside what the
// view says.
func (m *Models) known() []withheldEntity {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return slices.Clip(m.beforehand)
}

// learn adds to what is known.
func (m *Models) learn(entities []withheldEntity) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.beforehand = append(m.beforehand, entities...)
}

// unlearn forgets what is known: it was of another log.
func (m *Models) unlearn() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.beforehand = nil
}

func unwrapStop(err error) error {
	if stop := (stopError{}); errors.As(err, &stop) {
		return stop.error
	}
	return err
}

// checkLog refuses a log that is not the one the read models were made from.
func (m *Models) checkLog(ctx context.Context, log Log) error {
	m.work.Lock()
	defer m.work.Unlock()
	if m.live == nil {
		return ErrClosed
	}
	if p := m.live.projector; p != nil && p.states.log != log {
		m.live.projector = nil // what it remembers is of another log
	}
	at, err := readPosition(m.live.write)
	if err != nil || at.seq == 0 {
		return err
	}
	last, err := log.Last(ctx)
	if err != nil {
		return fmt.Errorf("projections: %w", err)
	}
	if last < at.seq {
		return &ForeignLogError{Seq: at.seq, Last: last}
	}
	rec, err := log.Get(ctx, at.seq)
	if err != nil {
		return fmt.Errorf("projections: %w", err)
	}
	if m.opts.View != nil { // which does not decode every event
		if recordID(rec.Data) != at.event {
			return &ForeignLogError{Seq: at.seq, Last: last}
		}
		return nil
	}
	env, err := domain.DecodeEnvelope(rec.Data)
	if err != nil {
		return &EventError{Seq: at.seq, Err: err}
	}
	if env.ID != at.event {
		return &ForeignLogError{Seq: at.seq, Last: last}
	}
	return nil
}

package projections

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/milepost-ledger/milepost/eventstore"
	"github.com/milepost-ledger/milepost/eventstore/durable"
)

// Read models are made in one way, whoever wants them: the first ones, those of a
// newer version than the file that serves, and those that an operator asks for.
//
//  1. A file is loaded beside the one that serves, under a name that nobody opens,
//     up to where that one is by then. From here on it is complete, and has its name.
//  2. What came meanwhile is read after, until little is missing.
//  3. The projector is held up, which questions are not; the rest is read, and the
//     new file takes the place of the former at the very sequence that this was at.
//  4. Questions under way end on the former, which is then removed.
//
// Whatever fails before the third step is done leaves the former serving, and
// nothing else. A process that is killed leaves the former, or both complete: the
// newer one is opened then, and the other removed.

// Build tells of the making of read models: of the one under way, else of the last.
type Build struct {
	Running bool
	Why     string    // they are made
	Seq     uint64    // up to which they are made
	Until   uint64    // up to which they are to be made at first
	Began   time.Time // zero where none was made since the read models were opened
	Ended   time.Time // zero while it is running
	Err     error     // why the last one that was not given up failed; nil when it did not

	Made, Failed int    // since the read models were opened
	Due          string // why those that serve are to be made anew; "" when they are not
}

// BuildError: read models could not be made anew. Those before serve on.
type BuildError struct{ Err error }

func (e *BuildError) Error() string {
	return "projections: the read models could not be made anew, and those before serve on: " + e.Err.Error()
}

func (e *BuildError) Unwrap() error { return e.Err }

// builds keeps what Build tells.
type builds struct {
	mu     sync.Mutex
	now    Build
	giveUp context.CancelFunc // ends the renewal under way; nil when there is none
}

func (b *builds) tell(change func(*Build)) Build {
	b.mu.Lock()
	defer b.mu.Unlock()
	change(&b.now)
	return b.now
}

// Build tells of the making of read models, at no cost.
func (m *Models) Build() Build {
	return m.builds.tell(func(b *Build) { b.Due = m.due() })
}

// due says why the file that serves is to be made anew.
func (m *Models) due() string {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if m.live == nil {
		return ""
	}
	return m.live.former
}

// build makes read models, and has them serve in place of those that do, if there
// are any. With r it compares the two. The caller holds building.
func (m *Models) build(ctx context.Context, log Log, why string, progress func(done, total uint64), r *Rebuilt) (err error) {
	m.mu.RLock()
	was := m.live
	m.mu.RUnlock()
	m.begin(why)
	defer func() { err = m.end(ctx, was, err) }()
	last, err := log.Last(ctx)
	if err != nil {
		return fmt.Errorf("projections: %w", err)
	}
	to := last
	if was != nil {
		to = min(m.Position().Seq, last)
	}
	start := time.Now()
	fresh, err := m.load(ctx, log, to, func(done, total uint64) {
		m.builds.tell(func(b *Build) { b.Seq, b.Until = done, total })
		if progress != nil {
			progress(done, total)
		}
	})
	if err != nil {
		return err
	}
	if r != nil {
		r.Load = time.Since(start)
	}
	if err := m.replace(ctx, log, was, fresh, last, r); err != nil {
		return errors.Join(ofDisk(err), fresh.remove())
	}
	if was != nil {
		m.retired.Go(func() {
			if err := was.remove(); err != nil {
				m.log.Warn("the former read models could not be removed", "file", was.path, "error", err)
			}
		})
		return nil
	}
	if err := removeOthers(m.opts.Dir, fresh.path); err != nil { // of a schema that cannot be asked
		m.log.Warn("the former read models could not be removed", "dir", m.opts.Dir, "error", err)
	}
	return nil
}

func (m *Models) begin(why string) {
	m.builds.tell(func(b *Build) {
		b.Running, b.Why, b.Seq, b.Until, b.Began, b.Ended = true, why, 0, 0, time.Now(), time.Time{}
	})
	m.log.Info("read models are made", "dir", m.opts.Dir, "why", why)
}

// end notes what came of a build in place of was, and returns its error.
func (m *Models) end(ctx context.Context, was *file, err error) error {
	if err != nil && was != nil {
		err = &BuildError{err}
	}
	given := err != nil && ctx.Err() != nil // up, by who wanted it
	b := m.builds.tell(func(b *Build) {
		b.Running, b.Ended = false, time.Now()
		switch {
		case given:
		case err != nil:
			b.Failed, b.Err = b.Failed+1, err
		default:
			b.Made, b.Err, b.Seq = b.Made+1, nil, m.Position().Seq
		}
	})
	took := b.Ended.Sub(b.Began)
	switch {
	case given:
		m.log.Info("the making of read models was given up", "dir", m.opts.Dir, "why", b.Why, "seq", b.Seq, "took", took)
	case err != nil:
		m.log.Error("read models could not be made", "dir", m.opts.Dir, "why", b.Why, "seq", b.Seq, "took", took, "error", err)
	default:
		m.log.Info("new read models serve", "dir", m.opts.Dir, "why", b.Why, "seq", b.Seq, "took", took)
	}
	return err
}

// nearBy is how many events may be missing in a new file when the projector is
// held up until they are there: some milliseconds.
const nearBy = 64

// errReplaced: what a new file was to take the place of does not serve any more.
var errReplaced = errors.New("projections: the read models that were to be replaced do not serve any more")

// replace brings fresh to where the live file is, which has to be was, and has it
// serve. last is where the log was seen to end.
func (m *Models) replace(ctx context.Context, log Log, was, fresh *file, last uint64, r *Rebuilt) error {
	if err := durable.SyncDir(m.opts.Dir); err != nil { // before the former one may go
		return fmt.Errorf("projections: %w", err)
	}
	p, err := newProjector(fresh.write, log, false, m.opts)
	if err != nil {
		return err
	}
	if was != nil {
		if err := m.approach(ctx, log, p); err != nil {
			return err
		}
	}
	m.work.Lock()
	defer m.work.Unlock()
	m.mu.RLock()
	live, closed := m.live, m.closed
	m.mu.RUnlock()
	switch {
	case closed:
		return ErrClosed
	case live != was:
		return errReplaced
	}
	var at position
	if was != nil {
		if at, err = readPosition(was.write); err != nil {
			return err
		}
		if at.seq > last {
			if last, err = log.Last(ctx); err != nil {
				return fmt.Errorf("projections: %w", err)
			}
		}
		if err := p.readOn(ctx, log, min(at.seq, last)); err != nil {
			return err
		}
	}
	if r != nil {
		err = r.compare(was, fresh, at, p.at)
	} else if p.at.seq < at.seq { // only who asked for it is shown less than before
		err = &ForeignLogError{Seq: at.seq, Last: last}
	}
	if err != nil {
		return err
	}
	fresh.projector = p
	if p.view != nil {
		fresh.withheld.Store(p.view.withheld)
	}
	return m.install(fresh, log)
}

// approach reads after what the live file has more, until little is missing or it
// does not get less.
func (m *Models) approach(ctx context.Context, log Log, p *projector) error {
	for missing := uint64(math.MaxUint64); ; {
		last, err := log.Last(ctx)
		if err != nil {
			return fmt.Errorf("projections: %w", err)
		}
		to := min(m.Position().Seq, last)
		if to <= p.at.seq+nearBy || to-p.at.seq >= missing {
			return nil
		}
		missing = to - p.at.seq
		if err := p.readOn(ctx, log, to); err != nil {
			return err
		}
		m.builds.tell(func(b *Build) { b.Seq, b.Until = p.at.seq, to })
	}
}

// readOn projects the events up to sequence to.
func (p *projector) readOn(ctx context.Context, log Log, to uint64) error {
	return p.readUpTo(ctx, log, to, func(int, time.Time, eventstore.Record) error { return p.commit() })
}

// noneYet is why the first read models are made.
const noneYet = "there were no read models"

// ensure makes the read models when there are none. Where there are some it holds
// nothing up: a replay may begin at the same moment.
func (m *Models) ensure(ctx context.Context, log Log) error {
	if done, err := m.made(); done {
		return err
	}
	m.building.Lock()
	defer m.building.Unlock()
	if done, err := m.made(); done { // by who had the lock before
		return err
	}
	return m.build(ctx, log, noneYet, nil, nil)
}

// made reports whether there is nothing to make: there are read models, or with
// ErrClosed there will be none.
func (m *Models) made() (bool, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if m.closed {
		return true, ErrClosed
	}
	return m.live != nil, nil
}

package projections

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"github.com/milepost-ledger/milepost/eventstore"
	"github.com/milepost-ledger/milepost/eventstore/durable"
)

// load makes a new file from the log, up to sequence to, and opens it. What an
// interrupted load leaves behind is never opened.
func (m *Models) load(ctx context.Context, log Log, to uint64, progress func(done, total uint64)) (_ *file, err error) {
	m.generation++
	path := fileName(m.opts.Dir, m.generation)
	tmp := path + loading
	if err := os.Remove(tmp); err != nil && !os.IsNotExist(err) {
		return nil, fmt.Errorf("projections: %w", err)
	}
	defer collectLess()()
	for {
		var p *projector
		p, err = m.makeFile(ctx, log, to, tmp, progress, m.opts.Observe)
		if err != nil || p.view == nil || len(p.view.shown) == 0 {
			break
		}
		m.learn(p.view.shown)
		if err = os.Remove(tmp); err != nil {
			break
		}
	}
	if err == nil {
		err = os.Rename(tmp, path)
	}
	if err != nil {
		_ = os.Remove(tmp)
		return nil, fmt.Errorf("projections: make the read models: %w", err)
	}
	f, err := m.openFile(path)
	if err != nil {
		_ = os.Remove(path)
	}
	return f, err
}

// makeFile makes a complete file, with one sync at the end. The projector that it
// returns knows how far that is, and has no connection any more.
func (m *Models) makeFile(ctx context.Context, log source, to uint64, path string, progress func(done, total uint64), observe func(Batch)) (*projector, error) {
	p, err := m.fill(ctx, log, to, path, progress, observe)
	if err == nil {
		err = ofDisk(syncFile(path))
	}
	return p, err
}

// fill makes a file with the rows of the events of a log up to sequence to.
func (m *Models) fill(ctx context.Context, log source, to uint64, path string, progress func(done, total uint64), observe func(Batch)) (p *projector, err error) {
	defer func() { err = ofDisk(err) }()
	opts := m.opts
	if _, other := log.(*reordered); other {
		opts.View = nil // it is of events that the view has
	} else {
		opts.beforehand = m.known()
		opts.CacheParts = max(opts.CacheParts, opts.loadParts)
	}
	conn, err := createFile(path, opts.Ledger, opts.View != nil)
	if err != nil {
		return nil, fmt.Errorf("make %s: %w", path, err)
	}
	defer func() {
		if e := conn.Close(); err == nil {
			err = e
		}
	}()
	if p, err = newProjector(conn, log, true, opts); err != nil {
		return nil, err
	}
	defer p.aside.close()
	room := func() error { return durable.Room(m.opts.Dir) } // the log and what serves come first
	return p, p.load(ctx, log, to, path, room, progress, observe)
}

// collectLess lets garbage be collected less often until it is undone: a load
// and a replay make so much of it that this costs a fifth less time. The last of
// those that run at a time puts the setting back.
func collectLess() (undo func()) {
	collecting.Lock()
	defer collecting.Unlock()
	if collecting.less++; collecting.less == 1 {
		collecting.was = debug.SetGCPercent(400)
	}
	return func() {
		collecting.Lock()
		defer collecting.Unlock()
		if collecting.less--; collecting.less == 0 {
			debug.SetGCPercent(collecting.was)
		}
	}
}

var collecting struct {
	sync.Mutex
	less, was int
}

// load fills the new tables of the file at path with the events up to sequence to.
// The connection is not used meanwhile: the caches of a load are whole and look
// nothing up.
func (p *projector) load(ctx context.Context, log source, to uint64, path string, room func() error, progress func(done, total uint64), observe func(Batch)) error {
	l, err := newLoader(p.conn, path)
	if err != nil {
		return err
	}
	err = p.readAside(ctx, log, to, func(b *rowBuffer) error {
		if err := room(); err != nil {
			return err
		}
		return b.flush(p.chain, l.write)
	}, func(n int, start time.Time, last eventstore.Record) {
		if progress != nil {
			progress(p.at.seq, to)
		}
		if observe != nil {
			observe(Batch{Events: n, Rows: p.out.size, Seq: last.Seq, Duration: time.Since(start), Lag: time.Since(last.Stored)})
		}
	})
	if err == nil && p.out.size > 0 { // of a view of no events
		err = p.out.flush(p.chain, l.write)
	}
	if e := l.close(err == nil); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	p.out = &l.late
	if p.states.order != nil { // nothing is written to the file any more
		return p.commit()
	}
	if err := p.aside.copyTo(p.conn); err != nil {
		return err
	}
	return p.keepAll(ctx)
}

// readAside is readUpTo with a goroutine that writes the rows of a batch while
// those of the next are made. An error of its is about what came before, so it
// goes first.
func (p *projector) readAside(ctx context.Context, log source, to uint64, write func(*rowBuffer) error, done func(n int, start time.Time, last eventstore.Record)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	full, empty := make(chan *rowBuffer, 1), make(chan *rowBuffer, 2)
	empty <- &rowBuffer{}
	empty <- &rowBuffer{}
	written := make(chan error, 1)
	go func() {
		var err error
		for b := range full {
			if err == nil {
				if err = write(b); err != nil {
					cancel()
				}
			}
			b.reset()
			empty <- b
		}
		written <- err
	}()
	err := p.readUpTo(ctx, log, to, func(n int, start time.Time, last eventstore.Record) error {
		done(n, start, last)
		full <- p.out
		p.out = <-empty
		return nil
	})
	close(full)
	if e := <-written; e != nil {
		return e
	}
	return err
}

// readUpTo makes the rows of the events after the position up to sequence to,
// and calls done after each batch, and before an event that stops it for those
// that came before.
func (p *projector) readUpTo(ctx context.Context, log source, to uint64, done func(n int, start time.Time, last eventstore.Record) error) error {
	if p.at.seq >= to {
		return nil
	}
	next := p.next()
	read := func(ctx context.Context) iter.Seq2[[]eventstore.Record, error] {
		return log.ReadChunks(ctx, next, to, "")
	}
	for events, err := range decodeAhead(ctx, sourceOf(p.ledger), p.view.skips(), read) {
		start, n := time.Now(), 0
		if err == nil {
			n, err = p.applyAll(ctx, events)
		}
		if stop := (stopError{}); n > 0 && (err == nil || errors.As(err, &stop)) {
			if e := done(n, start, events[n-1].rec); e != nil {
				err = e
			}
		}
		if err != nil {
			return unwrapStop(err)
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if p.at.seq < to {
		return &GapError{Want: p.next(), Got: to}
	}
	return nil
}

func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

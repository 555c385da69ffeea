package projections

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/milepost-ledger/milepost/eventstore"
)

// Log is what the read models are made from; *eventstore.Store is one.
type Log interface {
	source
	// SubscribeChunks yields the records from a sequence on, for ever.
	SubscribeChunks(ctx context.Context, from uint64) iter.Seq2[[]eventstore.Record, error]
	Last(ctx context.Context) (uint64, error)
	Get(ctx context.Context, seq uint64) (eventstore.Record, error)
}

// source is what a projector reads of a log.
type source interface {
	// ReadChunks yields the records from one sequence to another.
	ReadChunks(ctx context.Context, from, to uint64, filter string) iter.Seq2[[]eventstore.Record, error]
	// Records yields the records at known sequences, in the order in which they
	// are given: of one subject, or of any where subject is "".
	Records(ctx context.Context, subject string, seqs []uint64) iter.Seq2[eventstore.Record, error]
}

var _ Log = (*eventstore.Store)(nil)

// Options say where the read models are and how to make them.
type Options struct {
	Dir      string           // for the SQLite files; made if it is not there
	Ledger   string           // name of the ledger
	Location *time.Location   // the ledger's time zone; nil is UTC
	Now      func() time.Time // nil is time.Now
	Logger   *slog.Logger     // nil discards
	// Observe, if set, is called after every commit by the projector, and must
	// return at once.
	Observe func(Batch)
	// Asked, if set, is called as a question begins to be answered, and what it
	// returns when it has been.
	Asked func(context.Context) (answered func())
	// CacheParts bounds the states that the projector remembers, counted in
	// aggregates and their parts; 0 means 1<<18, some 200 MB at most.
	CacheParts int
	// View is what the read models are of; nil is the whole ledger. Those of a
	// view have no Merkle trees, and are neither rebuilt nor held against the log.
	View *View
	// beforehand is what a new file of the view withholds from its beginning
	// beside what View says.
	beforehand []withheldEntity
	// loadParts is CacheParts while a view is made, which comes upon every
	// aggregate; 0 is CacheParts.
	loadParts int
	// turn is held by the one that is renewed of a ledger and its views.
	turn chan struct{}
}

// Batch describes one commit of the projector.
type Batch struct {
	Events   int
	Rows     int
	Seq      uint64        // the last event
	Duration time.Duration // of projecting and committing
	Lag      time.Duration // from when the last event was stored until its commit
}

// Models are the read models of one ledger. They are safe for use by many
// goroutines.
type Models struct {
	opts     Options
	location *time.Location
	now      func() time.Time
	log      *slog.Logger

	following sync.Mutex   // held by Follow: there is one at a time
	asked     sync.Mutex   // held by who was asked to rebuild or to replay: one at a time
	building  sync.Mutex   // held by whoever makes a new file, or replays
	work      sync.Mutex   // held while live.write and live.projector are used
	position  atomic.Value // Position

	effective effectiveFiles
	scope     *scope         // of the view; nil where there is none
	retired   sync.WaitGroup // files that serve no longer, while they are removed
	builds    builds

	mu         sync.RWMutex
	live       *file // nil until the first is made
	followed   Log   // that live is made from; nil before that is known
	generation int
	closed     bool
	moved      chan struct{}    // closed when position moves
	beforehand []withheldEntity // what a view has shown, or would, before it was restricted
}

// Open opens the read models in opts.Dir, if there are any that can be asked; Follow
// makes them where there are none, Renew where they are of a former version, and
// Rebuild whenever it is asked to. Nobody else may have them open.
func Open(ctx context.Context, opts Options) (*Models, error) {
	m := &Models{opts: opts, location: opts.Location, now: opts.Now, log: opts.Logger, moved: make(chan struct{})}
	if m.location == nil {
		m.location = time.UTC
	}
	m.opts.Location = m.location
	if m.now == nil {
		m.now = time.Now
	}
	if m.log == nil {
		m.log = slog.New(slog.DiscardHandler)
	}
	if m.opts.CacheParts <= 0 {
		m.opts.CacheParts = 1 << 18
	}
	if m.opts.turn == nil {
		m.opts.turn = make(chan struct{}, 1)
	}
	if opts.View != nil {
		m.scope = newScope(opts.Ledger, *opts.View)
	}
	m.position.Store(Position{Digest: digest{}.String()})
	if err := os.MkdirAll(opts.Dir, 0o750); err != nil {
		return nil, fmt.Errorf("projections: %w", err)
	}
	m.effective.init()
	if err := removeEffective(opts.Dir); err != nil {
		return nil, fmt.Errorf("projections: %w", err)
	}
	path, generation, err := newest(opts.Dir)
	if err != nil {
		return nil, fmt.Errorf("projections: %w", err)
	}
	m.generation = generation
	if path == "" {
		return m, ctx.Err()
	}
	f, err := m.openFile(path)
	if err != nil {
		return nil, fmt.Errorf("projections: %w; remove the file to have it made again from the log", err)
	}
	former, canBeAsked, err := f.judge(opts.Ledger, opts.View != nil)
	if err == nil && !canBeAsked { // the file stays until there is another
		m.log.Info("the read models cannot be asked, and will be made again", "file", path, "why", former)
		return m, f.close()
	}
	f.former = former
	if err == nil {
		err = ofDisk(readySnapshots(f.write))
	}
	if err == nil {
		err = m.install(f, nil)
	}
	if err != nil {
		_ = f.close()
		return nil, err
	}
	return m, ctx.Err()
}

// Close ends the questions under way and closes the files. Follow and Renew must
// have returned.
func (m *Models) Close() error {
	m.building.Lock()
	defer m.building.Unlock()
	m.work.Lock()
	defer m.work.Unlock()
	m.mu.Lock()
	f, again := m.live, m.closed
	m.live, m.closed = nil, true
	if !again {
		close(m.moved)
	}
	m.mu.Unlock()
	m.effective.close()
	m.retired.Wait()
	if f == nil {
		return nil
	}
	if err := f.keepAll(); err != nil { // the next start reads more of the log
		m.log.Warn("states of aggregates could not be kept", "error", err)
	}
	return f.close()
}

// readFrom notes that a log is the one that the read models are made from.
func (m *Models) readFrom(log Log) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.followed = log
	m.wake()
}

// install puts f in the place of the live file; log is the one that it was made
// from, nil where that is still to be seen. Only who holds work may call it, or
// who has just made m.
func (m *Models) install(f *file, log Log) error {
	at, err := readPosition(f.write)
	if err != nil {
		return err
	}
	m.mu.Lock()
	m.live, m.followed = f, log
	m.mu.Unlock()
	m.effective.forget() // they may be made from what f replaces
	m.publish(at)
	return nil
}

// acquire returns the live file, in use until its inUse is done, or a
// *BehindError when it has not reached seq.
func (m *Models) acquire(seq uint64) (*file, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if m.closed {
		return nil, ErrClosed
	}
	if p := m.Position(); m.live == nil || p.Seq < seq {
		return nil, &BehindError{Asked: seq, Reached: p.Seq, Err: p.Err}
	}
	m.live.inUse.Add(1)
	return m.live, nil
}

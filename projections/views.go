package projections

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Views are the read models of the views of one ledger: opened when somebody
// asks, kept up with the log, and closed when nobody has for long. They are safe
// for use by many goroutines.
type Views struct {
	main *Models
	log  Log
	opts ViewsOptions
	dir  string

	ctx     context.Context // ends when the views are closed
	cancel  context.CancelFunc
	running sync.WaitGroup // what follows, opens, closes

	mu     sync.Mutex
	open   map[string]*openView // by name
	closed bool
	clock  int // of uses
}

// ViewsOptions say where views are kept and how many.
type ViewsOptions struct {
	Dir    string        // views are in its directory views; "" is that of the main models
	Open   int           // at most so many are open, but for those in use; 0 is 16
	Idle   time.Duration // after which one that nobody uses is closed; 0 is 15 minutes
	Unused time.Duration // after which the files of one that was not open are removed, at start; 0 is 30 days
	Logger *slog.Logger  // nil discards
}

// viewCacheParts bounds what the projector of one view remembers.
const viewCacheParts = 1 << 14

// openView is a view that is being opened, is open, or is being closed. Views.mu
// guards what is below ended; models and err are there once opened is closed.
type openView struct {
	name   string
	target uint64 // it has to reach to be asked
	opened chan struct{}
	models *Models
	err    error              // why it was not opened
	cancel context.CancelFunc // ends following
	ended  chan struct{}      // closed when following has ended

	users  int           // whose context has not ended
	used   int           // when it was asked for last, by the clock of uses
	idle   *time.Timer   // closes it; nil while it is in use
	closed chan struct{} // closed when its files are; nil while it is not being closed
}

// NewViews returns the views of the ledger that main are the read models of, and
// log is the log of. It removes the files of views that have not been open for
// long.
func NewViews(main *Models, log Log, opts ViewsOptions) *Views {
	opts.Dir = cmp.Or(opts.Dir, main.opts.Dir)
	opts.Open = cmp.Or(opts.Open, 16)
	opts.Idle = cmp.Or(opts.Idle, 15*time.Minute)
	opts.Unused = cmp.Or(opts.Unused, 30*24*time.Hour)
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	v := &Views{main: main, log: log, opts: opts, dir: filepath.Join(opts.Dir, "views"), open: map[string]*openView{}}
	v.ctx, v.cancel = context.WithCancel(context.Background())
	if err := v.removeUnused(); err != nil {
		opts.Logger.Warn("views that nobody uses could not be removed", "dir", v.dir, "error", err)
	}
	return v
}

// removeUnused removes the files of views that have not been open for long. A
// view touches its directory when it is opened and closed.
func (v *Views) removeUnused() error {
	entries, err := os.ReadDir(v.dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		info, e2 := e.Info()
		if e2 != nil || !e.IsDir() || time.Since(info.ModTime()) < v.opts.Unused {
			continue
		}
		err = errors.Join(err, os.RemoveAll(filepath.Join(v.dir, e.Name())))
	}
	return err
}

// Of returns the read models of a view when they have come as far as those of the
// whole ledger were when it was opened; the first time they are made from the
// log. They are in use, and stay open, until ctx ends, so give it the context of
// the question. When that is before they have come so far the error is a
// *BehindError.
func (v *Views) Of(ctx context.Context, view View) (*Models, error) {
	if view.Whole() {
		return v.main, nil
	}
	for {
		o, closing, err := v.use(ctx, view)
		if err != nil {
			return nil, err
		}
		if closing != nil { // nobody else may have its files open
			select {
			case <-closing:
				continue
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		select {
		case <-o.opened:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if o.err != nil {
			return nil, o.err
		}
		if err := o.models.waitFollowed(ctx, o.target); err != nil {
			return nil, err
		}
		return o.models, nil
	}
}

// use returns an open view, in use until ctx ends, or what is closed when its
// files are.
func (v *Views) use(ctx context.Context, view View) (o *openView, closing <-chan struct{}, err error) {
	name := view.Name()
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.closed {
		return nil, nil, ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	o, ok := v.open[name]
	switch {
	case ok && o.closed != nil:
		return nil, o.closed, nil
	case !ok:
		o = &openView{name: name, opened: make(chan struct{}), ended: make(chan struct{}), target: v.main.Position().Seq}
		v.open[name] = o
		var following context.Context
		following, o.cancel = context.WithCancel(v.ctx)
		v.running.Go(func() { v.follow(following, o, view) })
	}
	v.clock++
	o.used = v.clock
	o.users++
	if o.idle != nil {
		o.idle.Stop()
		o.idle = nil
	}
	v.bound()
	context.AfterFunc(ctx, func() { v.release(o) })
	return o, nil, nil
}

// release ends a use.
func (v *Views) release(o *openView) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if o.users--; o.users > 0 || o.closed != nil || v.closed {
		return
	}
	o.idle = time.AfterFunc(v.opts.Idle, func() {
		v.mu.Lock()
		defer v.mu.Unlock()
		if o.users == 0 && o.idle != nil {
			v.shut(o)
		}
	})
	v.bound()
}

// bound closes what was used least recently, while too much is open.
func (v *Views) bound() {
	for {
		var last *openView
		open := 0
		for _, o := range v.open {
			if o.closed != nil {
				continue
			}
			open++
			if o.users == 0 && (last == nil || o.used < last.used) {
				last = o
			}
		}
		if open <= v.opts.Open || last == nil {
			return
		}
		v.shut(last)
	}
}

// shut has a view closed. Questions under way are answered before.
func (v *Views) shut(o *openView) {
	if o.closed != nil {
		return
	}
	if o.idle != nil {
		o.idle.Stop()
		o.idle = nil
	}
	o.closed = make(chan struct{})
	o.cancel()
	v.running.Go(func() {
		<-o.ended
		if o.models != nil {
			if err := o.models.Close(); err != nil {
				v.opts.Logger.Warn("a view could not be closed", "dir", o.models.opts.Dir, "error", err)
			}
			touch(o.models.opts.Dir)
		}
		v.mu.Lock()
		defer v.mu.Unlock()
		delete(v.open, o.name)
		close(o.closed)
	})
}

// follow opens a view and keeps it up with the log until ctx ends.
func (v *Views) follow(ctx context.Context, o *openView, view View) {
	defer close(o.ended)
	o.models, o.err = v.openModels(filepath.Join(v.dir, o.name), view)
	close(o.opened)
	if o.err != nil {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.shut(o) // so that the next to ask tries again
		return
	}
	var renewing sync.WaitGroup
	defer renewing.Wait()
	renewing.Go(func() { o.models.Renew(ctx, v.log) })
	for ctx.Err() == nil {
		if err := o.models.Follow(ctx, v.log); err != nil {
			v.opts.Logger.Error("a view does not keep up with the log", "dir", o.models.opts.Dir, "error", err)
		}
		select {
		case <-time.After(followAgain):
		case <-ctx.Done():
		}
	}
}

// followAgain is when a view is tried again that stopped following.
const followAgain = 5 * time.Second

// openModels opens the read models of a view. Files that cannot be opened are made
// again from the log like those that are not there.
func (v *Views) openModels(dir string, view View) (*Models, error) {
	of := v.main.opts
	opts := Options{
		Dir: dir, Ledger: of.Ledger, Location: of.Location, Now: of.Now, Logger: v.opts.Logger, Asked: of.Asked, CacheParts: viewCacheParts,
		loadParts: of.CacheParts, turn: of.turn, View: &view,
	}
	m, err := Open(context.Background(), opts)
	if err != nil {
		v.opts.Logger.Warn("a view is made anew", "dir", dir, "error", err)
		if err := os.RemoveAll(dir); err != nil {
			return nil, err
		}
		m, err = Open(context.Background(), opts)
	}
	if err == nil {
		touch(dir)
	}
	return m, err
}

// touch notes that a view is used.
func touch(dir string) {
	now := time.Now()
	_ = os.Chtimes(dir, now, now) // else it is removed sooner, and made again
}

// Open is how many views are open.
func (v *Views) Open() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return len(v.open)
}

// Close ends what follows the log and closes every view, when the questions under
// way are answered.
func (v *Views) Close() error {
	v.mu.Lock()
	v.closed = true
	for _, o := range v.open {
		v.shut(o)
	}
	v.mu.Unlock()
	v.cancel()
	v.running.Wait()
	return nil
}

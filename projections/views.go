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

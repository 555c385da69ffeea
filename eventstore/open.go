package eventstore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofrs/flock"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	defaultMaxPending = 4096
	openTimeout       = 30 * time.Second

	// An external server that hangs, or whose machine is cut off, does not close
	// its connections: one that has left a ping unanswered for two intervals is
	// given up for another of the cluster. The library's own way takes minutes.
	pingInterval = time.Second
	maxPings     = 2
)

// Store is one ledger's log. It is safe for use by many goroutines.
type Store struct {
	cfg    Config
	log    *slog.Logger
	stream string // name of the JetStream stream

	lock *flock.Flock // nil without Dir
	srv  embedded
	gate *gate // nil when the embedded server never listens

	staging *staging // of the embedded server, nil without

	// Two connections: the server answers direct gets in the loop that reads
	// the connection, so a reader on the writer's would hold up appends, and
	// a reader too slow for its connection would lose the writer's acks.
	write *nats.Conn
	read  *nats.Conn
	js    jetstream.JetStream // on read

	evidence jetstream.Stream // of the object store, on read

	commit *committer

	contentType []string                  // header value shared by all messages, nil for none
	roomSeen    atomic.Pointer[time.Time] // when there was room on the disk; nil before it was looked at
	syncAlways  string
	replicas    int
	timezone    string
	key         string
	metadata    map[string]string // of the stream; beforehand, what one that must be made gets as well
	copyOf      string            // the origin, of a copy; "" for the ledger itself
	claimed     bool              // by a Restore: nothing of the ledger was on the server before
	temporary   string            // directory that is removed by Close; "" for none

	lookedAfter sync.WaitGroup // the embedded server, or the connections to external ones
	stuckTime   time.Duration
	stallTime   time.Duration

	closing   chan struct{} // closed when Close begins
	closeOnce sync.Once
	closeErr  error
}

// Open locks the directory, starts the embedded server or connects to the
// external one, creates the stream if there is none, and checks its settings.
// The error is a *LockedError when another process has the directory and a
// *LossyStreamError when the stream or the server could lose records, an
// *UnfinishedRestoreError when a Restore has not ended there, and a
// *RestoredElsewhereError when only another server can tell whether one has; it is a
// *CopyError when the ledger is a copy and cfg.Follow does not say so, and a
// *NoCopyError the other way round.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	s, err := newStore(cfg)
	if err != nil {
		return nil, err
	}
	if err := s.start(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// newStore is a store that nothing was opened of yet.
func newStore(cfg Config) (*Store, error) {
	if err := CheckLedger(cfg.Ledger); err != nil {
		return nil, err
	}
	if cfg.Follow && cfg.URL == "" {
		return nil, errors.New("eventstore: a copy is on an external server: say which")
	}
	if cfg.URL == "" && cfg.Dir == "" {
		return nil, errors.New("eventstore: neither a directory nor a server given")
	}
	if err := checkListen(cfg); err != nil {
		return nil, err
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.MaxPending <= 0 {
		cfg.MaxPending = defaultMaxPending
	}
	s := &Store{cfg: cfg, log: cfg.Logger, stream: streamName(cfg.Ledger), stuckTime: stuckTime, stallTime: stallTime, closing: make(chan struct{})}
	if cfg.ContentType != "" {
		s.contentType = []string{cfg.ContentType}
	}
	return s, nil
}

// start opens the store, or releases what was opened of it.
func (s *Store) start(ctx context.Context) error {
	err := s.open(ctx)
	if err != nil {
		_ = s.release() // err says what matters
	}
	return err
}

func (s *Store) open(ctx context.Context) error {
	if err := s.takeLock(ctx); err != nil {
		return err
	}
	if s.cfg.URL == "" {
		if s.cfg.Listen != "" {
			s.gate = &gate{secret: newSecret()}
		}
		srv, err := startServer(s.cfg, s.gate)
		if err != nil {
			return err
		}
		s.srv.Store(srv)
	}
	// The embedded server has read its log by now, which takes the time that it takes.
	ctx, cancel := context.WithTimeoutCause(ctx, openTimeout, unanswered(openTimeout))
	defer cancel()
	if err := s.connect(ctx); err != nil {
		return err
	}
	if err := s.learnServer(ctx); err != nil {
		return err
	}
	if err := s.claim(ctx); err != nil {
		return err
	}
	if err := s.ensureStreams(ctx); err != nil {
		return err
	}
	if err := s.awaitAnswers(ctx); err != nil {
		return err
	}
	var end *tail
	if s.srv.Load() != nil {
		s.staging.inMemory()
		last, err := s.Last(ctx)
		if err == nil {
			end = &tail{last: last}
		}
	}
	c, err := startCommitter(s.write, s.cfg, s.log, s.staging, end)
	if err != nil {
		return err
	}
	s.commit = c
	s.write.SetDisconnectErrHandler(func(_ *nats.Conn, err error) {
		if err != nil {
			s.log.Warn("nats connection lost", "error", err)
		}
		c.disconnected()
	})
	switch {
	case s.srv.Load() != nil:
		s.lookedAfter.Go(s.lookAfter)
	case s.cfg.mark == "": // a Restore ends with its connection
		s.lookedAfter.Go(s.watch)
	}
	return nil
}

// Close stops taking appends, waits for those which were taken, and shuts
// everything down in order; the lock is released last. Iterators that are
// still running end with ErrClosed.
func (s *Store) Close() error {
	s.closeOnce.Do(func() {
		close(s.closing)
		s.lookedAfter.Wait()
		if s.commit != nil {
			s.commit.close()
		}
		s.closeErr = s.release()
	})
	return s.closeErr
}

// release undoes what open did, as far as it got.
func (s *Store) release() error {
	if s.gate != nil {
		s.gate.shut()
	}
	for _, nc := range []*nats.Conn{s.read, s.write} {
		if nc != nil {
			nc.Close()
		}
	}
	if srv := s.srv.Load(); srv != nil {
		srv.Shutdown()
		srv.WaitForShutdown()
		if err := s.staging.end(); err != nil {
			s.log.Warn("something is left of what was staged", "error", err)
		}
	}
	if s.lock != nil {
		if err := s.lock.Unlock(); err != nil {
			return fmt.Errorf("eventstore: unlock %s: %w", s.cfg.Dir, err)
		}
	}
	if s.temporary != "" {
		if err := os.RemoveAll(s.temporary); err != nil {
			return fmt.Errorf("eventstore: remove a copy: %w", err)
		}
	}
	return nil
}

func (s *Store) isClosing() bool {
	select {
	case <-s.closing:
		return true
	default:
		return false
	}
}

// Ledger is the name the store was opened with.
func (s *Store) Ledger() string { return s.cfg.Ledger }

// Metadata is what is recorded with the log, beside what the server keeps of
// its own: what Restore wants to make the same log again.
func (s *Store) Metadata() map[string]string { return ownMetadata(s.metadata) }

// ownMetadata is what of a stream's metadata belongs to the ledger, wherever it is.
func ownMetadata(all map[string]string) map[string]string {
	own := map[string]string{}
	for k, v := range all {
		if !strings.HasPrefix(k, "_nats.") && k != restoreKey {
			own[k] = v
		}
	}
	return own
}

// Timezone returns the IANA name of the ledger's time zone.
func (s *Store) Timezone() string { return s.timezone }

// Key is the public signing key that the log was created with, "" for one that
// was created without.
func (s *Store) Key() string { return s.key }

// Stream is the name of the JetStream stream.
func (s *Store) Stream() string { return s.stream }

func streamName(ledger string) string { return "milepost-" + ledger }

func streamSubjects(ledger string) string {
	return strings.Join([]string{subjectRoot, ledger, ">"}, ".")
}

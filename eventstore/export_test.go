package eventstore

import (
	"context"
	"time"
)

// Leads is leads.
var Leads = leads

// PublishEvidence writes one message to the store of evidence.
func (s *Store) PublishEvidence(ctx context.Context, subject string, data []byte) error {
	return s.readError(s.publishEvidence(ctx, subject, data))
}

// MoveOn has what the store reads through made anew, for tests that do not wait
// until a server is known to be cut off.
func (s *Store) MoveOn() { _ = s.read.ForceReconnect() }

// OpenImpatient is Open of a store that leaves a server through which no leader is
// heard after such a time.
func OpenImpatient(ctx context.Context, cfg Config, stuck time.Duration) (*Store, error) {
	s, err := newStore(cfg)
	if err != nil {
		return nil, err
	}
	s.stuckTime = stuck
	return s, s.start(ctx)
}

// Waiting is how many appends wait for others of their subjects.
func (s *Store) Waiting() int {
	s.commit.mu.Lock()
	defer s.commit.mu.Unlock()
	return s.commit.pending
}

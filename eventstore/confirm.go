package eventstore

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	// leaseTime is less than the time without a word from its leader after which
	// a server stands for election, 4 s, and more than that between two words, 1 s.
	leaseTime = 3 * time.Second

	confirmPause = 100 * time.Millisecond
)

// Confirm says that what the log's leader answered until now was the state of the
// log. One that was cut off from the others believes for some seconds that it
// leads, and answers, while they have chosen another and append: what it says is
// then an old state. So it must have heard from a majority of late. No append
// needs that, because a majority has to agree to it.
//
// The error is ErrUnavailable when no leader could show it in time.
func (s *Store) Confirm(ctx context.Context) error {
	if s.replicas <= 1 {
		return nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, readTimeout, fmt.Errorf("%w: its leader has not heard from the others", ErrUnavailable))
	defer cancel()
	for {
		ok, err := s.confirmed(ctx)
		if ok || err != nil {
			return err
		}
		select {
		case <-time.After(confirmPause):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// confirmed asks the leaders of the log and of the evidence.
func (s *Store) confirmed(ctx context.Context) (bool, error) {
	for _, stream := range s.streams() {
		info, _, err := s.streamInfo(ctx, stream)
		if err != nil {
			return false, fmt.Errorf("eventstore: confirm: %w", err)
		}
		if !leads(info) {
			return false, nil
		}
	}
	return true, nil
}

// streams are those that a ledger has: of its log, and of the evidence.
func (s *Store) streams() []string { return []string{s.stream, s.evidenceBucket().stream()} }

// leads says that who answered for a stream has heard from a majority of late.
func leads(info *jetstream.StreamInfo) bool {
	heard := 1 // itself
	if info.Cluster != nil {
		for _, r := range info.Cluster.Replicas {
			if !r.Offline && r.Active < leaseTime {
				heard++
			}
		}
	}
	return heard > info.Config.Replicas/2
}

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

// leads says that who answered for a stream leads it, and has heard from a majority
// of late. One that knows of no leader answers too, and names itself among the others;
// and one that has just come to know of one may, and names it among them.
func leads(info *jetstream.StreamInfo) bool {
	if info.Config.Replicas <= 1 {
		return true
	}
	c := info.Cluster
	if c == nil || c.Leader == "" {
		return false
	}
	heard := 1 // itself
	for _, r := range c.Replicas {
		switch {
		case r.Name == c.Leader:
			return false
		case !r.Offline && r.Active < leaseTime:
			heard++
		}
	}
	return heard > info.Config.Replicas/2
}

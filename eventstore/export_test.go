package eventstore

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"
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

// TearOff takes the last records from the log of a store that is closed, as a power
// cut does, and returns what is left: so many records.
func TearOff(cfg Config, records int) (left int, err error) {
	msgs := filepath.Join(streamDir(cfg.Dir, streamName(cfg.Ledger)), "msgs")
	blocks, err := blocksIn(msgs, streamName(cfg.Ledger))
	if err != nil {
		return 0, err
	}
	for i, b := range slices.Backward(blocks) {
		if b.bytes, err = os.ReadFile(b.path); err != nil {
			return 0, err
		}
		ends := []int{0}
		for r := range b.records(0) {
			ends, left = append(ends, r.end), int(r.seq)
		}
		gone := min(records, len(ends)-1)
		if err := os.Truncate(b.path, int64(ends[len(ends)-1-gone])); err != nil {
			return 0, err
		}
		if records -= gone; records == 0 {
			left -= gone
			break
		}
		if i > 0 {
			if err := os.Remove(b.path); err != nil {
				return 0, err
			}
		}
	}
	return left, os.Remove(filepath.Join(msgs, "index.db"))
}

// StagingLink, the marker of what is in memory and the name with which that begins.
func StagingLink(cfg Config) (link, marker, name string) {
	st := newStaging(cfg.Dir, streamName(cfg.Ledger), nil)
	return st.link(), st.marker(), st.name
}

// Settle does what is done about staged batches before a server is started.
func Settle(cfg Config) error {
	return newStaging(cfg.Dir, streamName(cfg.Ledger), slog.New(slog.DiscardHandler)).settle()
}

// Lose appends a message whose answer is lost.
func (s *Store) Lose(ctx context.Context, m Message) error {
	r, err := s.newRequest([]Message{m})
	if err != nil {
		return err
	}
	if _, err := s.js.PublishMsg(ctx, r.msgs[0]); err != nil {
		return err
	}
	s.commit.tail.landed(&flight{reqs: []*request{r}, messages: 1, err: &OutcomeUnknownError{Err: context.DeadlineExceeded}})
	return nil
}

// ReadFiles and ReadServer are the two ways to read a range. The first tells how far it
// came.
func (s *Store) ReadFiles(ctx context.Context, from, to uint64) (got []Record, next uint64) {
	next, _ = s.readFiles(ctx, span{from: from, to: to, headers: true}, func(chunk []Record, _ error) bool {
		got = append(got, chunk...)
		return true
	})
	return got, next
}

func (s *Store) ReadServer(ctx context.Context, from, to uint64) (got []Record, err error) {
	s.follow(ctx, span{from: from, to: to, headers: true}, func(chunk []Record, e error) bool {
		got, err = append(got, chunk...), e
		return true
	})
	return got, err
}

// StagingDisk has so much be free on disk where batches are staged in memory, until the
// test ends.
func StagingDisk(tb testing.TB, free int64) {
	was := stagingDisk
	stagingDisk = free
	tb.Cleanup(func() { stagingDisk = was })
}

// Followers is how many readers wait for the tail to grow.
func (s *Store) Followers() int {
	s.commit.tail.mu.Lock()
	defer s.commit.tail.mu.Unlock()
	return len(s.commit.tail.waiters)
}

// SetStall sets how long readers of a cluster get nothing before that is looked into.
func (s *Store) SetStall(stall time.Duration) { s.stallTime = stall }

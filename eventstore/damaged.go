package eventstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// The server does not tell a last record that it cannot read from one that is not
// there. Whoever took the one for the other would go on without what the log has.

// checkEmpty says whether a log without a last record is empty.
func (s *Store) checkEmpty(ctx context.Context) error {
	info, err := s.Info(ctx)
	if err != nil || info.Messages == 0 {
		return err
	}
	for seq := info.LastSeq; seq >= info.FirstSeq; seq-- {
		_, err := s.Get(ctx, seq)
		switch {
		case err == nil && seq == info.LastSeq: // it has come since
			return nil
		case err == nil:
			return &DamagedError{Seq: seq + 1, Last: info.LastSeq}
		case !errors.Is(err, ErrNotFound):
			return err
		}
	}
	return &DamagedError{Seq: info.FirstSeq, Last: info.LastSeq}
}

// checkNone says whether there is no record that a filter matches, where the last of
// them was not found. It returns the last where that has come since.
func (s *Store) checkNone(ctx context.Context, filter string) (uint64, error) {
	if there, err := s.hasSubjects(ctx, filter); err != nil || !there {
		return 0, err
	}
	last, _, err := s.lastRecord(ctx, filter)
	if err == nil || !errors.Is(err, ErrNotFound) {
		return last.Seq, err
	}
	info, err := s.Info(ctx)
	if err != nil {
		return 0, err
	}
	// The last one that can be read: there is one from any sequence up to it, and
	// none from any after it.
	from := uint64(1)
	for none := info.LastSeq + 1; from < none; {
		middle := from + (none-from)/2
		rec, err := s.getFromLeader(ctx, s.stream, fmt.Sprintf(`{"seq":%d,"next_by_subj":%q}`, middle, filter))
		switch {
		case err == nil:
			from = rec.Seq + 1
		case errors.Is(err, ErrNotFound):
			none = middle
		default:
			return 0, err
		}
	}
	return 0, &DamagedError{Seq: from, Last: info.LastSeq}
}

// hasSubjects asks whether the log has subjects that a filter matches.
func (s *Store) hasSubjects(ctx context.Context, filter string) (bool, error) {
	return ask(ctx, s, func(ctx context.Context, silence time.Duration) (bool, error) {
		ctx, cancel := context.WithTimeout(ctx, silence)
		defer cancel()
		stream, err := s.js.Stream(ctx, s.stream)
		if err != nil {
			return false, err
		}
		info, err := stream.Info(ctx, jetstream.WithSubjectFilter(filter))
		if err != nil {
			return false, err
		}
		return len(info.State.Subjects) > 0, nil
	})
}

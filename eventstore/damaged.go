package eventstore

import (
	"context"
	"errors"
	"fmt"
)

// The server does not tell a last record that it cannot read from one that is not
// there. Whoever took the one for the other would go on without what the log has.

// everything is the filter that matches the whole log, which the server answers without
// a search.
const everything = ">"

// hasAny says whether the log has records that a filter matches, also such as cannot be
// read.
func (s *Store) hasAny(ctx context.Context, filter string) (bool, error) {
	if filter == everything {
		info, _, err := s.streamInfo(ctx, s.stream)
		return err == nil && info.State.Msgs > 0, err
	}
	_, total, err := s.subjects(ctx, s.stream, filter, 0)
	return total > 0, err
}

// damage finds from where on no record that a filter matches can be read. There is one
// from any sequence up to the last that can, and none from any after it.
func (s *Store) damage(ctx context.Context, filter string) error {
	info, err := s.Info(ctx)
	if err != nil {
		return err
	}
	from, none := max(info.FirstSeq, 1), info.LastSeq+1
	for from < none {
		middle := from + (none-from)/2
		rec, err := s.getFromLeader(ctx, s.stream, fmt.Sprintf(`{"seq":%d,"next_by_subj":%q}`, middle, filter))
		switch {
		case err == nil:
			from = rec.Seq + 1
		case errors.Is(err, ErrNotFound):
			none = middle
		default:
			return err
		}
	}
	return &DamagedError{Seq: from, Last: info.LastSeq}
}

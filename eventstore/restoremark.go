package eventstore

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// On an external server a Restore makes the streams that a ledger has, under their
// names: so no other can make them. The metadata of both tells which Restore it was,
// and that of the log's whether it has ended. That it has is said last, and in one
// step, which is when there is a ledger. Only streams of a Restore that has not ended
// are ever deleted.
const (
	restoreKey = "milepost-restore"
	unfinished = "unfinished "
)

// mark is what the metadata of a stream tells of a Restore; the zero mark is nothing.
type mark struct {
	id         string
	unfinished bool // of a log's stream
}

func (m mark) String() string {
	if m.unfinished {
		return unfinished + m.id
	}
	return m.id
}

func markOf(cfg jetstream.StreamConfig) mark {
	id, is := strings.CutPrefix(cfg.Metadata[restoreKey], unfinished)
	return mark{id: id, unfinished: is}
}

// checkMark refuses the log's stream where a Restore of it has not ended; to that
// Restore, one that is not its own.
func (s *Store) checkMark(got jetstream.StreamConfig) error {
	switch m := markOf(got); {
	case s.cfg.mark == "" && m.unfinished:
		return &UnfinishedRestoreError{Ledger: s.cfg.Ledger}
	case s.cfg.mark != "" && m != mark{id: s.cfg.mark, unfinished: true}:
		return s.occupied("the log (stream " + s.stream + ")")
	}
	return nil
}

func (s *Store) occupied(has string) *OccupiedError {
	return &OccupiedError{Server: WithoutUser(s.cfg.URL), Ledger: s.cfg.Ledger, Has: has}
}

// endMark says on the server that the Restore has ended.
func (s *Store) endMark(ctx context.Context) error {
	ended := mark{id: s.cfg.mark}
	err := s.updateLog(ctx, func(cfg *jetstream.StreamConfig) (bool, error) {
		if markOf(*cfg) == ended { // asked again
			return false, nil
		}
		if err := s.checkMark(*cfg); err != nil {
			return false, err
		}
		cfg.Metadata[restoreKey] = ended.String()
		return true, nil
	})
	if err != nil {
		return fmt.Errorf("eventstore: say that the restored log is whole: %w", err)
	}
	return nil
}

// updateLog gives the log's stream other settings, where change says so. It asks again
// where there is no answer, as while a leader is chosen.
func (s *Store) updateLog(ctx context.Context, change func(*jetstream.StreamConfig) (bool, error)) error {
	_, err := ask(ctx, s, func(ctx context.Context, silence time.Duration) (struct{}, error) {
		ctx, cancel := context.WithTimeout(ctx, 2*silence)
		defer cancel()
		st, err := s.js.Stream(ctx, s.stream)
		if err != nil {
			return struct{}{}, err
		}
		cfg := st.CachedInfo().Config
		if changed, err := change(&cfg); err != nil || !changed {
			return struct{}{}, err
		}
		_, err = s.js.UpdateStream(ctx, cfg)
		return struct{}{}, err
	})
	return err
}

package eventstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// claim sees to it that an external server has nothing of the ledger that is to be
// restored there: it removes what a Restore left that was interrupted.
//
// One that goes on must be told from it, or two would remove each other's. So each
// listens, asks whether there is another before it looks, and ends with its connection:
// what is heard on that is alive. Of two that begin at once at least one hears the other;
// where both do, neither goes on. In a cluster it takes a moment before each server
// knows who listens: then one of the two makes the stream, and the other is refused, or
// finds an unfinished one and asks again when that moment is over.
func (s *Store) claim(ctx context.Context) error {
	if s.cfg.mark == "" {
		return nil
	}
	if err := s.listen(ctx); err != nil {
		return err
	}
	if err := s.beAlone(ctx); err != nil {
		return err
	}
	log, err := s.configOf(ctx, s.stream)
	if err != nil {
		return err
	}
	bucket := s.evidenceBucket().stream()
	evidence, err := s.configOf(ctx, bucket)
	if err != nil {
		return err
	}
	switch {
	case log == nil && evidence == nil:
	case log != nil && log.Mirror != nil:
		return s.occupied("a copy (stream " + s.stream + ")")
	case log != nil && !markOf(*log).unfinished:
		return s.occupied("the log (stream " + s.stream + ")")
	case log == nil, evidence != nil && markOf(*evidence).id != markOf(*log).id:
		return s.occupied("evidence (stream " + bucket + ")")
	default:
		if err := settled(ctx); err != nil {
			return err
		}
		if err := s.beAlone(ctx); err != nil { // whose it is may not have been heard before
			return err
		}
		s.log.Warn("what a restore left that did not come to its end is removed", "stream", s.stream)
		if err := s.withdraw(ctx, markOf(*log).id); err != nil {
			return err
		}
		if err := settled(ctx); err != nil {
			return err
		}
	}
	s.claimed = true
	return nil
}

// tailPause is more than the servers of a cluster take to know who listens, and than one
// takes to work off what a client had sent that was killed: records that come then find
// no stream, and not one in which they break the same batch that is restored again.
const tailPause = time.Second

// settled waits until that is over.
func settled(ctx context.Context) error {
	select {
	case <-time.After(tailPause):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// restoring is the subject on which a Restore is heard, beside those of the ledger.
func (s *Store) restoring() string { return subjectRoot + "-restoring." + s.cfg.Ledger }

// listen has all who restore the ledger hear that this one is there.
func (s *Store) listen(ctx context.Context) error {
	_, err := s.read.Subscribe(s.restoring(), func(m *nats.Msg) { _ = m.Respond(nil) })
	if err == nil {
		err = s.read.FlushWithContext(ctx)
	}
	if err != nil {
		return fmt.Errorf("eventstore: restore: %w", s.readError(err))
	}
	return nil
}

// beAlone refuses if another is heard.
func (s *Store) beAlone(ctx context.Context) error {
	// Without an answer it may just have ended, and else it hangs.
	alone, err := query(ctx, s, func(ctx context.Context) (bool, error) {
		_, err := s.read.RequestWithContext(ctx, s.restoring(), nil) // it does not hear itself
		if errors.Is(err, nats.ErrNoResponders) {
			return true, nil
		}
		return false, err
	})
	switch {
	case alone:
		return nil
	case err == nil, errors.Is(err, ErrUnavailable) && s.read.IsConnected():
		busy := s.occupied("")
		busy.Busy = true
		return busy
	default:
		return fmt.Errorf("eventstore: restore: %w", err)
	}
}

// configOf is the configuration of a stream, nil where there is none.
func (s *Store) configOf(ctx context.Context, stream string) (*jetstream.StreamConfig, error) {
	info, _, err := s.streamInfo(ctx, stream)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("eventstore: stream %s: %w", stream, err)
	}
	return &info.Config, nil
}

// errRestored says that a Restore came to its end, and did not hear so.
var errRestored = errors.New("eventstore: the log is restored all the same: open it in this directory, which does the rest")

// withdraw deletes the streams of a Restore that has not ended; the log's last, as it
// says whose the other is.
func (s *Store) withdraw(ctx context.Context, id string) error {
	log, err := s.configOf(ctx, s.stream)
	if err != nil || log == nil || markOf(*log).id != id {
		return err
	}
	if !markOf(*log).unfinished {
		return errRestored
	}
	bucket := s.evidenceBucket().stream()
	evidence, err := s.configOf(ctx, bucket)
	if err != nil {
		return err
	}
	if evidence != nil && markOf(*evidence).id == id {
		if err := s.deleteStream(ctx, bucket); err != nil {
			return err
		}
	}
	return s.deleteStream(ctx, s.stream)
}

func (s *Store) deleteStream(ctx context.Context, name string) error {
	_, err := ask(ctx, s, func(ctx context.Context, silence time.Duration) (struct{}, error) {
		ctx, cancel := context.WithTimeout(ctx, 2*silence)
		defer cancel()
		err := s.js.DeleteStream(ctx, name)
		if errors.Is(err, jetstream.ErrStreamNotFound) { // asked again
			err = nil
		}
		return struct{}{}, err
	})
	if err != nil {
		return fmt.Errorf("eventstore: remove the unfinished stream %s: %w", name, err)
	}
	return nil
}

package eventstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	// readTimeout bounds one question to the server.
	readTimeout = 10 * time.Second

	// silence is how long an answer may take at first, before the question is
	// asked again; then twice as long each time.
	silence = time.Second

	// slowly is how many times longer an answer may take for which a server looks at
	// all of a stream, or itself waits 4 s for others.
	slowly = 5

	electionPause = 100 * time.Millisecond

	// mostAnswers is more than any question has. A subscription makes room for so many
	// when it begins, and the room that the client library makes by itself takes longer
	// than the answer.
	mostAnswers = 2048
)

func unanswered(after time.Duration) error {
	return fmt.Errorf("%w: no answer in %v", ErrUnavailable, after)
}

// ask puts a question until it is answered. In a cluster one may go to a server
// that hangs, or that is cut off, and then there is never an answer to it; asked
// again it goes to another, or to the leader that was chosen meanwhile. question
// gives up when it has heard nothing for as long as it is told.
//
// The error is ErrUnavailable when there was no answer in time.
func ask[T any](ctx context.Context, s *Store, question func(ctx context.Context, silence time.Duration) (T, error)) (T, error) {
	var none T
	ctx, cancel := context.WithTimeoutCause(ctx, readTimeout, unanswered(readTimeout))
	defer cancel()
	for wait := silence; ; {
		if s.isClosing() {
			return none, ErrClosed
		}
		answer, err := question(ctx, wait)
		pause := time.Duration(0)
		switch {
		case err == nil:
			return answer, nil
		case ctx.Err() != nil:
			return none, context.Cause(ctx)
		case errors.Is(err, context.DeadlineExceeded), errors.Is(err, nats.ErrTimeout):
			wait *= 2
		case apiCode(err) == codeNoLeader, errors.Is(err, nats.ErrDisconnected), errors.Is(err, errShort):
			pause = electionPause
		default:
			return none, s.readError(err)
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return none, context.Cause(ctx)
		}
	}
}

// query is ask for what a server answers at once.
func query[T any](ctx context.Context, s *Store, question func(context.Context) (T, error)) (T, error) {
	return queryLong(ctx, s, 1, question)
}

// queryLong is query for an answer that may take several times as long.
func queryLong[T any](ctx context.Context, s *Store, times time.Duration, question func(context.Context) (T, error)) (T, error) {
	return ask(ctx, s, func(ctx context.Context, silence time.Duration) (T, error) {
		ctx, cancel := context.WithTimeout(ctx, times*silence)
		defer cancel()
		return question(ctx)
	})
}

// awaitAnswers waits until the log is answered for: the servers of a cluster say that
// a stream is there before any of them listens for what is asked of it.
func (s *Store) awaitAnswers(ctx context.Context) error {
	for {
		_, err := s.aggregatePage(ctx, silence, Subject(s.cfg.Ledger, LedgerWide, "log", "any"), 1)
		if !errors.Is(err, nats.ErrNoResponders) {
			return nil // what else is the matter is told to whoever asks
		}
		select {
		case <-time.After(electionPause):
		case <-ctx.Done():
			return fmt.Errorf("eventstore: nobody answers for the log: %w", s.readError(err))
		}
	}
}

// streamInfo asks the leader of a stream how it is, and tells how far the clock of
// this process is ahead of its clock.
func (s *Store) streamInfo(ctx context.Context, stream string) (info *jetstream.StreamInfo, skew time.Duration, err error) {
	info, err = query(ctx, s, func(ctx context.Context) (*jetstream.StreamInfo, error) {
		asked := time.Now()
		st, err := s.js.Stream(ctx, stream)
		if err != nil {
			return nil, err
		}
		here := s.cfg.Now().Add(-time.Since(asked) / 2) // when it answered, about
		skew = here.Sub(st.CachedInfo().TimeStamp)
		return st.CachedInfo(), nil
	})
	return info, skew, err
}

// subjects are those of a stream that a filter matches, from the offset on as many as the
// leader lists in one answer, and how many there are in all.
func (s *Store) subjects(ctx context.Context, stream, filter string, offset int) (page iter.Seq[string], total int, err error) {
	request, err := json.Marshal(map[string]any{"subjects_filter": filter, "offset": offset})
	if err != nil {
		return nil, 0, err
	}
	type list struct {
		Error *jetstream.APIError `json:"error"`
		Total int                 `json:"total"`
		State struct {
			Subjects map[string]uint64 `json:"subjects"`
		} `json:"state"`
	}
	answer, err := queryLong(ctx, s, slowly, func(ctx context.Context) (answer list, err error) {
		msg, err := s.read.RequestWithContext(ctx, "$JS.API.STREAM.INFO."+stream, request)
		if err != nil {
			return answer, err
		}
		if err := json.Unmarshal(msg.Data, &answer); err != nil {
			return answer, fmt.Errorf("answer not understood: %w", err)
		}
		if answer.Error != nil {
			return answer, answer.Error
		}
		return answer, nil
	})
	return maps.Keys(answer.State.Subjects), answer.Total, err
}

// readError turns a connection's error into one of this package.
func (s *Store) readError(err error) error {
	switch {
	case errors.Is(err, nats.ErrConnectionClosed) || s.isClosing():
		return ErrClosed
	case errors.Is(err, nats.ErrNoResponders), errors.Is(err, jetstream.ErrNoStreamResponse), errors.Is(err, nats.ErrTimeout), errors.Is(err, nats.ErrDisconnected),
		errors.Is(err, nats.ErrReconnectBufExceeded), apiCode(err) == codeNoLeader:
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	case isNoRoom(err):
		return fmt.Errorf("%w: %w", ErrNoRoom, err)
	default:
		return err
	}
}

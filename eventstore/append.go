package eventstore

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Message is one record to be.
type Message struct {
	// Subject is the aggregate's literal subject, see [Subject].
	Subject string
	// Data is stored byte for byte. It belongs to the store from then on, and to
	// those who subscribe in this process: it must not change any more.
	Data []byte
	// ID is the Nats-Msg-Id header; "" leaves it out. A second message with
	// the id within DuplicateWindow is refused.
	ID string
	// Expect is the sequence of the last record of Subject before this
	// append, 0 if there must be none. It is checked on the first message of
	// each subject in an append and ignored on the others.
	Expect uint64
}

// AppendStats describes one commit: one atomic batch or one plain publish.
type AppendStats struct {
	Messages int
	Appends  int  // how many calls of Append shared the commit
	Batch    bool // an atomic batch
	Duration time.Duration
	Err      string // "", conflict, duplicate, unknown, unavailable, no-room or rejected
}

// Append writes all of msgs or none, with the contiguous sequences first,
// first+1, and so on. When it returns without error they are on disk (on a
// quorum of disks, in a cluster) and no reader will ever see the log without
// them.
//
// The errors are those of errors.go. All of them but *OutcomeUnknownError
// mean that nothing was written; so does the context's own error, which is
// returned when the context ends before the append was sent. When it ends
// later, the error is an *OutcomeUnknownError that wraps it.
//
// Appends of many goroutines share commits. An append waits for an earlier one
// of this store on the same subject; its expectation is judged after that.
func (s *Store) Append(ctx context.Context, msgs []Message) (first uint64, err error) {
	if err := s.Writable(); err != nil {
		return 0, err
	}
	r, err := s.newRequest(msgs)
	if err != nil {
		return 0, err
	}
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if err := s.room(); err != nil {
		return 0, err
	}
	if err := s.commit.submit(r); err != nil {
		return 0, err
	}
	select {
	case res := <-r.done:
		return res.first, res.err
	case <-ctx.Done():
		if r.state.CompareAndSwap(requestWaiting, requestAbandoned) {
			s.commit.left()
			return 0, ctx.Err()
		}
		return 0, &OutcomeUnknownError{Err: ctx.Err()}
	}
}

// request is one call of Append on its way through the committer, which owns
// every field but state and done.
type request struct {
	msgs     []*nats.Msg // headers of expectation and id are set
	subjects []string    // distinct, in order of first use
	expect   []uint64    // of subjects
	bytes    int

	state atomic.Int32
	done  chan result // one result, never blocks
}

// The life of a request. Only the committer moves it to sent, only its caller
// to abandoned, and only one of the two can happen.
const (
	requestWaiting int32 = iota
	requestSent
	requestAbandoned
)

type result struct {
	first uint64
	err   error
}

// msgOverhead is what a message costs on the wire beside its data, about.
const msgOverhead = 256

func (s *Store) newRequest(msgs []Message) (*request, error) {
	if len(msgs) == 0 {
		return nil, errors.New("eventstore: nothing to append")
	}
	if len(msgs) > MaxMessages {
		return nil, fmt.Errorf("%w: %d messages, at most %d", ErrTooLarge, len(msgs), MaxMessages)
	}
	r := &request{
		msgs: make([]*nats.Msg, len(msgs)),
		done: make(chan result, 1),
	}
	var seen map[string]struct{}
	if len(msgs) > 1 {
		seen = make(map[string]struct{}, len(msgs))
	}
	for i := range msgs {
		m := &msgs[i]
		if err := checkSubject(s.cfg.Ledger, m.Subject); err != nil {
			return nil, err
		}
		if len(m.Data) > MaxData {
			return nil, fmt.Errorf("%w: a message of %d bytes, at most %d", ErrTooLarge, len(m.Data), MaxData)
		}
		if err := checkID(m.ID); err != nil {
			return nil, err
		}
		h := make(nats.Header, 6)
		if m.ID != "" {
			h[jetstream.MsgIDHeader] = []string{m.ID}
		}
		if s.contentType != nil {
			h["Content-Type"] = s.contentType
		}
		_, again := seen[m.Subject]
		if !again {
			h[jetstream.ExpectedLastSubjSeqHeader] = []string{strconv.FormatUint(m.Expect, 10)}
			r.subjects = append(r.subjects, m.Subject)
			r.expect = append(r.expect, m.Expect)
			if seen != nil {
				seen[m.Subject] = struct{}{}
			}
		}
		r.msgs[i] = &nats.Msg{Subject: m.Subject, Header: h, Data: m.Data}
		r.bytes += len(m.Data) + msgOverhead
	}
	return r, nil
}

const maxID = 256

// checkID refuses ids that would break out of the header or be cut by it.
func checkID(id string) error {
	if len(id) > maxID {
		return fmt.Errorf("eventstore: message id longer than %d bytes", maxID)
	}
	for i := 0; i < len(id); i++ {
		if id[i] <= ' ' || id[i] == 0x7f {
			return fmt.Errorf("eventstore: message id %q has a space or control character", id)
		}
	}
	return nil
}

// fail is the error a caller sees for what the server said of its append.
func (r *request) fail(err error) error {
	switch {
	case isConflict(err):
		return &ConflictError{Subject: r.subjects[0], Expected: r.expect[0]}
	case isDuplicate(err):
		return &DuplicateError{ID: r.id()}
	case isNoRoom(err):
		return fmt.Errorf("%w: %w", ErrNoRoom, err)
	default:
		return err
	}
}

func (r *request) id() string {
	if len(r.msgs) == 1 {
		return r.msgs[0].Header.Get(jetstream.MsgIDHeader)
	}
	return ""
}

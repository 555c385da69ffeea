package eventstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
)

// recordsAhead is how many records Records asks for before the first has come.
const recordsAhead = 64

// Records yields the records at sequences that an index of the caller knows,
// in the order in which they are given: those of one subject, or of any where
// subject is empty. [Store.Aggregate] finds them by itself, but the server
// looks at every record between the first and the last of a subject for that,
// so its cost grows with the log; this one's does not.
//
// It fails when there is no record at a sequence, or one of another subject:
// the index is then not of this log.
func (s *Store) Records(ctx context.Context, subject string, seqs []uint64) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		if len(seqs) == 0 {
			return
		}
		fail := func(err error) {
			yield(Record{}, fmt.Errorf("eventstore: records of %s: %w", cmp.Or(subject, "any subject"), s.readError(err)))
		}
		if s.isClosing() {
			fail(ErrClosed)
			return
		}
		inbox := s.read.NewInbox()
		sub, err := s.read.SubscribeSync(inbox + ".*")
		if err != nil {
			fail(err)
			return
		}
		defer func() { _ = sub.Unsubscribe() }()

		early := map[uint64]*nats.Msg{} // answers of replicas come in any order
		asked, wait := 0, silence
		for i, seq := range seqs {
			for ; asked < len(seqs) && asked < i+recordsAhead; asked++ {
				n := strconv.FormatUint(seqs[asked], 10)
				if err := s.read.PublishRequest("$JS.API.DIRECT.GET."+s.stream, inbox+"."+n, []byte(`{"seq":`+n+`}`)); err != nil {
					fail(err)
					return
				}
			}
			rec, err := s.recordAt(ctx, sub, early, seq, wait)
			if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil { // whoever should answer hangs
				wait = time.Millisecond // as it will have got more of the questions
				rec, err = s.Get(ctx, seq)
			}
			if err == nil && subject != "" && rec.Subject != subject {
				err = fmt.Errorf("sequence %d is of %s", seq, rec.Subject)
			}
			if err != nil {
				fail(err)
				return
			}
			if !yield(rec, nil) {
				return
			}
		}
	}
}

// recordAt waits for the answer to the question for seq, unless all is silent so long.
func (s *Store) recordAt(ctx context.Context, sub *nats.Subscription, early map[uint64]*nats.Msg, seq uint64, silence time.Duration) (Record, error) {
	m := early[seq]
	delete(early, seq)
	for m == nil {
		next, err := nextWithin(ctx, sub, silence)
		if err != nil {
			return Record{}, err
		}
		of, err := strconv.ParseUint(next.Subject[strings.LastIndexByte(next.Subject, '.')+1:], 10, 64)
		switch {
		case err != nil:
			return Record{}, errors.New("answer not understood")
		case of == seq:
			m = next
		default:
			early[of] = next
		}
	}
	switch status := m.Header.Get("Status"); status {
	case "":
	case "404": // or this replica lags behind
		return s.Get(ctx, seq)
	case "503":
		return Record{}, nats.ErrNoResponders
	default:
		return Record{}, fmt.Errorf("status %s %s", status, m.Header.Get("Description"))
	}
	rec := Record{Seq: number(m.Header, "Nats-Sequence"), Subject: m.Header.Get("Nats-Subject"), Data: m.Data}
	var err error
	if rec.Stored, err = time.Parse(time.RFC3339Nano, m.Header.Get("Nats-Time-Stamp")); err != nil || rec.Seq != seq {
		return Record{}, errors.New("answer not understood")
	}
	return rec, nil
}

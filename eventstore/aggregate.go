package eventstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
)

// aggregatePage is how many records one request asks for. The server holds
// up appends while it answers, so a long aggregate is read in pages.
const aggregatePage = 256

// errShort says that a page of an aggregate came without its end, or with a
// hole.
var errShort = errors.New("the answer was cut short")

// Aggregate yields the records of one literal subject from sequence from on,
// as far as they are written when it looks.
//
// In a cluster a replica may answer that lags behind by a moment; an append
// with the sequence it showed as its expectation then conflicts, and nothing
// is harmed.
func (s *Store) Aggregate(ctx context.Context, subject string, from uint64) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		if err := checkSubject(s.cfg.Ledger, subject); err != nil {
			yield(Record{}, err)
			return
		}
		from := max(from, 1)
		for {
			page, more, err := s.aggregatePage(ctx, subject, from)
			if err != nil {
				yield(Record{}, fmt.Errorf("eventstore: aggregate %s: %w", subject, s.readError(err)))
				return
			}
			for _, r := range page {
				if !yield(r, nil) {
					return
				}
				from = r.Seq + 1
			}
			if !more {
				return
			}
		}
	}
}

// aggregatePage makes one batched direct get. JetStream ends such an answer
// with a status of its own; without that the page is not whole, whatever came.
func (s *Store) aggregatePage(ctx context.Context, subject string, from uint64) (page []Record, more bool, err error) {
	if s.isClosing() {
		return nil, false, ErrClosed
	}
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	request, err := json.Marshal(struct {
		Seq   uint64 `json:"seq"`
		Next  string `json:"next_by_subj"`
		Batch int    `json:"batch"`
	}{from, subject, aggregatePage})
	if err != nil {
		return nil, false, err
	}
	inbox := s.read.NewInbox()
	sub, err := s.read.SubscribeSync(inbox)
	if err != nil {
		return nil, false, err
	}
	defer func() { _ = sub.Unsubscribe() }()
	if err := s.read.PublishRequest("$JS.API.DIRECT.GET."+s.stream, inbox, request); err != nil {
		return nil, false, err
	}
	var last uint64
	for {
		m, err := sub.NextMsgWithContext(ctx)
		if err != nil {
			return nil, false, err
		}
		switch status := m.Header.Get("Status"); {
		case status == "204": // end of batch
			if end := number(m.Header, "Nats-Last-Sequence"); end != last {
				return nil, false, fmt.Errorf("%w: at %d, ends with %d", errShort, last, end)
			}
			return page, number(m.Header, "Nats-Num-Pending") > 0, nil
		case status == "404" && len(page) == 0:
			return nil, false, nil
		case status == "503":
			return nil, false, nats.ErrNoResponders
		case status != "":
			return nil, false, fmt.Errorf("status %s %s", status, m.Header.Get("Description"))
		}
		if before := number(m.Header, "Nats-Last-Sequence"); before != last {
			return nil, false, fmt.Errorf("%w: at %d, goes on after %d", errShort, last, before)
		}
		rec := Record{Seq: number(m.Header, "Nats-Sequence"), Subject: m.Header.Get("Nats-Subject"), Data: m.Data}
		if rec.Stored, err = time.Parse(time.RFC3339Nano, m.Header.Get("Nats-Time-Stamp")); err != nil || rec.Seq < from || rec.Subject != subject {
			return nil, false, errors.New("answer not understood")
		}
		last = rec.Seq
		page = append(page, rec)
	}
}

func number(h nats.Header, key string) uint64 {
	n, _ := strconv.ParseUint(h.Get(key), 10, 64)
	return n
}

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
// In a cluster a page may be answered by a replica that lags behind, so the
// leader is asked for what comes after the last one: whatever was acknowledged
// before is there, as far as [Store.Ends] agrees.
func (s *Store) Aggregate(ctx context.Context, subject string, from uint64) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		if err := checkSubject(s.cfg.Ledger, subject); err != nil {
			yield(Record{}, err)
			return
		}
		from := max(from, 1)
		for {
			p, err := ask(ctx, s, func(ctx context.Context, silence time.Duration) (page, error) {
				return s.aggregatePage(ctx, silence, subject, from)
			})
			if err != nil {
				yield(Record{}, fmt.Errorf("eventstore: aggregate %s: %w", subject, err))
				return
			}
			for _, r := range p.records {
				if !yield(r, nil) {
					return
				}
				from = r.Seq + 1
			}
			if !p.more {
				break
			}
		}
		for s.replicas > 1 {
			r, err := s.getFromLeader(ctx, s.stream, fmt.Sprintf(`{"seq":%d,"next_by_subj":%q}`, from, subject))
			if errors.Is(err, ErrNotFound) {
				return
			}
			if err != nil {
				yield(Record{}, fmt.Errorf("eventstore: aggregate %s: %w", subject, err))
				return
			}
			if !yield(r, nil) {
				return
			}
			from = r.Seq + 1
		}
	}
}

// page is a part of an aggregate.
type page struct {
	records []Record
	more    bool
}

// aggregatePage makes one batched direct get. JetStream ends such an answer
// with a status of its own; without that the page is not whole, whatever came.
func (s *Store) aggregatePage(ctx context.Context, silence time.Duration, subject string, from uint64) (p page, err error) {
	request, err := json.Marshal(struct {
		Seq   uint64 `json:"seq"`
		Next  string `json:"next_by_subj"`
		Batch int    `json:"batch"`
	}{from, subject, aggregatePage})
	if err != nil {
		return page{}, err
	}
	inbox := s.read.NewInbox()
	sub, err := s.read.SubscribeSync(inbox)
	if err != nil {
		return page{}, err
	}
	defer func() { _ = sub.Unsubscribe() }()
	if err := s.read.PublishRequest("$JS.API.DIRECT.GET."+s.stream, inbox, request); err != nil {
		return page{}, err
	}
	var last uint64
	for {
		m, err := nextWithin(ctx, sub, silence)
		if err != nil {
			return page{}, err
		}
		switch status := m.Header.Get("Status"); {
		case status == "204": // end of batch
			if end := number(m.Header, "Nats-Last-Sequence"); end != last {
				return page{}, fmt.Errorf("%w: at %d, ends with %d", errShort, last, end)
			}
			p.more = number(m.Header, "Nats-Num-Pending") > 0
			return p, nil
		case status == "404" && len(p.records) == 0:
			return page{}, nil
		case status == "503":
			return page{}, nats.ErrNoResponders
		case status != "":
			return page{}, fmt.Errorf("status %s %s", status, m.Header.Get("Description"))
		}
		if before := number(m.Header, "Nats-Last-Sequence"); before != last {
			return page{}, fmt.Errorf("%w: at %d, goes on after %d", errShort, last, before)
		}
		rec := Record{Seq: number(m.Header, "Nats-Sequence"), Subject: m.Header.Get("Nats-Subject"), Data: m.Data}
		if rec.Stored, err = time.Parse(time.RFC3339Nano, m.Header.Get("Nats-Time-Stamp")); err != nil || rec.Seq < from || rec.Subject != subject {
			return page{}, errors.New("answer not understood")
		}
		last = rec.Seq
		p.records = append(p.records, rec)
	}
}

// nextWithin is the next answer on a subscription, unless it is silent so long.
func nextWithin(ctx context.Context, sub *nats.Subscription, silence time.Duration) (*nats.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, silence)
	defer cancel()
	return sub.NextMsgWithContext(ctx)
}

func number(h nats.Header, key string) uint64 {
	n, _ := strconv.ParseUint(h.Get(key), 10, 64)
	return n
}

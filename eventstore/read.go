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
	"github.com/nats-io/nats.go/jetstream"
)

// Record is one stored message.
type Record struct {
	Seq     uint64
	Subject string
	Data    []byte
	// Stored is when the server stored it; for who subscribes to what this store
	// appends, when it was acknowledged. Clocks step: it is for people, never for
	// order.
	Stored time.Time
	// Headers are those of the message. Only ReadStored fills them in.
	Headers map[string][]string
}

// Get returns the record with that sequence, or ErrNotFound.
func (s *Store) Get(ctx context.Context, seq uint64) (Record, error) {
	if seq == 0 {
		return Record{}, ErrNotFound
	}
	rec, err := s.getFromLeader(ctx, s.stream, fmt.Sprintf(`{"seq":%d}`, seq))
	if err != nil && !errors.Is(err, ErrNotFound) {
		return Record{}, fmt.Errorf("eventstore: get %d: %w", seq, err)
	}
	return rec, err
}

// Last is the last sequence of the log, 0 if it is empty. It never points
// into the middle of an append. The error is a *DamagedError when there is a last
// record and it cannot be read.
func (s *Store) Last(ctx context.Context) (uint64, error) {
	return s.lastMatching(ctx, "")
}

// LastMatching is the last sequence whose subject the filter matches, 0 if there is
// none. The error is as of Last.
func (s *Store) LastMatching(ctx context.Context, filter string) (uint64, error) {
	if err := checkFilter(s.cfg.Ledger, filter); err != nil {
		return 0, err
	}
	return s.lastMatching(ctx, filter)
}

func (s *Store) lastMatching(ctx context.Context, filter string) (uint64, error) {
	if filter == "" {
		filter = everything
	}
	rec, headers, err := s.lastRecord(ctx, filter)
	if errors.Is(err, ErrNotFound) {
		if there, err := s.hasAny(ctx, filter); err != nil || !there {
			return 0, err
		}
		rec, headers, err = s.lastRecord(ctx, filter) // it may have come since
	}
	if errors.Is(err, ErrNotFound) {
		return 0, s.damage(ctx, filter)
	}
	if err != nil {
		return 0, fmt.Errorf("eventstore: last sequence: %w", err)
	}
	if s.copyOf != "" && filter == everything {
		return wholeUpTo(rec.Seq, headers)
	}
	return rec.Seq, nil
}

// lastRecord is the last one whose subject a filter matches, or ErrNotFound.
func (s *Store) lastRecord(ctx context.Context, filter string) (Record, nats.Header, error) {
	return s.getWithHeaders(ctx, s.stream, `{"last_by_subj":`+strconv.Quote(filter)+`}`)
}

// First is the first sequence of the log, 0 if it is empty. It is 1 for ever,
// unless records were lost.
func (s *Store) First(ctx context.Context) (uint64, error) {
	info, err := s.Info(ctx)
	if err != nil || info.Messages == 0 {
		return 0, err
	}
	return info.FirstSeq, nil
}

// getFromLeader asks a stream's leader, which has every acknowledged record. A direct get may be answered by a replica that lags behind.
func (s *Store) getFromLeader(ctx context.Context, stream, request string) (Record, error) {
	rec, _, err := s.getWithHeaders(ctx, stream, request)
	return rec, err
}

// storedMsg is a message as the leader gives it.
type storedMsg struct {
	Seq     uint64    `json:"seq"`
	Subject string    `json:"subject"`
	Headers []byte    `json:"hdrs"`
	Data    []byte    `json:"data"`
	Time    time.Time `json:"time"`
}

// getWithHeaders is getFromLeader with the message's headers.
func (s *Store) getWithHeaders(ctx context.Context, stream, request string) (_ Record, headers nats.Header, err error) {
	m, err := query(ctx, s, func(ctx context.Context) (*storedMsg, error) {
		msg, err := s.read.RequestWithContext(ctx, "$JS.API.STREAM.MSG.GET."+stream, []byte(request))
		if err != nil {
			return nil, err
		}
		var resp struct {
			Error   *jetstream.APIError `json:"error"`
			Message *storedMsg          `json:"message"`
		}
		if err := json.Unmarshal(msg.Data, &resp); err != nil {
			return nil, fmt.Errorf("answer not understood: %w", err)
		}
		switch {
		case resp.Error != nil && resp.Error.ErrorCode != jetstream.JSErrCodeMessageNotFound:
			return nil, resp.Error
		case resp.Message == nil:
			return nil, ErrNotFound
		}
		return resp.Message, nil
	})
	if err != nil {
		return Record{}, nil, err
	}
	if headers, err = parseHeaders(m.Headers); err != nil {
		return Record{}, nil, err
	}
	return Record{Seq: m.Seq, Subject: m.Subject, Data: m.Data, Stored: m.Time}, headers, nil
}

// Read yields the records from sequence from to sequence to, both included,
// in order. A to of 0 means the last sequence at the time of the call, a from
// of 0 the first. A filter, if not empty, is a subject that may have
// wildcards; only records it matches are yielded.
//
// Without a filter the sequences are checked to be contiguous (*GapError) and
// atomic batches to be whole as far as they lie in the range
// (*TornBatchError). Where the end of the log cannot be read, or with a filter the
// last record that it matches, what lies before is yielded, and then a *DamagedError.
// An error is the last thing yielded.
func (s *Store) Read(ctx context.Context, from, to uint64, filter string) iter.Seq2[Record, error] {
	return flatten(s.ReadChunks(ctx, from, to, filter))
}

// ReadChunks is Read, with the records that are at hand together. A chunk has
// at least one record and belongs to the caller.
func (s *Store) ReadChunks(ctx context.Context, from, to uint64, filter string) iter.Seq2[[]Record, error] {
	return s.chunks(ctx, span{from: from, to: to, filter: filter})
}

// ReadStored is ReadChunks of all records in a range, with their headers: for a
// copy that is the same to the byte.
func (s *Store) ReadStored(ctx context.Context, from, to uint64) iter.Seq2[[]Record, error] {
	return s.chunks(ctx, span{from: from, to: to, headers: true})
}

// chunks reads a span that ends.
func (s *Store) chunks(ctx context.Context, sp span) iter.Seq2[[]Record, error] {
	return func(yield func([]Record, error) bool) {
		from, to, filter := sp.from, sp.to, sp.filter
		if err := checkFilter(s.cfg.Ledger, filter); err != nil {
			yield(nil, err)
			return
		}
		from = max(from, 1)
		last, err := s.lastMatching(ctx, filter)
		damaged := (*DamagedError)(nil)
		if errors.As(err, &damaged) {
			last = damaged.Seq - 1
		} else if err != nil {
			yield(nil, err)
			return
		}
		sp.from = from
		if to == 0 || to >= last {
			sp.to, sp.whole = last, filter == "" && damaged == nil
		}
		wanted := true
		if from <= sp.to && from <= last {
			// There is a record at the end of the span, or after it, that the
			// consumer will deliver: so reading ends without asking a replica,
			// which may lag behind, how much there is.
			s.readSpan(ctx, sp, func(chunk []Record, err error) bool {
				wanted = yield(chunk, err) && err == nil
				return wanted
			})
		}
		if wanted && damaged != nil && (to == 0 || to >= damaged.Seq) {
			yield(nil, damaged)
		}
	}
}

func flatten(chunks iter.Seq2[[]Record, error]) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		for chunk, err := range chunks {
			if err != nil {
				yield(Record{}, err)
				return
			}
			for _, r := range chunk {
				if !yield(r, nil) {
					return
				}
			}
		}
	}
}

package eventstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	// leaseTime is less than the time without a word from its leader after which
	// a server stands for election, 4 s, and more than that between two words, 1 s.
	leaseTime = 3 * time.Second

	confirmPause = 100 * time.Millisecond
)

// In a cluster two servers may believe for some seconds that they lead: one that was
// cut off, and that the others have chosen meanwhile. Either answers, and who asks does
// not see which of them did. So what was read is held against an answer that says how
// far the log goes that it is of, and that against a leader which has heard from a
// majority since: no other led then. No append needs that, because a majority has to
// agree to it.

// Reached is a sequence that the log has come to: whatever was acknowledged before the
// call is not behind it. The error is ErrUnavailable when no leader could show it in time.
func (s *Store) Reached(ctx context.Context) (uint64, error) {
	ctx, cancel := inTime(ctx)
	defer cancel()
	return s.reached(ctx, s.stream)
}

// Ends returns the sequence of the last record of each subject that has one, and a moment
// since the call, told as how far the log went then: at least to newest, which somebody
// has seen. Whoever has the records of a subject to its end has all that it had at that
// moment, the same for all subjects, and maybe later ones.
//
// The error is ErrUnavailable when no leader could show it in time.
func (s *Store) Ends(ctx context.Context, subjects []string, newest uint64) (ends map[string]uint64, moment uint64, err error) {
	ends, moment = map[string]uint64{}, math.MaxUint64
	for some := range slices.Chunk(subjects, lastAtOnce) {
		found, upTo, err := s.lastOf(ctx, s.stream, some, newest)
		if err != nil {
			return nil, 0, fmt.Errorf("eventstore: ends of subjects: %w", err)
		}
		maps.Copy(ends, found)
		if len(found) > 0 { // what has nothing later had nothing then
			moment = min(moment, upTo)
		}
	}
	return ends, moment, nil
}

// lastAtOnce is of how many subjects the last records are asked for at a time. The server
// answers 1,024 at most.
const lastAtOnce = 1000

// inTime bounds how long a leader is waited for.
func inTime(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, readTimeout, fmt.Errorf("%w: no leader has heard from the others", ErrUnavailable))
}

// confirmPaused waits until it is worth asking again.
func confirmPaused(ctx context.Context) error {
	select {
	case <-time.After(confirmPause):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// reached is Reached of a stream.
func (s *Store) reached(ctx context.Context, stream string) (uint64, error) {
	for {
		info, _, err := s.streamInfo(ctx, stream)
		if err != nil {
			return 0, err
		}
		if leads(info) {
			return info.State.LastSeq, nil
		}
		if err := confirmPaused(ctx); err != nil {
			return 0, err
		}
	}
}

// lastOf finds the last record of each subject that has one, at the moment after it
// was called at which the log went as far as upTo. That is not before newest.
func (s *Store) lastOf(ctx context.Context, stream string, subjects []string, newest uint64) (found map[string]uint64, upTo uint64, err error) {
	if s.replicas <= 1 {
		return s.lastDirectly(ctx, stream, subjects)
	}
	ctx, cancel := inTime(ctx)
	defer cancel()
	end, err := s.reached(ctx, stream)
	end = max(end, newest) // a leader may be the last to see what a majority has
	if err != nil || end == 0 {
		return nil, 0, err
	}
	for {
		// The subject of the record at the end is asked for too: an answer that has that
		// record, or a later one, goes so far and was not cut short.
		rec, err := s.getFromLeader(ctx, stream, fmt.Sprintf(`{"seq":%d}`, end))
		if err == nil {
			found, upTo, e := s.lastDirectly(ctx, stream, append(slices.Clone(subjects), rec.Subject))
			if e == nil && found[rec.Subject] >= end {
				return found, upTo, nil
			}
			err = e
		}
		if err != nil && !errors.Is(err, ErrNotFound) { // it lags behind, or has been cut off
			return nil, 0, err
		}
		if err := confirmPaused(ctx); err != nil {
			return nil, 0, err
		}
	}
}

// lastDirectly has a replica find the last records of subjects. upTo is as far as it
// had the stream, 0 where it found nothing.
func (s *Store) lastDirectly(ctx context.Context, stream string, subjects []string) (found map[string]uint64, upTo uint64, err error) {
	q := lastQuestion{Last: slices.Compact(slices.Sorted(slices.Values(subjects)))}
	found = map[string]uint64{}
	for more := true; more; {
		answer, err := ask(ctx, s, func(ctx context.Context, silence time.Duration) (lastAnswer, error) {
			return s.lastPage(ctx, silence, stream, q)
		})
		if err != nil {
			return nil, 0, err
		}
		for subject, seq := range answer.found {
			found[subject] = seq
			q.Seq = max(q.Seq, seq+1)
		}
		q.UpTo, more = max(q.UpTo, answer.upTo), answer.more
	}
	return found, q.UpTo, nil
}

// lastQuestion asks for the last records of subjects up to a sequence, 0 for the end,
// those from another one on.
type lastQuestion struct {
	Last []string `json:"multi_last"`
	Seq  uint64   `json:"seq,omitempty"`
	UpTo uint64   `json:"up_to_seq,omitempty"`
}

// lastAnswer is a part of what was asked for: the server sends so many bytes at a time,
// by sequence.
type lastAnswer struct {
	found map[string]uint64
	upTo  uint64
	more  bool
}

func (s *Store) lastPage(ctx context.Context, silence time.Duration, stream string, q lastQuestion) (a lastAnswer, err error) {
	request, err := json.Marshal(q)
	if err != nil {
		return a, err
	}
	inbox := s.read.NewInbox()
	sub, err := s.read.SubscribeSync(inbox)
	if err != nil {
		return a, err
	}
	defer func() { _ = sub.Unsubscribe() }()
	if err := s.read.PublishRequest("$JS.API.DIRECT.GET."+stream, inbox, request); err != nil {
		return a, err
	}
	a.found = map[string]uint64{}
	for {
		m, err := nextWithin(ctx, sub, silence)
		if err != nil {
			return a, err
		}
		switch status, what := m.Header.Get("Status"), m.Header.Get("Description"); {
		case status == "":
			a.found[m.Header.Get("Nats-Subject")] = number(m.Header, "Nats-Sequence")
		case status == "204":
			a.upTo, a.more = number(m.Header, "Nats-UpTo-Sequence"), number(m.Header, "Nats-Num-Pending") > 0
			return a, nil
		case status == "404" && what == "No Results":
			return a, nil
		case status == "503":
			return a, nats.ErrNoResponders
		default:
			return a, fmt.Errorf("status %s %s", status, what)
		}
	}
}

// streams are those that a ledger has: of its log, and of the evidence.
func (s *Store) streams() []string { return []string{s.stream, s.evidenceBucket().stream()} }

// leads says that who answered for a stream leads it, and has heard from a majority
// of late. One that knows of no leader answers too, and names itself among the others;
// and one that has just come to know of one may, and names it among them.
func leads(info *jetstream.StreamInfo) bool {
	if info.Config.Replicas <= 1 {
		return true
	}
	c := info.Cluster
	if c == nil || c.Leader == "" {
		return false
	}
	heard := 1 // itself
	for _, r := range c.Replicas {
		switch {
		case r.Name == c.Leader:
			return false
		case !r.Offline && r.Active < leaseTime:
			heard++
		}
	}
	return heard > info.Config.Replicas/2
}

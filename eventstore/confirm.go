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
// has seen. Whoever has the records of a subject to its end or to the moment has all that
// it had at that moment, the same for all subjects.
//
// The error is ErrUnavailable when no leader could show it in time.
func (s *Store) Ends(ctx context.Context, subjects []string, newest uint64) (ends map[string]uint64, moment uint64, err error) {
	fail := func(err error) (map[string]uint64, uint64, error) {
		return nil, 0, fmt.Errorf("eventstore: ends of subjects: %w", err)
	}
	ends, moment = map[string]uint64{}, math.MaxUint64
	for parts := slices.Collect(slices.Chunk(subjects, lastAtOnce)); len(parts) > 0; {
		if len(parts) > 1 && moment == math.MaxUint64 { // a part with nothing does not tell when that was
			if moment, err = s.Reached(ctx); err != nil {
				return fail(err)
			}
			moment = max(moment, newest)
		}
		found, upTo, err := s.lastOf(ctx, s.stream, parts[0], newest)
		if half := len(parts[0]) / 2; errors.Is(err, errCut) && half > 0 {
			parts = append([][]string{parts[0][:half], parts[0][half:]}, parts[1:]...)
			continue
		}
		if err != nil {
			return fail(err)
		}
		parts = parts[1:]
		maps.Copy(ends, found)
		if len(found) > 0 {
			moment = min(moment, upTo)
		}
	}
	return ends, moment, nil
}

// lastAtOnce is of how many subjects the last records are asked for at a time. The server
// answers 1,024 at most.
const lastAtOnce = 1000

// errCut says that an answer ended for its size, 64 MiB unless the server is told otherwise.
// What is left is not asked for: another replica may answer that, which has not come as far.
var errCut = errors.New("more than the server sends at a time")

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
	info, err := s.ledBy(ctx, stream)
	if err != nil {
		return 0, err
	}
	return info.State.LastSeq, nil
}

// ledBy asks a stream how it is until the answer is that of its leader.
func (s *Store) ledBy(ctx context.Context, stream string) (*jetstream.StreamInfo, error) {
	for {
		info, _, err := s.streamInfo(ctx, stream)
		if err != nil || leads(info) {
			return info, err
		}
		if err := confirmPaused(ctx); err != nil {
			return nil, err
		}
	}
}

// errUnreadable says that a record is there, and that whoever answered cannot read it.
var errUnreadable = errors.New("the last record cannot be read by the server that was asked")

// ledThroughout says that one server led from one answer to the other, and had the record
// at seq all that time.
func ledThroughout(before, after *jetstream.StreamInfo, seq uint64) bool {
	led, leads := before.Cluster, after.Cluster
	return led != nil && leads != nil && led.Leader == leads.Leader && led.LeaderSince != nil && leads.LeaderSince != nil &&
		led.LeaderSince.Equal(*leads.LeaderSince) && min(before.State.LastSeq, after.State.LastSeq) >= seq
}

// lastOf finds the last record of each subject that has one, at the moment after it
// was called at which the log went as far as upTo. That is not before newest.
func (s *Store) lastOf(ctx context.Context, stream string, subjects []string, newest uint64) (found map[string]uint64, upTo uint64, err error) {
	if s.replicas <= 1 {
		return s.lastDirectly(ctx, stream, subjects)
	}
	ctx, cancel := inTime(ctx)
	defer cancel()
	led, err := s.ledBy(ctx, stream)
	if err != nil {
		return nil, 0, err
	}
	end := max(led.State.LastSeq, newest) // a leader may be the last to see what a majority has
	if end == 0 {
		return nil, 0, nil
	}
	for unreadable := false; ; {
		// The subject of the record at the end is asked for too: an answer that has that
		// record, or a later one, goes so far and was not cut short.
		rec, err := s.getFromLeader(ctx, stream, fmt.Sprintf(`{"seq":%d}`, end))
		if err == nil {
			found, upTo, e := s.lastDirectly(ctx, stream, append(slices.Clone(subjects), rec.Subject))
			if e == nil && found[rec.Subject] >= end {
				return found, upTo, nil
			}
			if unreadable = errors.Is(e, errUnreadable); unreadable {
				s.readElsewhere(ctx)
				e = nil
			}
			err = e
		}
		if err != nil && !errors.Is(err, ErrNotFound) {
			return nil, 0, err
		}
		if err != nil { // who answered lags behind, or has been cut off, or cannot read it
			before := led
			if led, err = s.ledBy(ctx, stream); err != nil {
				return nil, 0, err
			}
			if ledThroughout(before, led, end) {
				return nil, 0, errUnreadable
			}
		}
		if err := confirmPaused(ctx); err != nil {
			if unreadable && ctx.Err() == context.DeadlineExceeded {
				err = errUnreadable
			}
			return nil, 0, err
		}
	}
}

// readElsewhere has the store read through another server: one answers by itself what it
// has a copy of, and goes on to do so where that is damaged.
func (s *Store) readElsewhere(ctx context.Context) {
	s.log.Warn("a record cannot be read by the server that answers here, another one is tried", "server", s.read.ConnectedUrlRedacted())
	_ = s.read.ForceReconnect() // or it is closed
	for !s.read.IsConnected() && confirmPaused(ctx) == nil {
		continue
	}
}

// lastDirectly has a replica find the last records of subjects. upTo is as far as it
// had the stream, 0 where it found nothing.
func (s *Store) lastDirectly(ctx context.Context, stream string, subjects []string) (found map[string]uint64, upTo uint64, err error) {
	request, err := json.Marshal(struct {
		Last []string `json:"multi_last"`
	}{slices.Compact(slices.Sorted(slices.Values(subjects)))})
	if err != nil {
		return nil, 0, err
	}
	found, err = ask(ctx, s, func(ctx context.Context, silence time.Duration) (map[string]uint64, error) {
		inbox := s.read.NewInbox()
		sub, err := s.read.SubscribeSync(inbox)
		if err != nil {
			return nil, err
		}
		defer func() { _ = sub.Unsubscribe() }()
		if err := s.read.PublishRequest("$JS.API.DIRECT.GET."+stream, inbox, request); err != nil {
			return nil, err
		}
		found := map[string]uint64{}
		var last uint64
		for {
			m, err := nextWithin(ctx, sub, silence)
			if err != nil {
				return nil, err
			}
			status, what := m.Header.Get("Status"), m.Header.Get("Description")
			if (status == "" || status == "204") && number(m.Header, "Nats-Last-Sequence") != last {
				return nil, errShort
			}
			switch {
			case status == "":
				last = number(m.Header, "Nats-Sequence")
				found[m.Header.Get("Nats-Subject")] = last
			case status == "204" && number(m.Header, "Nats-Num-Pending") > 0:
				return nil, errCut
			case status == "204": // that was all
				upTo = number(m.Header, "Nats-UpTo-Sequence")
				return found, nil
			case status == "404" && what == "No Results":
				upTo = 0
				return nil, nil
			case status == "404":
				return nil, errUnreadable
			case status == "503":
				return nil, nats.ErrNoResponders
			default:
				return nil, fmt.Errorf("status %s %s", status, what)
			}
		}
	})
	return found, upTo, err
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

package eventstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	// AckWait is how long a record that was delivered and not acknowledged is
	// kept from being delivered again.
	AckWait = 30 * time.Second

	consumerKey = "milepost-subscriber" // in the metadata of a durable of ours: its name
)

// Consumer is what one program outside reads, and where it began.
type Consumer struct {
	Name    string   // a-z, 0-9 and -, at most 64
	Filters []string // subjects, which may have wildcards; none for all of the log
	From    uint64   // first sequence
}

// ConsumerState says how far the reader of a consumer is.
type ConsumerState struct {
	Name         string
	Pending      uint64    // records that were not delivered yet
	AckPending   int       // records that were delivered and not acknowledged yet
	Delivered    uint64    // last sequence delivered, 0 for none
	Acknowledged uint64    // all up to this sequence that it reads are acknowledged, 0 for none
	LastActive   time.Time // when it last took or acknowledged a record; zero for never
	Paused       bool
}

// EnsureConsumer makes a durable pull consumer, or sees to it that the one which
// is there reads what it should; it never moves its position. One record is under
// way at a time, because JetStream delivers again what was not acknowledged
// whenever it is due: with two under way, the second would come before the first.
// So a reader gets every record, in order, and one again when it ended before it
// acknowledged it. The consumer stays until it is deleted, however long nobody
// reads. Where an embedded server cannot read any more how far one was, it begins anew:
// the reader gets again what it had, which the ids tell it, and misses nothing.
func (s *Store) EnsureConsumer(ctx context.Context, c Consumer) error {
	if err := CheckLedger(c.Name); err != nil {
		return fmt.Errorf("eventstore: name of a consumer: %w", err)
	}
	filters := c.Filters
	if len(filters) == 0 {
		filters = []string{streamSubjects(s.cfg.Ledger)}
	}
	for _, f := range filters {
		if err := checkFilter(s.cfg.Ledger, f); err != nil {
			return err
		}
	}
	_, err := query(ctx, s, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, s.ensureConsumer(ctx, c.Name, filters, c.From)
	})
	if err != nil {
		return fmt.Errorf("eventstore: consumer %s: %w", c.Name, err)
	}
	return nil
}

func (s *Store) ensureConsumer(ctx context.Context, name string, filters []string, from uint64) error {
	there, err := s.durable(ctx, name)
	want := consumerConfig(name, filters, from)
	switch {
	case errors.Is(err, jetstream.ErrConsumerNotFound):
		if _, err = s.js.CreateConsumer(ctx, s.stream, want); apiCode(err) == codeConsumerStore && s.setDamagedAside(name) {
			_, err = s.js.CreateConsumer(ctx, s.stream, want)
		}
	case err == nil:
		cfg := there.Config
		if !slices.Equal(filtersOf(cfg), filters) || cfg.AckWait != want.AckWait || cfg.MaxDeliver != want.MaxDeliver || cfg.MaxAckPending != want.MaxAckPending {
			cfg.FilterSubject, cfg.FilterSubjects = "", filters
			cfg.AckWait, cfg.MaxDeliver, cfg.MaxAckPending = want.AckWait, want.MaxDeliver, want.MaxAckPending
			_, err = s.js.UpdateConsumer(ctx, s.stream, cfg)
		}
	}
	return err
}

func consumerConfig(name string, filters []string, from uint64) jetstream.ConsumerConfig {
	return jetstream.ConsumerConfig{
		Durable:           name,
		DeliverPolicy:     jetstream.DeliverByStartSequencePolicy,
		OptStartSeq:       max(from, 1),
		AckPolicy:         jetstream.AckExplicitPolicy,
		AckWait:           AckWait,
		MaxDeliver:        -1,
		MaxAckPending:     1,
		MaxWaiting:        64,
		FilterSubjects:    filters,
		InactiveThreshold: 0,
		MemoryStorage:     false,
		Metadata:          map[string]string{consumerKey: name},
	}
}

// setDamagedAside moves away what an embedded server kept of a consumer, and cannot
// read: it makes none in its place. It reports whether there was something.
func (s *Store) setDamagedAside(name string) bool {
	if s.srv.Load() == nil {
		return false
	}
	aside := filepath.Join(s.cfg.Dir, fmt.Sprintf("consumer-%s-damaged-%s", name, time.Now().UTC().Format("20060102T150405.000Z")))
	if err := os.Rename(filepath.Join(streamDir(s.cfg.Dir, s.stream), "obs", name), aside); err != nil {
		return false
	}
	s.log.Warn("what was kept of how far a reader had come is damaged: it is sent all that it reads once more", "consumer", name, "damaged", aside)
	return true
}

func filtersOf(cfg jetstream.ConsumerConfig) []string {
	if cfg.FilterSubject != "" {
		return []string{cfg.FilterSubject}
	}
	return cfg.FilterSubjects
}

// durable is the consumer of that name, if it is one of ours.
func (s *Store) durable(ctx context.Context, name string) (*jetstream.ConsumerInfo, error) {
	c, err := s.js.Consumer(ctx, s.stream, name)
	if err != nil {
		return nil, err
	}
	info := c.CachedInfo()
	if info.Config.Metadata[consumerKey] != name {
		return nil, fmt.Errorf("stream %s has a consumer of that name which the ledger did not make: choose another name, or delete it", s.stream)
	}
	return info, nil
}

// DeleteConsumer deletes a consumer and its position, if it is there. Whoever
// waits for its next record is told.
func (s *Store) DeleteConsumer(ctx context.Context, name string) error {
	return s.changeConsumer(ctx, name, func(ctx context.Context) error {
		return s.js.DeleteConsumer(ctx, s.stream, name)
	})
}

// PauseConsumer stops the delivery of a consumer, also to those who wait already,
// until ResumeConsumer. It stays stopped over a restart.
func (s *Store) PauseConsumer(ctx context.Context, name string) error {
	return s.changeConsumer(ctx, name, func(ctx context.Context) error {
		_, err := s.js.PauseConsumer(ctx, s.stream, name, time.Now().AddDate(200, 0, 0))
		return err
	})
}

// ResumeConsumer lets a consumer go on where it was.
func (s *Store) ResumeConsumer(ctx context.Context, name string) error {
	return s.changeConsumer(ctx, name, func(ctx context.Context) error {
		_, err := s.js.ResumeConsumer(ctx, s.stream, name)
		return err
	})
}

func (s *Store) changeConsumer(ctx context.Context, name string, change func(context.Context) error) error {
	_, err := query(ctx, s, func(ctx context.Context) (struct{}, error) {
		_, err := s.durable(ctx, name)
		if err == nil {
			err = change(ctx)
		}
		return struct{}{}, err
	})
	if err != nil && !errors.Is(err, jetstream.ErrConsumerNotFound) {
		return fmt.Errorf("eventstore: consumer %s: %w", name, err)
	}
	return nil
}

// Consumers are those that EnsureConsumer made, by name.
func (s *Store) Consumers(ctx context.Context) ([]ConsumerState, error) {
	states, err := queryLong(ctx, s, slowly, func(ctx context.Context) ([]ConsumerState, error) {
		stream, err := s.js.Stream(ctx, s.stream)
		if err != nil {
			return nil, err
		}
		list, states := stream.ListConsumers(ctx), []ConsumerState{}
		for info := range list.Info() {
			if info.Config.Metadata[consumerKey] == info.Name {
				states = append(states, stateOf(info))
			}
		}
		return states, list.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("eventstore: consumers: %w", err)
	}
	slices.SortFunc(states, func(a, b ConsumerState) int { return strings.Compare(a.Name, b.Name) })
	// A cluster in which one server hangs tells of some of them twice.
	return slices.CompactFunc(states, func(a, b ConsumerState) bool { return a.Name == b.Name }), nil
}

// stateOf leaves out positions before the first record: the server's own are
// where the consumer begins.
func stateOf(info *jetstream.ConsumerInfo) ConsumerState {
	state := ConsumerState{Name: info.Name, Pending: info.NumPending, AckPending: info.NumAckPending, Paused: info.Paused}
	if at := info.Delivered.Last; at != nil {
		state.Delivered, state.LastActive = info.Delivered.Stream, *at
	}
	if at := info.AckFloor.Last; at != nil {
		state.Acknowledged = info.AckFloor.Stream
		state.LastActive = slices.MaxFunc([]time.Time{state.LastActive, *at}, func(a, b time.Time) int { return cmp.Compare(a.UnixNano(), b.UnixNano()) })
	}
	return state
}

// giveBack has the record that a reader had in hand when it ended delivered again
// at once: else the reader that comes after it would wait for AckWait.
func (s *Store) giveBack(ctx context.Context, name string) error {
	info, err := query(ctx, s, func(ctx context.Context) (*jetstream.ConsumerInfo, error) { return s.durable(ctx, name) })
	if err != nil || info.NumAckPending == 0 {
		return err
	}
	// One is under way at most, so it is the last one delivered; the fields are
	// those that JetStream gives a record to be acknowledged with.
	return s.read.Publish(fmt.Sprintf("$JS.ACK.%s.%s.1.%d.%d.%d.0", s.stream, name,
		info.Delivered.Stream, info.Delivered.Consumer, time.Now().UnixNano()), []byte("-NAK"))
}

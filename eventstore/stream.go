package eventstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	// DuplicateWindow is how long the server remembers message ids. They
	// shield against one id being sent twice at once; whether a command was
	// done is asked of the log itself, for ever. It is short because the
	// server keeps every id of the window in memory.
	DuplicateWindow = 2 * time.Minute

	// MaxMessages is how many messages one append can have: JetStream's
	// limit for an atomic batch.
	MaxMessages = 1000

	// maxMsgSize bounds a stored message with its headers, MaxData what a
	// caller may put in it.
	maxMsgSize = 1 << 20
	// MaxData is how many bytes one message can have: what the stream
	// accepts, less room for the headers.
	MaxData = maxMsgSize - 4<<10

	schemaKey     = "milepost-schema"
	schemaVersion = "1"
	timezoneKey   = "milepost-timezone"
	signingKey    = "milepost-key"
)

// streamConfig is the one place that says what a ledger's streams are like, that
// of the log and that of its evidence. Whatever could drop, replace or reorder a record is off; what is not
// mentioned (rollup, message TTL, delete markers, schedules, counters) must
// stay off, because some of those silently clear DenyPurge.
func streamConfig(name string, replicas int, subjects ...string) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:               name,
		Subjects:           subjects,
		Storage:            jetstream.FileStorage,
		Retention:          jetstream.LimitsPolicy,
		Discard:            jetstream.DiscardNew,
		MaxMsgs:            -1,
		MaxBytes:           -1,
		MaxMsgsPerSubject:  -1,
		MaxConsumers:       -1,
		MaxMsgSize:         maxMsgSize,
		Duplicates:         DuplicateWindow,
		Replicas:           replicas,
		DenyDelete:         true,
		DenyPurge:          true,
		AllowDirect:        true,
		AllowAtomicPublish: true,
		Metadata:           map[string]string{schemaKey: schemaVersion},
	}
}

// ensureStreams has the streams of the log and of its evidence there. It waits longer
// than one question does for servers that are started with this process. Where none
// keeps streams, nobody listens to it.
func (s *Store) ensureStreams(ctx context.Context) error {
	var told error
	for {
		err := s.ensureStream(ctx)
		if err == nil {
			err = s.ensureEvidence(ctx)
		}
		if !errors.Is(err, ErrUnavailable) || errors.Is(err, nats.ErrNoResponders) {
			return err
		}
		if ctx.Err() != nil {
			return cmp.Or(told, err) // what was the matter, and not that the time is over
		}
		if told == nil || told.Error() != err.Error() {
			s.log.Warn("the servers of the log are not all there yet, they are asked again", "error", err)
		}
		told = err
		select {
		case <-time.After(electionPause):
		case <-ctx.Done():
		}
	}
}

// ensureStream creates the stream, or checks the one which is there. It never
// updates and never deletes.
func (s *Store) ensureStream(ctx context.Context) error {
	st, err := s.findStream(ctx, s.js, s.stream)
	if errors.Is(err, jetstream.ErrStreamNotFound) && s.cfg.Follow {
		return &NoCopyError{Ledger: s.cfg.Ledger}
	}
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		if err := s.checkAlone(ctx); err != nil {
			return err
		}
		if s.cfg.Existing {
			return &NoLedgerError{Ledger: s.cfg.Ledger}
		}
		st, err = s.createStream(ctx)
	}
	if s.cfg.mark != "" && errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
		return s.occupied("the log (stream " + s.stream + ")")
	}
	if err != nil {
		return fmt.Errorf("eventstore: stream %s: %w", s.stream, err)
	}
	got := st.CachedInfo().Config
	if err := s.checkMark(got); err != nil {
		return err
	}
	want := streamConfig(s.stream, got.Replicas, streamSubjects(s.cfg.Ledger))
	if s.cfg.Replicas > got.Replicas {
		want.Replicas = s.cfg.Replicas
	}
	s.copyOf = originOf(got)
	switch {
	case s.cfg.Follow:
		err = checkCopy(got, s.cfg.Ledger)
	case s.copyOf != "":
		err = s.Writable()
	default:
		err = compareConfig(got, want)
	}
	if err != nil {
		return err
	}
	s.replicas = got.Replicas
	s.timezone = cmp.Or(got.Metadata[timezoneKey], "UTC")
	s.key = got.Metadata[signingKey]
	s.metadata = got.Metadata
	if want := s.cfg.Timezone; want != "" && want != s.timezone {
		return &TimezoneError{Ledger: s.cfg.Ledger, Has: s.timezone, Given: want}
	}
	return nil
}

// findStream looks a stream up; the error is jetstream.ErrStreamNotFound where it is not.
func (s *Store) findStream(ctx context.Context, js jetstream.JetStream, name string) (jetstream.Stream, error) {
	return query(ctx, s, func(ctx context.Context) (jetstream.Stream, error) { return js.Stream(ctx, name) })
}

// checkAlone refuses to make a second ledger in a data directory: its name was
// mistyped more likely than meant.
func (s *Store) checkAlone(ctx context.Context) error {
	if s.srv.Load() == nil {
		return nil
	}
	names := s.js.StreamNames(ctx)
	for name := range names.Name() {
		if ledger, ok := strings.CutPrefix(name, streamName("")); ok {
			return &OtherLedgerError{Dir: s.cfg.Dir, Has: ledger, Given: s.cfg.Ledger}
		}
	}
	if err := names.Err(); err != nil {
		return fmt.Errorf("eventstore: list ledgers: %w", err)
	}
	return nil
}

func (s *Store) createStream(ctx context.Context) (jetstream.Stream, error) {
	replicas := cmp.Or(s.cfg.Replicas, 1)
	switch {
	case s.srv.Load() != nil:
		replicas = 1
	case s.cfg.Replicas == 0 && s.read.ConnectedClusterName() != "":
		replicas = 3
	}
	cfg := streamConfig(s.stream, replicas, streamSubjects(s.cfg.Ledger))
	cfg.Metadata[timezoneKey] = cmp.Or(s.cfg.Timezone, "UTC")
	if s.cfg.Key == "" && s.cfg.NewKey != nil {
		key, err := s.cfg.NewKey()
		if err != nil {
			return nil, err
		}
		s.cfg.Key = key
	}
	if s.cfg.Key != "" {
		cfg.Metadata[signingKey] = s.cfg.Key
	}
	maps.Copy(cfg.Metadata, s.Metadata())
	if s.cfg.restored { // in memory the ids of a whole log would be too many
		cfg.Duplicates = noDuplicates
	}
	if s.cfg.mark != "" {
		cfg.Metadata[restoreKey] = mark{id: s.cfg.mark, unfinished: true}.String()
	}
	st, err := s.makeStream(ctx, cfg)
	if apiCode(err) == codeNotClustered && s.cfg.Replicas == 0 { // a leaf says that it is of the cluster it hangs on
		cfg.Replicas = 1
		st, err = s.makeStream(ctx, cfg)
	}
	return st, err
}

// makeStream has a stream made. Asked again for the same one the server answers with
// the one that it made: in a cluster that has just come together answers get lost.
func (s *Store) makeStream(ctx context.Context, cfg jetstream.StreamConfig) (jetstream.Stream, error) {
	st, err := ask(ctx, s, func(ctx context.Context, silence time.Duration) (jetstream.Stream, error) {
		ctx, cancel := context.WithTimeout(ctx, 2*silence) // three servers agree and sync
		defer cancel()
		return s.js.CreateStream(ctx, cfg)
	})
	switch code := apiCode(err); {
	case code == codeNoPeers: // the others may be about to come
		err = fmt.Errorf("%w: %d servers are to keep it, and so many are not there: start them all, or ask for fewer replicas: %w", ErrUnavailable, cfg.Replicas, err)
	case code == codeNotClustered:
		err = fmt.Errorf("%d servers are to keep it, and there are not so many: ask for fewer replicas: %w", cfg.Replicas, err)
	}
	return st, err
}

// compareConfig names the first setting that makes the stream unfit.
func compareConfig(got, want jetstream.StreamConfig) error {
	list := func(v []string) string { return strings.Join(v, ",") }
	limit := func(n int64) string { // the server writes "no limit" as -1 or 0
		if n <= 0 {
			return "none"
		}
		return strconv.FormatInt(n, 10)
	}
	for _, c := range []struct{ setting, got, want string }{
		{"subjects", list(got.Subjects), list(want.Subjects)},
		{"storage", got.Storage.String(), want.Storage.String()},
		{"retention", got.Retention.String(), want.Retention.String()},
		{"discard", got.Discard.String(), want.Discard.String()},
		{"max_msgs", limit(got.MaxMsgs), limit(want.MaxMsgs)},
		{"max_bytes", limit(got.MaxBytes), limit(want.MaxBytes)},
		{"max_msgs_per_subject", limit(got.MaxMsgsPerSubject), limit(want.MaxMsgsPerSubject)},
		{"max_age", got.MaxAge.String(), want.MaxAge.String()},
		{"max_msg_size", strconv.Itoa(int(got.MaxMsgSize)), strconv.Itoa(int(want.MaxMsgSize))},
		{"num_replicas", strconv.Itoa(got.Replicas), strconv.Itoa(want.Replicas)},
		{"no_ack", fmt.Sprint(got.NoAck), fmt.Sprint(want.NoAck)},
		{"sealed", fmt.Sprint(got.Sealed), fmt.Sprint(want.Sealed)},
		{"deny_delete", fmt.Sprint(got.DenyDelete), fmt.Sprint(want.DenyDelete)},
		{"deny_purge", fmt.Sprint(got.DenyPurge), fmt.Sprint(want.DenyPurge)},
		{"allow_rollup_hdrs", fmt.Sprint(got.AllowRollup), fmt.Sprint(want.AllowRollup)},
		{"allow_msg_ttl", fmt.Sprint(got.AllowMsgTTL), fmt.Sprint(want.AllowMsgTTL)},
		{"subject_delete_marker_ttl", got.SubjectDeleteMarkerTTL.String(), want.SubjectDeleteMarkerTTL.String()},
		{"allow_msg_counter", fmt.Sprint(got.AllowMsgCounter), fmt.Sprint(want.AllowMsgCounter)},
		{"allow_msg_schedules", fmt.Sprint(got.AllowMsgSchedules), fmt.Sprint(want.AllowMsgSchedules)},
		{"persist_mode", got.PersistMode.String(), want.PersistMode.String()},
		{"mirror", mirrored(got.Mirror), mirrored(want.Mirror)},
		{"sources", strconv.Itoa(len(got.Sources)), strconv.Itoa(len(want.Sources))},
		{"subject_transform", fmt.Sprint(got.SubjectTransform != nil), fmt.Sprint(want.SubjectTransform != nil)},
		{"allow_direct", fmt.Sprint(got.AllowDirect), fmt.Sprint(want.AllowDirect)},
		{"allow_atomic", fmt.Sprint(got.AllowAtomicPublish), fmt.Sprint(want.AllowAtomicPublish)},
		{"metadata " + schemaKey, got.Metadata[schemaKey], want.Metadata[schemaKey]},
	} {
		if c.got != c.want {
			return &LossyStreamError{Stream: want.Name, Setting: c.setting, Got: c.got, Want: c.want}
		}
	}
	return nil
}

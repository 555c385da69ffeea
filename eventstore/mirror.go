package eventstore

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/textproto"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// A copy of a ledger is two mirrors, of its log and of its evidence, in another
// account or cluster: streams of the same names that have the same records
// under the same sequences. They are filled by their server, which comes back
// to where it was whenever the origin can be reached again.

const originKey = "milepost-origin"

// MirrorConfig says which ledger is to be copied, and to where.
type MirrorConfig struct {
	Ledger string
	// URL of the server that is to keep the copy, and credentials for it.
	URL, Creds string
	// API is how the JetStream API of the origin is reached from there:
	// "$JS.hub.API" for domain hub, or the prefix under which an account
	// imports it.
	API string
	// Deliver is the prefix of the subjects on which the origin delivers, where
	// an account imports those too. "" where the origin is a domain.
	Deliver string
	// Origin is the address of the origin's HTTP API, for those who want to
	// write: it is recorded with the copy. It may be "".
	Origin string
	// Replicas of the copy; 1 when 0.
	Replicas int
}

// MakeMirror makes the mirrors of a ledger, or checks those which are there. It
// reports whether any was made. Like Open, it never changes a stream.
func MakeMirror(ctx context.Context, cfg MirrorConfig) (made bool, err error) {
	if cfg.API == "" {
		return false, errors.New("eventstore: say how the origin's JetStream API is reached")
	}
	if cfg.URL == "" {
		return false, errors.New("eventstore: say which server is to keep the copy")
	}
	err = onServer(ctx, Config{Ledger: cfg.Ledger, URL: cfg.URL, Creds: cfg.Creds}, func(ctx context.Context, s *Store) (err error) {
		made, err = s.makeMirrors(ctx, cfg)
		return err
	})
	return made, err
}

func (s *Store) makeMirrors(ctx context.Context, cfg MirrorConfig) (made bool, err error) {
	if err := s.learnServer(ctx); err != nil {
		return false, err
	}
	origin, err := jetstream.NewWithAPIPrefix(s.read, cfg.API)
	if err != nil {
		return false, fmt.Errorf("eventstore: origin: %w", err)
	}
	b := s.evidenceBucket()
	for _, of := range []jetstream.StreamConfig{
		streamConfig(s.stream, 1, streamSubjects(cfg.Ledger)),
		streamConfig(b.stream(), 1, b.chunks(">"), b.meta(">")),
	} {
		one, err := s.mirror(ctx, cfg, origin, of)
		if err != nil {
			return made, err
		}
		made = made || one
	}
	return made, nil
}

// mirror makes or checks one mirror. The origin's stream must be one that never
// drops a record, or the copy would not be one.
func (s *Store) mirror(ctx context.Context, cfg MirrorConfig, origin jetstream.JetStream, of jetstream.StreamConfig) (made bool, err error) {
	st, err := s.findStream(ctx, origin, of.Name)
	if err != nil {
		return false, fmt.Errorf("eventstore: stream %s of the origin, by %s: %w", of.Name, cfg.API, err)
	}
	there := st.CachedInfo().Config
	if markOf(there).unfinished {
		return false, &UnfinishedRestoreError{Ledger: cfg.Ledger}
	}
	of.Replicas = there.Replicas
	if err := compareConfig(there, of); err != nil {
		return false, err
	}
	want := mirrorConfig(of.Name, cmp.Or(cfg.Replicas, 1), cfg)
	maps.Copy(want.Metadata, ownMetadata(there.Metadata))
	if cfg.Origin != "" {
		want.Metadata[originKey] = cfg.Origin
	}
	here, err := s.findStream(ctx, s.js, of.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		here, err = s.makeStream(ctx, want)
		made = err == nil
	}
	if err != nil {
		return false, fmt.Errorf("eventstore: mirror %s: %w", of.Name, err)
	}
	got := here.CachedInfo().Config
	want.Replicas = got.Replicas
	return made, compareConfig(got, want)
}

// mirrorConfig is streamConfig for a mirror: it takes nothing but what the
// origin has.
func mirrorConfig(name string, replicas int, cfg MirrorConfig) jetstream.StreamConfig {
	c := streamConfig(name, replicas)
	c.AllowAtomicPublish = false // no mirror may
	c.Mirror = &jetstream.StreamSource{Name: name}
	if cfg.API != "" {
		c.Mirror.External = &jetstream.ExternalStream{APIPrefix: cfg.API, DeliverPrefix: cfg.Deliver}
	}
	return c
}

// mirrored says what of another stream a stream has, "" if it is no mirror.
func mirrored(m *jetstream.StreamSource) string {
	if m == nil {
		return ""
	}
	what := m.Name
	if m.FilterSubject != "" || len(m.SubjectTransforms) > 0 || m.OptStartSeq > 1 || m.OptStartTime != nil {
		what += ", not all of it"
	}
	return what
}

// CopyError says that this is a copy, in which nothing can be written. Nothing
// was.
type CopyError struct {
	Ledger string
	Origin string // where one can write: an address, or how the origin's JetStream is reached
}

func (e *CopyError) Error() string {
	return fmt.Sprintf("eventstore: this is a copy of ledger %s, which can only be read; its origin is %s", e.Ledger, e.Origin)
}

// NoCopyError says that there is no copy where one was to be opened.
type NoCopyError struct {
	Ledger string
	Itself bool // the ledger itself is there
}

func (e *NoCopyError) Error() string {
	if e.Itself {
		return "eventstore: ledger " + e.Ledger + " is here itself, and not a copy of it"
	}
	return "eventstore: there is no copy of ledger " + e.Ledger + " here"
}

// Copy says how a copy is.
type Copy struct {
	Origin string        // as in CopyError
	Lag    uint64        // records that the origin had more when it was last heard of
	Heard  time.Duration // since then; negative when it was not heard of since the server started
}

// Writable returns nil, or a *CopyError for a copy.
func (s *Store) Writable() error {
	if s.copyOf == "" {
		return nil
	}
	return &CopyError{Ledger: s.cfg.Ledger, Origin: s.copyOf}
}

// checkCopy checks the settings of a stream that is to be a mirror.
func checkCopy(got jetstream.StreamConfig, ledger string) error {
	if got.Mirror == nil {
		return &NoCopyError{Ledger: ledger, Itself: true}
	}
	return compareConfig(got, mirrorConfig(got.Name, got.Replicas, MirrorConfig{}))
}

// originOf names the origin of a mirror.
func originOf(cfg jetstream.StreamConfig) string {
	if cfg.Mirror == nil {
		return ""
	}
	origin := cfg.Metadata[originKey]
	if origin == "" && cfg.Mirror.External != nil {
		origin = cfg.Mirror.External.APIPrefix
	}
	return cmp.Or(origin, "elsewhere in the cluster")
}

// wholeUpTo is the last sequence at or before a record, with its headers, that
// is not in the middle of an append: of a mirror the rest may not have come yet.
func wholeUpTo(seq uint64, h nats.Header) (uint64, error) {
	p := placeOf(h)
	if p.id == "" || p.last {
		return seq, nil
	}
	n, err := strconv.ParseUint(p.n, 10, 64)
	if err != nil || n > seq {
		return 0, &TornBatchError{Batch: p.id, Seq: seq}
	}
	return seq - n, nil
}

// parseHeaders reads the headers of a message as the server tells them: a line
// with their version, and then each on its line.
func parseHeaders(raw []byte) (nats.Header, error) {
	if len(raw) == 0 {
		return nats.Header{}, nil
	}
	_, raw, _ = bytes.Cut(raw, []byte("\r\n"))
	h, err := textproto.NewReader(bufio.NewReader(bytes.NewReader(raw))).ReadMIMEHeader()
	if err != nil {
		return nil, fmt.Errorf("headers not understood: %w", err)
	}
	return nats.Header(h), nil
}

package eventstore

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Info describes the log at one moment.
type Info struct {
	Ledger        string `json:"ledger"`
	Stream        string `json:"stream"`
	FirstSeq      uint64 `json:"first_seq"`
	LastSeq       uint64 `json:"last_seq"`
	Messages      uint64 `json:"messages"`
	Bytes         uint64 `json:"bytes"`
	Subjects      uint64 `json:"subjects"`
	Mode          string `json:"mode"` // embedded or external
	ServerVersion string `json:"server_version"`
	Replicas      int    `json:"replicas"`
	Current       int    `json:"current"` // replicas that have the whole log
	Leader        string `json:"leader"`  // of a cluster
	// SyncAlways is "true", "false" or "unknown": whether the server syncs to
	// disk before it acknowledges.
	SyncAlways string `json:"sync_always"`
	Connected  bool   `json:"connected"`
	// Skew is how far the clock of this process (Config.Now) is ahead of that of
	// the server that keeps the log: known to half the time that the question took.
	Skew time.Duration `json:"skew"`
	// Copy says how a copy is, nil for the ledger itself.
	Copy *Copy `json:"copy,omitempty"`
}

// Info asks the server about the log.
func (s *Store) Info(ctx context.Context) (Info, error) {
	si, skew, err := s.streamInfo(ctx, s.stream)
	if err != nil {
		return Info{}, fmt.Errorf("eventstore: info: %w", err)
	}
	mode := "external"
	if s.srv.Load() != nil {
		mode = "embedded"
	}
	var copied *Copy
	if s.copyOf != "" {
		copied = &Copy{Origin: s.copyOf, Heard: -1}
		if si.Mirror != nil {
			copied.Lag, copied.Heard = si.Mirror.Lag, si.Mirror.Active
		}
	}
	current, leader := 1, ""
	if c := si.Cluster; c != nil && len(c.Replicas) > 0 {
		leader, current = c.Leader, 0
		if leader != "" {
			current = 1
		}
		for _, peer := range c.Replicas {
			if peer.Current && !peer.Offline {
				current++
			}
		}
	}
	return Info{
		Current:       current,
		Leader:        leader,
		Copy:          copied,
		Skew:          skew,
		Ledger:        s.cfg.Ledger,
		Stream:        s.stream,
		FirstSeq:      si.State.FirstSeq,
		LastSeq:       si.State.LastSeq,
		Messages:      si.State.Msgs,
		Bytes:         si.State.Bytes,
		Subjects:      si.State.NumSubjects,
		Mode:          mode,
		ServerVersion: s.read.ConnectedServerVersion(),
		Replicas:      si.Config.Replicas,
		SyncAlways:    s.syncAlways,
		Connected:     s.Connected(),
	}, nil
}

// Scratch is a stream like the ledger's, in the same server, to measure raw
// JetStream against.
type Scratch struct {
	Conn      *nats.Conn
	JetStream jetstream.JetStream
	Stream    string
	Prefix    string // of its subjects, with the final dot
}

// Scratch makes a stream with the settings of the ledger's, except that it is
// meant to be deleted: the caller calls cleanup.
func (s *Store) Scratch(ctx context.Context, name string) (sc *Scratch, cleanup func() error, err error) {
	if err := CheckLedger(name); err != nil {
		return nil, nil, err
	}
	nc := s.read
	prefix := strings.Join([]string{subjectRoot + "-scratch", s.cfg.Ledger, name, ""}, ".")
	cfg := streamConfig("milepost-scratch-"+s.cfg.Ledger+"-"+name, s.replicas, prefix+">")
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, nil, err
	}
	if _, err := js.CreateStream(ctx, cfg); err != nil {
		return nil, nil, fmt.Errorf("eventstore: scratch stream: %w", err)
	}
	cleanup = func() error {
		ctx, cancel := context.WithTimeout(context.Background(), readTimeout)
		defer cancel()
		return js.DeleteStream(ctx, cfg.Name)
	}
	return &Scratch{Conn: nc, JetStream: js, Stream: cfg.Name, Prefix: prefix}, cleanup, nil
}

// Raw is the connection the store reads on, for measurements.
func (s *Store) Raw() *nats.Conn { return s.read }

// Connected reports whether the server can be reached: new records are heard.
func (s *Store) Connected() bool { return s.write.IsConnected() && s.read.IsConnected() }

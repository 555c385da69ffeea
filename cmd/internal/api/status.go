package api

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/milepost-ledger/milepost/eventstore"
	"github.com/milepost-ledger/milepost/projections"
)

// Status says where a ledger stands. Digest is of the read models at
// ProjectedSeq.
type Status struct {
	Ledger       string     `json:"ledger"`
	FirstSeq     uint64     `json:"first_seq" doc:"First sequence of the log; 0 when it is empty."`
	LastSeq      uint64     `json:"last_seq" doc:"Last sequence of the log."`
	ProjectedSeq uint64     `json:"projected_seq" doc:"Sequence that the read models have reached."`
	Events       uint64     `json:"events" doc:"Events in the log."`
	Digest       string     `json:"digest" doc:"Digest of the read models at projected_seq: equal read models have equal digests."`
	At           *time.Time `json:"at" doc:"Ledger time at projected_seq; null for an empty ledger."`
	Bytes        uint64     `json:"bytes" doc:"Size of the log."`
	Timezone     string     `json:"timezone" doc:"The ledger's time zone, for civil dates."`
	Version      string     `json:"version" doc:"Version of the program."`
	Ready        bool       `json:"ready"`
	Reasons      []string   `json:"reasons" doc:"Why it is not ready."`
	NATS         NATSStatus `json:"nats"`
	Build        Build      `json:"build" doc:"How the making of new read models gets on. Those before serve until it is done, and when it fails."`
	Integrity    Integrity  `json:"integrity" doc:"How far the log is signed for, and checked."`
	Started      time.Time  `json:"started" doc:"When the server was started."`
	Front        string     `json:"front" enum:"loopback,tls,proxy" doc:"How it is reached: from this machine only, by TLS of its own, or by a proxy."`
	Disk         DiskStatus `json:"disk" doc:"What lies in its data directory."`
	ViewsOpen    int        `json:"views_open" doc:"Views, of what some may see of the ledger, that are kept up with the log."`
	LastBackup   *time.Time `json:"last_backup" doc:"When a backup was last sent whole by this server; null where none is known of."`

	Subscribers *SubscribersStatus `json:"subscribers,omitempty" doc:"Programs that read by NATS; absent where this server does not look after them."`
	Webhooks    *WebhooksStatus    `json:"webhooks,omitempty" doc:"Deliveries; absent where this server delivers none."`

	Copy *CopyStatus `json:"copy,omitempty" doc:"How a copy is; absent for the ledger itself."`
}

// Build says how the making of read models gets on, or what came of the last.
type Build struct {
	State  string     `json:"state" enum:"none,running,done,failed"`
	Due    string     `json:"due" doc:"Why the read models that serve are to be made anew; empty when they are not."`
	Why    string     `json:"why" doc:"Why they are, or were last, made; empty when they were not since the server started."`
	Seq    uint64     `json:"seq" doc:"Sequence up to which they are made."`
	Until  uint64     `json:"until" doc:"Sequence up to which they are to be made at first."`
	Began  *time.Time `json:"began"`
	Ended  *time.Time `json:"ended" doc:"null while they are being made."`
	Made   int        `json:"made" doc:"How often they were made since the server started."`
	Failed int        `json:"failed" doc:"And how often they could not be."`
	Error  string     `json:"error" doc:"Why the last try failed; empty when it did not. It is tried again by itself where due says why."`
}

func buildStatus(b projections.Build) Build {
	s := Build{State: "none", Due: b.Due, Why: b.Why, Seq: b.Seq, Until: b.Until, Made: b.Made, Failed: b.Failed}
	switch {
	case b.Running:
		s.State = "running"
	case b.Err != nil:
		s.State = "failed"
	case b.Made > 0:
		s.State = "done"
	}
	if b.Err != nil {
		s.Error = b.Err.Error()
	}
	if began := b.Began.UTC(); !began.IsZero() {
		s.Began = &began
	}
	if ended := b.Ended.UTC(); !ended.IsZero() {
		s.Ended = &ended
	}
	return s
}

// CopyStatus says of a copy how near it is to its origin.
type CopyStatus struct {
	Origin string   `json:"origin" doc:"Where the ledger itself is, and can be written to."`
	Lag    uint64   `json:"lag" doc:"Events that the origin had more when it was last heard of."`
	Heard  *float64 `json:"heard" doc:"Seconds since the origin was last heard of; null when it was not since the copy's server started."`
}

func copyStatus(c *eventstore.Copy) *CopyStatus {
	if c == nil {
		return nil
	}
	status := &CopyStatus{Origin: c.Origin, Lag: c.Lag}
	if c.Heard >= 0 {
		seconds := c.Heard.Seconds()
		status.Heard = &seconds
	}
	return status
}

// NATSStatus says what keeps the log.
type NATSStatus struct {
	Mode          string `json:"mode" enum:"embedded,external"`
	ServerVersion string `json:"server_version"`
	SyncAlways    *bool  `json:"sync_always" doc:"Whether each event is synced to disk before it is acknowledged; null when the server does not say."`
	Replicas      int    `json:"replicas"`
	Current       int    `json:"current" doc:"How many of the replicas have the whole log."`
	Leader        string `json:"leader,omitempty" doc:"The server of the cluster that takes writes; absent where there is one alone."`
	Connected     bool   `json:"connected"`
}

type statusAnswer struct{ Body Status }

func (s *server) status() {
	get(s, huma.Operation{
		OperationID: "status", Path: "/v1/status", Tags: []string{"operations"}, Summary: "Where the ledger stands.",
		Errors: []int{400, 403, 500, 503},
	}, func(ctx context.Context, in *struct {
		MinSeq uint64 `query:"min_seq" doc:"Wait until the read models have reached this sequence."`
	}) (*statusAnswer, error) {
		if in.MinSeq > 0 {
			if err := s.await(ctx, in.MinSeq); err != nil {
				return nil, err
			}
		}
		status, err := s.wholeStatus(ctx)
		return &statusAnswer{status}, err
	})
}

// wholeStatus asks how it is.
func (s *server) wholeStatus(ctx context.Context) (Status, error) {
	status, err := s.readStatus(ctx)
	if err == nil {
		status.Integrity, err = s.integrity(ctx, status.LastSeq)
		s.operating(ctx, &status)
	}
	return status, err
}

// readStatus asks how it is, but for the integrity, which takes questions to the
// read models: whether it is ready must be answered at once.
func (s *server) readStatus(ctx context.Context) (Status, error) {
	position := s.cfg.Models.Position() // before the log's: never beyond it
	info, err := s.cfg.Store.Info(ctx)
	if err != nil {
		return Status{}, err
	}
	status := Status{
		Ledger: info.Ledger, LastSeq: info.LastSeq, ProjectedSeq: position.Seq, Events: info.Messages, Digest: position.Digest,
		Bytes: info.Bytes, Timezone: s.cfg.Location.String(), Version: s.cfg.Version,
		NATS:  NATSStatus{Mode: info.Mode, ServerVersion: info.ServerVersion, Replicas: info.Replicas, Current: info.Current, Leader: info.Leader, Connected: info.Connected},
		Build: buildStatus(s.cfg.Models.Build()),
		Copy:  copyStatus(info.Copy),
	}
	if info.Messages > 0 {
		status.FirstSeq = info.FirstSeq // of an empty stream it is 0 or 1, by its history
	}
	if position.Seq > 0 {
		status.At = &position.At
	}
	if known := info.SyncAlways; known == "true" || known == "false" {
		always := known == "true"
		status.NATS.SyncAlways = &always
	}
	status.Reasons = s.notReady(position, info.LastSeq, info.Connected)
	if stopping(ctx) {
		status.Reasons = append(status.Reasons, "the server is told to stop")
	}
	status.Ready = len(status.Reasons) == 0
	return status, nil
}

package api

import (
	"context"
	"errors"
	"net/http"
	"strings"
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

// Integrity says how far the log is signed for, and whether it is still what it
// was.
type Integrity struct {
	Checkpoint uint64       `json:"checkpoint" doc:"Sequence up to which the newest checkpoint covers the log."`
	SignedAt   *time.Time   `json:"signed_at" doc:"When that was signed; null before the first."`
	Settled    uint64       `json:"settled" doc:"Sequence up to which every party that has registered a key has countersigned the ledger's tree; 0 when no party has."`
	Awaits     []AwaitedKey `json:"awaits" doc:"The parties whose countersignature does not cover the whole log yet."`
	Scrub      Scrub        `json:"scrub"`
	Finding    string       `json:"finding" doc:"What is wrong; empty while all agrees."`
}

// Scrub says how far the log has been read and hashed again.
type Scrub struct {
	State  string     `json:"state" enum:"off,beginning,waiting,reading,failed"`
	Seq    uint64     `json:"seq" doc:"Sequence up to which the present pass has come."`
	Until  uint64     `json:"until" doc:"Sequence at which it ends."`
	Passes uint64     `json:"passes" doc:"Complete passes since the server started."`
	Last   *time.Time `json:"last" doc:"When the last complete pass ended; null before the first."`
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

// health serves what supervisors ask: is it alive, may it be sent requests, how
// is it doing.
func (s *server) health() {
	plain := func(doc string) map[string]*huma.Response {
		return map[string]*huma.Response{"200": {Description: doc, Content: map[string]*huma.MediaType{
			"text/plain": {Schema: &huma.Schema{Type: huma.TypeString}},
		}}}
	}
	ok := func(w http.ResponseWriter) error {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte("ok\n"))
		return nil
	}
	s.handle(huma.Operation{
		OperationID: "healthz", Method: http.MethodGet, Path: "/healthz", Tags: []string{"operations"},
		Summary: "Whether the process lives.", Responses: plain("It does."), Errors: []int{400, 403},
	}, func(w http.ResponseWriter, _ *http.Request) error { return ok(w) })

	s.handle(huma.Operation{
		OperationID: "readyz", Method: http.MethodGet, Path: "/readyz", Tags: []string{"operations"},
		Summary:   "Whether it can serve: the log answers, and the read models follow it.",
		Responses: plain("It can."), Errors: []int{400, 403, 503},
	}, func(w http.ResponseWriter, r *http.Request) error {
		if stopping(r.Context()) {
			return newProblem(CodeStopping, "", "The server is told to stop. Ask another one, or this one in a moment.")
		}
		ctx, cancel := context.WithTimeout(r.Context(), s.cfg.Patience)
		defer cancel()
		status, err := s.readStatus(ctx)
		if err != nil {
			return err
		}
		if status.Ready {
			return ok(w)
		}
		p := newProblem(CodeNotReady, "", "The server is not ready; reasons says why.")
		p.Asked, p.Reached = &status.LastSeq, &status.ProjectedSeq
		for _, reason := range status.Reasons {
			if strings.HasPrefix(reason, modelsStopped) {
				reason = modelsStopped // at what is not for strangers
			}
			p.Reasons = append(p.Reasons, reason)
		}
		return p
	})

	metrics := s.metrics.handler()
	s.handle(huma.Operation{
		OperationID: "metrics", Method: http.MethodGet, Path: "/metrics", Tags: []string{"operations"},
		Summary: "Metrics, for Prometheus.", Responses: plain("In Prometheus' text format."), Errors: []int{403},
	}, func(w http.ResponseWriter, r *http.Request) error {
		metrics.ServeHTTP(w, r)
		return nil
	})
}

const modelsStopped = "the read models have stopped"

// notReady says why requests should go elsewhere, if they should. Once the read
// models have caught up, being a little behind a busy log is no reason.
func (s *server) notReady(position projections.Position, last uint64, connected bool) []string {
	reasons := []string{}
	if !connected {
		reasons = append(reasons, "there is no connection to the log")
	}
	switch lag := int64(last) - int64(position.Seq); {
	case position.Err != nil:
		reasons = append(reasons, modelsStopped+": "+position.Err.Error())
	case !position.Ready:
		reasons = append(reasons, "the read models are being made")
	case lag <= 0:
		s.caughtUp.Store(true)
	case !s.caughtUp.Load():
		reasons = append(reasons, "the read models have not caught up with the log yet")
	case lag > int64(s.cfg.MaxLag):
		reasons = append(reasons, "the read models are too far behind the log")
	}
	if err := s.cfg.Notary.Err(); err != nil {
		reasons = append(reasons, err.Error())
	}
	return reasons
}

// integrity says how far the log is signed for and checked.
func (s *server) integrity(ctx context.Context, last uint64) (Integrity, error) {
	now := s.cfg.Notary.Scrub()
	i := Integrity{Awaits: []AwaitedKey{}, Checkpoint: s.cfg.Notary.Size(), Scrub: Scrub{State: now.State, Seq: now.Seq, Until: now.Until, Passes: now.Passes}}
	if at := s.cfg.Notary.SignedAt(); !at.IsZero() {
		i.SignedAt = &at
	}
	if !now.Last.IsZero() {
		i.Scrub.Last = &now.Last
	}
	if err := s.cfg.Notary.Err(); err != nil {
		i.Finding = err.Error()
	}
	t, err := s.settler(ctx)
	if behind := (*projections.BehindError)(nil); errors.As(err, &behind) {
		return i, nil // the keys are not known yet
	}
	if err != nil {
		return i, err
	}
	if i.Settled, err = t.settledUpTo(); err != nil {
		return i, err
	}
	covered, err := t.coveredOf("")
	for _, w := range t.witnesses {
		if covered[w.party] < last {
			i.Awaits = append(i.Awaits, AwaitedKey{w.party, covered[w.party]})
		}
	}
	return i, err
}

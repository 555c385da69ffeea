package api

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/milepost-ledger/milepost/eventstore/durable"
)

// DiskStatus says what lies in the server's data directory, in bytes.
type DiskStatus struct {
	Log        *int64 `json:"log" doc:"The log and the evidence; null where an external server keeps them."`
	ReadModels int64  `json:"read_models" doc:"The read models of the whole ledger."`
	Views      int64  `json:"views" doc:"Those of what some may see of it."`
	Free       *int64 `json:"free" doc:"Room that is left on the disk; null where it cannot be told."`
}

// SubscribersStatus says how programs that read by NATS are.
type SubscribersStatus struct {
	Active  int    `json:"active"`
	CutOff  int    `json:"cut_off" doc:"Disconnected, since something that they read of is restricted."`
	Pending uint64 `json:"pending" doc:"Events that the one furthest behind has not been given yet."`
}

// WebhooksStatus says how the deliveries of the webhooks are.
type WebhooksStatus struct {
	Enabled  int    `json:"enabled"`
	Disabled int    `json:"disabled"`
	Failing  int    `json:"failing" doc:"Enabled, and the last request was a failure."`
	Lag      uint64 `json:"lag" doc:"Sequences of the log that the one furthest behind has not got to."`
}

// operating completes a status with what an operator wants to know beside. What
// cannot be asked at present is left out.
func (s *server) operating(ctx context.Context, status *Status) {
	status.Started, status.Front = s.started, s.cfg.Front.name()
	status.ViewsOpen = s.cfg.Views.Open()
	status.LastBackup = s.lastBackup()
	status.Disk.ReadModels, _ = sizeOf(s.cfg.ModelsDir)
	status.Disk.Views = bytesBelow(filepath.Join(s.cfg.ModelsDir, "views"))
	if status.NATS.Mode == "embedded" {
		n := bytesBelow(filepath.Join(s.cfg.ModelsDir, "jetstream"))
		status.Disk.Log = &n
	}
	if free, err := durable.Free(s.cfg.ModelsDir); err == nil {
		status.Disk.Free = &free
	}
	if s.cfg.Subscribers != nil {
		if list, err := s.cfg.Subscribers.List(ctx); err == nil {
			status.Subscribers = &SubscribersStatus{}
			for _, lag := range list {
				switch lag.State {
				case "active":
					status.Subscribers.Active++
				case "cut-off":
					status.Subscribers.CutOff++
				default:
					continue // nobody waits for what was revoked
				}
				status.Subscribers.Pending = max(status.Subscribers.Pending, lag.Pending)
			}
		}
	}
	if s.cfg.Webhooks != nil {
		status.Webhooks = &WebhooksStatus{}
		for _, d := range s.cfg.Webhooks.Deliveries() {
			switch {
			case d.State != "enabled":
				status.Webhooks.Disabled++
				continue
			case d.FailingSince != nil:
				status.Webhooks.Failing++
			}
			status.Webhooks.Enabled++
			status.Webhooks.Lag = max(status.Webhooks.Lag, d.Lag)
		}
	}
}

// name is how it is told to an operator.
func (f Front) name() string {
	switch {
	case f.Proxied != "":
		return "proxy"
	case f.TLS:
		return "tls"
	}
	return "loopback"
}

func bytesBelow(dir string) (bytes int64) {
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error { // what is gone since counts as nothing
		if err == nil && d.Type().IsRegular() {
			if info, err := d.Info(); err == nil {
				bytes += info.Size()
			}
		}
		return nil
	})
	return bytes
}

// When a backup was last sent whole is kept beside the read models, or each restart
// would raise an alarm that there is none.
func (s *server) backupFile() string { return filepath.Join(s.cfg.ModelsDir, "last-backup") }

func (s *server) noteBackup(ctx context.Context) {
	if s.cfg.ModelsDir == "" {
		return
	}
	if err := durable.WriteFile(s.backupFile(), []byte(s.clock().UTC().Format(time.RFC3339)+"\n"), 0o640); err != nil {
		s.cfg.Logger.WarnContext(ctx, "the time of the backup could not be kept", "error", err)
	}
}

// lastBackup is nil where none is known of.
func (s *server) lastBackup() *time.Time {
	text, err := os.ReadFile(s.backupFile())
	if err != nil {
		return nil
	}
	at, err := time.Parse(time.RFC3339, strings.TrimSpace(string(text)))
	if err != nil {
		return nil
	}
	return &at
}

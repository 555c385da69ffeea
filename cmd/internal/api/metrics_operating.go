package api

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/milepost-ledger/milepost/eventstore"
	"github.com/milepost-ledger/milepost/eventstore/durable"
	"github.com/milepost-ledger/milepost/projections"
)

// Gauges that say what Status says to an operator, for alarms.
var (
	gaugeSignedAt = prometheus.NewDesc("milepost_checkpoint_timestamp_seconds", "When the newest checkpoint was signed.", nil, nil)
	gaugeFree     = prometheus.NewDesc("milepost_disk_free_bytes", "Room that is left on the disk of the data directory.", nil, nil)
	gaugeViews    = prometheus.NewDesc("milepost_views_open", "Views that are kept up with the log.", nil, nil)
	gaugeBackup   = prometheus.NewDesc("milepost_last_backup_timestamp_seconds", "When a backup was last sent whole by this server.", nil, nil)
	gaugeReady    = prometheus.NewDesc("milepost_ready", "1 while /readyz says ok; else 0.", nil, nil)
	gaugeReplicas = prometheus.NewDesc("milepost_log_replicas", "Servers that are to have the log.", nil, nil)
	gaugeCurrent  = prometheus.NewDesc("milepost_log_replicas_current", "Those that have all of it.", nil, nil)
	gaugeCopyLag  = prometheus.NewDesc("milepost_copy_lag_events", "Events that the origin of a copy had more when it was last heard of.", nil, nil)
	gaugePending  = prometheus.NewDesc("milepost_subscriber_pending_events", "Events that a subscriber has not been given yet.", []string{"subscriber"}, nil)
)

var operatingGauges = []*prometheus.Desc{gaugeSignedAt, gaugeFree, gaugeViews, gaugeBackup, gaugeReady, gaugeReplicas, gaugeCurrent, gaugeCopyLag, gaugePending}

// operating adds those that do not need the log.
func (g *gauges) operating(ctx context.Context, gauge func(*prometheus.Desc, float64), metrics chan<- prometheus.Metric) {
	s := g.server
	if at := s.cfg.Notary.SignedAt(); !at.IsZero() {
		gauge(gaugeSignedAt, float64(at.Unix()))
	}
	gauge(gaugeViews, float64(s.cfg.Views.Open()))
	if at := s.lastBackup(); at != nil {
		gauge(gaugeBackup, float64(at.Unix()))
	}
	if free, err := durable.Free(s.cfg.ModelsDir); err == nil {
		gauge(gaugeFree, float64(free))
	}
	if s.cfg.Subscribers == nil {
		return
	}
	if list, err := s.cfg.Subscribers.List(ctx); err == nil {
		for _, lag := range list {
			if lag.State != "revoked" {
				metrics <- prometheus.MustNewConstMetric(gaugePending, prometheus.GaugeValue, float64(lag.Pending), string(lag.Subscriber))
			}
		}
	}
}

// ofLog adds those of what keeps the log.
func (g *gauges) ofLog(info eventstore.Info, position projections.Position, gauge func(*prometheus.Desc, float64)) {
	ready := 0.0
	if len(g.server.notReady(position, info.LastSeq, info.Connected)) == 0 {
		ready = 1
	}
	gauge(gaugeReady, ready)
	gauge(gaugeReplicas, float64(info.Replicas))
	gauge(gaugeCurrent, float64(info.Current))
	if info.Copy != nil {
		gauge(gaugeCopyLag, float64(info.Copy.Lag))
	}
}

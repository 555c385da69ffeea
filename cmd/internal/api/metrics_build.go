package api

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/milepost-ledger/milepost/projections"
)

// buildMetrics tell how the making of new read models gets on, when they are asked
// for.
type buildMetrics struct{ models *projections.Models }

var (
	buildRunning  = prometheus.NewDesc("milepost_build_running", "1 while new read models are made, else 0.", nil, nil)
	buildSequence = prometheus.NewDesc("milepost_build_sequence", "Sequence up to which new read models are, or were last, made.", nil, nil)
	buildDue      = prometheus.NewDesc("milepost_build_due", "1 while the read models that serve are of a former version, else 0.", nil, nil)
	buildDuration = prometheus.NewDesc("milepost_build_duration_seconds", "Time of the present or the last making of read models.", nil, nil)
	buildsTotal   = prometheus.NewDesc("milepost_builds_total", "Makings of read models since the start, by result; done or failed.", []string{"result"}, nil)
)

// Describe implements prometheus.Collector.
func (m buildMetrics) Describe(descs chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{buildRunning, buildSequence, buildDue, buildDuration, buildsTotal} {
		descs <- d
	}
}

// Collect implements prometheus.Collector.
func (m buildMetrics) Collect(metrics chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64) {
		metrics <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v)
	}
	truth := map[bool]float64{true: 1}
	b := m.models.Build()
	took := b.Ended.Sub(b.Began)
	if b.Running {
		took = time.Since(b.Began)
	}
	gauge(buildRunning, truth[b.Running])
	gauge(buildSequence, float64(b.Seq))
	gauge(buildDue, truth[b.Due != ""])
	gauge(buildDuration, took.Seconds())
	for result, n := range map[string]int{"done": b.Made, "failed": b.Failed} {
		metrics <- prometheus.MustNewConstMetric(buildsTotal, prometheus.CounterValue, float64(n), result)
	}
}

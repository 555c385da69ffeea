package webhook

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/milepost-ledger/milepost/domain"
)

// metrics are what the deliverer counts.
type metrics struct {
	accepted *prometheus.CounterVec
	failures *prometheus.CounterVec
	took     prometheus.Histogram
}

func newMetrics() metrics {
	return metrics{
		accepted: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "milepost_webhook_delivered_total", Help: "Events that a webhook's receiver accepted.",
		}, []string{"webhook"}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "milepost_webhook_failures_total", Help: "Requests of a webhook that were not accepted.",
		}, []string{"webhook"}),
		took: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "milepost_webhook_duration_seconds", Buckets: prometheus.ExponentialBucketsRange(0.0001, 10, 16),
			Help: "Time of a webhook's request that was accepted.",
		}),
	}
}

func (m *metrics) delivered(webhook domain.Key, took time.Duration) {
	m.accepted.WithLabelValues(string(webhook)).Inc()
	m.took.Observe(took.Seconds())
}

func (m *metrics) failed(webhook domain.Key) { m.failures.WithLabelValues(string(webhook)).Inc() }

func (m *metrics) forget(webhook domain.Key) {
	m.accepted.DeleteLabelValues(string(webhook))
	m.failures.DeleteLabelValues(string(webhook))
}

var gaugeLag = prometheus.NewDesc("milepost_webhook_lag_events", "Sequences of the log that a webhook has not got to.", []string{"webhook"}, nil)

var gaugeFailing = prometheus.NewDesc("milepost_webhook_failing", "Requests of a webhook that were failures since its last success.", []string{"webhook"}, nil)

// Describe implements prometheus.Collector.
func (d *Deliverer) Describe(descs chan<- *prometheus.Desc) {
	d.metrics.accepted.Describe(descs)
	d.metrics.failures.Describe(descs)
	d.metrics.took.Describe(descs)
	descs <- gaugeLag
	descs <- gaugeFailing
}

// Collect implements prometheus.Collector. What cannot be read is left out.
func (d *Deliverer) Collect(to chan<- prometheus.Metric) {
	d.metrics.accepted.Collect(to)
	d.metrics.failures.Collect(to)
	d.metrics.took.Collect(to)
	for _, s := range d.Deliveries() {
		gauge := func(desc *prometheus.Desc, v float64) {
			to <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, v, string(s.Webhook))
		}
		gauge(gaugeLag, float64(s.Lag))
		gauge(gaugeFailing, float64(s.Failures))
	}
}

package api

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
	"github.com/milepost-ledger/milepost/eventstore"
	"github.com/milepost-ledger/milepost/eventstore/notary"
	"github.com/milepost-ledger/milepost/projections"
)

// Metrics are what the server counts, in a registry of their own. It is made
// first, because the store, the ledger and the read models report to it from
// when they open.
type Metrics struct {
	registry *prometheus.Registry

	appends       *prometheus.HistogramVec
	batchMessages prometheus.Histogram
	commands      *prometheus.CounterVec
	commandTime   prometheus.Histogram
	retries       prometheus.Counter
	conflicts     prometheus.Counter
	imported      prometheus.Counter
	projection    prometheus.Histogram
	projected     prometheus.Counter
	lag           prometheus.Histogram
	requests      *prometheus.CounterVec
	requestTime   *prometheus.HistogramVec
	streams       prometheus.Gauge
	streamEvents  prometheus.Counter
	streamsEnded  *prometheus.CounterVec
}

// NewMetrics registers the metrics with reg, or with a new registry when reg is
// nil. Nothing is registered globally.
func NewMetrics(reg *prometheus.Registry) *Metrics {
	if reg == nil {
		reg = prometheus.NewRegistry()
	}
	latency := prometheus.ExponentialBucketsRange(0.0001, 10, 16)
	m := &Metrics{
		registry: reg,
		appends: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "milepost_append_duration_seconds", Buckets: latency,
			Help: "Time of one commit to the log, by result; ok, or why it failed.",
		}, []string{"result"}),
		batchMessages: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "milepost_append_messages", Buckets: []float64{1, 2, 5, 10, 20, 50, 100, 200, 500, 1000},
			Help: "Events of one commit to the log.",
		}),
		commands: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "milepost_commands_total", Help: "Commands by name and code; ok when done, else the code of the problem.",
		}, []string{"command", "code"}),
		commandTime: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "milepost_command_duration_seconds", Buckets: latency, Help: "Time of one command, from decoded to done or refused.",
		}),
		retries: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "milepost_command_retries_total", Help: "Times that a command was decided again, after a conflict or a lost acknowledgement.",
		}),
		conflicts: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "milepost_append_conflicts_total", Help: "Commits that the log refused because an aggregate had moved on.",
		}),
		imported: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "milepost_imported_commands_total", Help: "Commands that imports carried out.",
		}),
		projection: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "milepost_projection_batch_duration_seconds", Buckets: latency, Help: "Time of one transaction of the read models.",
		}),
		projected: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "milepost_projected_events_total", Help: "Events that went into the read models.",
		}),
		lag: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "milepost_projection_lag_seconds", Buckets: latency, Help: "Time from when an event was stored until the read models had it.",
		}),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "milepost_http_requests_total", Help: "HTTP requests by route and status.",
		}, []string{"route", "status"}),
		requestTime: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "milepost_http_request_duration_seconds", Buckets: latency, Help: "Time of an HTTP request by route.",
		}, []string{"route"}),
		streams: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "milepost_streams_open", Help: "Streams of events that are open.",
		}),
		streamEvents: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "milepost_stream_events_total", Help: "Events that were sent to the readers of streams.",
		}),
		streamsEnded: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "milepost_streams_ended_total", Help: "Streams of events that ended, by why; dropped for readers that were too slow.",
		}, []string{"reason"}),
	}
	reg.MustRegister(m.streams, m.streamEvents, m.streamsEnded, m.appends, m.batchMessages, m.commands, m.commandTime, m.retries, m.conflicts, m.imported,
		m.projection, m.projected, m.lag, m.requests, m.requestTime,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// ObserveAppend is for eventstore.Config.Observe.
func (m *Metrics) ObserveAppend(a eventstore.AppendStats) {
	result := a.Err
	if result == "" {
		result = "ok"
		m.batchMessages.Observe(float64(a.Messages))
	}
	if result == "conflict" {
		m.conflicts.Inc()
	}
	m.appends.WithLabelValues(result).Observe(a.Duration.Seconds())
}

// ObserveCommand is for ledger.Options.Observe.
func (m *Metrics) ObserveCommand(o ledger.Outcome) {
	code := "ok"
	if o.Err != nil {
		code = problemOf(o.Err).Code
	}
	m.commands.WithLabelValues(o.Command, code).Inc()
	m.commandTime.Observe(o.Duration.Seconds())
	m.retries.Add(float64(o.Retries))
}

// ObserveProjection is for projections.Options.Observe.
func (m *Metrics) ObserveProjection(b projections.Batch) {
	m.projection.Observe(b.Duration.Seconds())
	m.projected.Add(float64(b.Events))
	m.lag.Observe(b.Lag.Seconds())
}

func (m *Metrics) observeRequest(route string, status int, took time.Duration) {
	m.requests.WithLabelValues(route, strconv.Itoa(status)).Inc()
	if took > 0 {
		m.requestTime.WithLabelValues(route).Observe(took.Seconds())
	}
}

func (m *Metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{EnableOpenMetrics: true})
}

// watch adds the gauges that are read from the server when they are asked for.
func (m *Metrics) watch(s *server) { m.registry.MustRegister(&gauges{s}, buildMetrics{s.cfg.Models}) }

// gauges reads all sizes and positions at one moment.
type gauges struct{ server *server }

var (
	gaugeLast      = prometheus.NewDesc("milepost_log_last_sequence", "Last sequence of the log.", nil, nil)
	gaugeMessages  = prometheus.NewDesc("milepost_log_events", "Events in the log.", nil, nil)
	gaugeBytes     = prometheus.NewDesc("milepost_log_bytes", "Size of the log.", nil, nil)
	gaugeProjected = prometheus.NewDesc("milepost_projected_sequence", "Sequence that the read models have reached.", nil, nil)
	gaugeLag       = prometheus.NewDesc("milepost_projection_lag_events", "Events that the read models are behind the log.", nil, nil)
	gaugeModels    = prometheus.NewDesc("milepost_read_models_bytes", "Size of the read models.", nil, nil)
	gaugeSigned    = prometheus.NewDesc("milepost_checkpoint_sequence", "Sequence up to which the newest checkpoint covers the log.", nil, nil)
	gaugeScrubbed  = prometheus.NewDesc("milepost_scrub_sequence", "Sequence up to which the present pass of the scrub has read the log.", nil, nil)
	gaugePasses    = prometheus.NewDesc("milepost_scrub_passes", "Complete passes of the scrub since the start.", nil, nil)
	gaugeIntact    = prometheus.NewDesc("milepost_log_intact", "1 while the log is what was signed, as far as it was read again; else 0.", nil, nil)
	gaugeSkew      = prometheus.NewDesc("milepost_clock_skew_seconds", "How far the clock of this server is ahead of that of the log's; below 0 where it is behind. "+
		"Order does not depend on it, but the times that are recorded do: alert when it is more than a second either way for some minutes.", nil, nil)
	gaugeInFlight = prometheus.NewDesc("milepost_commands_in_flight", "Commands under way.", nil, nil)
	gaugeMost     = prometheus.NewDesc("milepost_commands_in_flight_limit", "Commands that may be under way; more are refused as overloaded.", nil, nil)
	gaugeRetry    = prometheus.NewDesc("milepost_commands_retry_after_seconds", "When a command that is refused as overloaded is told to come again.", nil, nil)
)

// Describe implements prometheus.Collector.
func (g *gauges) Describe(descs chan<- *prometheus.Desc) {
	for _, d := range append(operatingGauges, gaugeLast, gaugeMessages, gaugeBytes, gaugeProjected, gaugeLag, gaugeModels, gaugeSigned, gaugeScrubbed, gaugePasses, gaugeIntact, gaugeSkew, gaugeInFlight, gaugeMost, gaugeRetry) {
		descs <- d
	}
}

// Collect implements prometheus.Collector. What cannot be read is left out,
// as a gauge that is not there raises an alarm and a zero does not.
func (g *gauges) Collect(metrics chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64) {
		metrics <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	// The position first: it is never beyond the log, so the lag is never below 0.
	position := g.server.cfg.Models.Position()
	gauge(gaugeProjected, float64(position.Seq))
	gauge(gaugeInFlight, float64(g.server.inFlight.length()))
	gauge(gaugeMost, float64(g.server.cfg.MaxInFlight))
	gauge(gaugeRetry, g.server.inFlight.wait().Seconds())
	watch := g.server.cfg.Notary
	scrub := watch.Scrub()
	gauge(gaugeSigned, float64(watch.Size()))
	gauge(gaugeScrubbed, float64(scrub.Seq))
	gauge(gaugePasses, float64(scrub.Passes))
	var disagree *notary.DisagreeError
	intact := 1.0
	if errors.As(watch.Err(), &disagree) {
		intact = 0
	}
	gauge(gaugeIntact, intact)
	g.operating(ctx, gauge, metrics)
	if info, err := g.server.cfg.Store.Info(ctx); err == nil {
		g.ofLog(info, position, gauge)
		gauge(gaugeLast, float64(info.LastSeq))
		gauge(gaugeMessages, float64(info.Messages))
		gauge(gaugeBytes, float64(info.Bytes))
		gauge(gaugeSkew, info.Skew.Seconds())
		gauge(gaugeLag, float64(info.LastSeq)-float64(position.Seq))
	}
	if n, ok := sizeOf(g.server.cfg.ModelsDir); ok {
		gauge(gaugeModels, float64(n))
	}
}

// sizeOf sums the read models' files: SQLite's, its journals, and what is being
// built beside them.
func sizeOf(dir string) (bytes int64, ok bool) {
	files, err := filepath.Glob(filepath.Join(dir, "read-v*"))
	for _, name := range files {
		if info, err := os.Stat(name); err == nil { // it may be gone since
			bytes += info.Size()
		}
	}
	return bytes, dir != "" && err == nil
}

package engine

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/heed-app/heed/pkg/disclosure"
	"github.com/heed-app/heed/pkg/promise"
)

const namespace = "heed"

// Stats count what happens. They never carry text, titles or names of people, repositories or
// organisations. The zero moment of every count is the start of the process; how things stand is for
// Gauges to say.
type Stats struct {
	deliveries *prometheus.CounterVec
	effects    *prometheus.CounterVec
	cases      *prometheus.CounterVec
	promises   *prometheus.CounterVec
	findings   *prometheus.CounterVec
	calls      *prometheus.CounterVec

	think    prometheus.Histogram
	act      *prometheus.HistogramVec
	attempt  prometheus.Histogram
	exposure prometheus.Histogram
	sweep    prometheus.Histogram
	call     *prometheus.HistogramVec

	lastSweep prometheus.Gauge
}

// NewStats returns counters that stand at zero.
func NewStats() *Stats {
	vec := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, labels)
	}
	seconds := func(name, help string, buckets ...float64) prometheus.HistogramOpts {
		return prometheus.HistogramOpts{Namespace: namespace, Name: name, Help: help, Buckets: buckets}
	}
	wait := []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 3600, 86400}
	call := []float64{.025, .05, .1, .25, .5, 1, 2.5, 5, 10, 20}
	return &Stats{
		deliveries: vec("deliveries_total", "Deliveries that were thought about, or parked.", "outcome"),
		effects:    vec("effects_total", "Attempts at effects, by what came of them.", "action", "outcome"),
		cases:      vec("cases_total", "Cases that were opened.", "kind"),
		promises:   vec("promises_ended_total", "Promises that were kept in time, or after they had been broken.", "promise", "outcome"),
		findings:   vec("sweep_findings_total", "What the sweep found that no webhook had told.", "what"),
		calls:      vec("api_calls_total", "Calls to GitHub, by what came of them.", "kind", "outcome"),

		think:   prometheus.NewHistogram(seconds("think_seconds", "From the receipt of a delivery to the decision about it.", wait...)),
		act:     prometheus.NewHistogramVec(seconds("act_seconds", "From the decision to its effect on GitHub.", wait...), []string{"action"}),
		attempt: prometheus.NewHistogram(seconds("attempt_seconds", "One attempt at an effect, successful or not.", call...)),
		exposure: prometheus.NewHistogram(seconds("exposure_seconds", "How long reports stood in public before their text was taken out.",
			.1, .25, .5, 1, 2, 5, 10, 30, 60, 300, 3600, 86400)),
		sweep: prometheus.NewHistogram(seconds("sweep_seconds", "One comparison of GitHub with what is known.", .1, .5, 1, 2.5, 5, 10, 30, 60, 120, 300)),
		call:  prometheus.NewHistogramVec(seconds("api_seconds", "How long GitHub took to answer.", call...), []string{"kind"}),

		lastSweep: prometheus.NewGauge(prometheus.GaugeOpts{
			Namespace: namespace, Name: "last_sweep_timestamp_seconds", Help: "When GitHub was last compared with what is known without any failure; 0 before the first time, and on replicas that do not sweep.",
		}),
	}
}

func (s *Stats) all() []prometheus.Collector {
	return []prometheus.Collector{
		s.deliveries, s.effects, s.cases, s.promises, s.findings, s.calls, s.think, s.act, s.attempt, s.exposure, s.sweep, s.call, s.lastSweep,
	}
}

// Describe implements prometheus.Collector.
func (s *Stats) Describe(ch chan<- *prometheus.Desc) {
	for _, c := range s.all() {
		c.Describe(ch)
	}
}

// Collect implements prometheus.Collector.
func (s *Stats) Collect(ch chan<- prometheus.Metric) {
	for _, c := range s.all() {
		c.Collect(ch)
	}
}

// Called counts a call to GitHub.
func (s *Stats) Called(kind, outcome string, took time.Duration) {
	s.calls.WithLabelValues(kind, outcome).Inc()
	s.call.WithLabelValues(kind).Observe(took.Seconds())
}

func (s *Stats) delivery(outcome string)   { s.deliveries.WithLabelValues(outcome).Inc() }
func (s *Stats) thought(d time.Duration)   { s.think.Observe(d.Seconds()) }
func (s *Stats) attempted(d time.Duration) { s.attempt.Observe(d.Seconds()) }
func (s *Stats) found(what string)         { s.findings.WithLabelValues(what).Inc() }
func (s *Stats) exposed(d time.Duration)   { s.exposure.Observe(d.Seconds()) }

func (s *Stats) opened(k disclosure.Kind) { s.cases.WithLabelValues(string(k)).Inc() }

func (s *Stats) effect(a disclosure.Action, outcome string) {
	s.effects.WithLabelValues(string(a), outcome).Inc()
}

func (s *Stats) acted(a disclosure.Action, d time.Duration) {
	s.act.WithLabelValues(string(a)).Observe(d.Seconds())
}

func (s *Stats) swept(start, end time.Time, well bool) {
	s.sweep.Observe(end.Sub(start).Seconds())
	if well {
		s.lastSweep.Set(float64(end.UnixMilli()) / 1000)
	}
}

// ended counts the promises of a case that ended between two of its states.
func (s *Stats) ended(before, after disclosure.Case) {
	for _, k := range after.Clocks {
		if was := before.Clock(k.Rule.Kind); k.Stopped.IsZero() || was != nil && !was.Stopped.IsZero() {
			continue
		}
		s.promises.WithLabelValues(string(k.Rule.Kind), string(stands(k, k.Stopped))).Inc()
	}
}

// standing is how a promise stands.
type standing string

const (
	running standing = "running"
	paused  standing = "paused"
	overdue standing = "overdue"
	kept    standing = "kept"
	broken  standing = "broken" // what was promised was done, but late
)

func standings() []standing { return []standing{running, paused, overdue, kept, broken} }

func stands(k promise.Clock, now time.Time) standing {
	switch {
	case k.Kept():
		return kept
	case !k.Stopped.IsZero():
		return broken
	case !k.Paused.IsZero():
		return paused
	case k.Due().After(now):
		return running
	default:
		return overdue
	}
}

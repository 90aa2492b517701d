package engine

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/heed-app/heed/pkg/disclosure"
)

// Stats are the engine's metrics. They never carry text, titles or names of people.
type Stats struct {
	deliveries *prometheus.CounterVec
	effects    *prometheus.CounterVec
	cases      *prometheus.CounterVec
	findings   *prometheus.CounterVec
	exposure   prometheus.Histogram
}

func newStats() *Stats {
	vec := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "heed", Name: name, Help: help}, labels)
	}
	return &Stats{
		deliveries: vec("deliveries_total", "Deliveries that were thought about, or parked.", "outcome"),
		effects:    vec("effects_total", "Attempts at effects, by what came of them.", "action", "outcome"),
		cases:      vec("cases_total", "Cases that were opened.", "kind"),
		findings:   vec("sweep_findings_total", "What the sweep found that no webhook had told.", "what"),
		exposure: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: "heed", Name: "exposure_seconds", Help: "How long reports stood in public before their text was taken out.",
			Buckets: []float64{.1, .25, .5, 1, 2, 5, 10, 30, 60, 300, 3600, 86400},
		}),
	}
}

// Describe implements prometheus.Collector.
func (s *Stats) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(s, ch) }

// Collect implements prometheus.Collector.
func (s *Stats) Collect(ch chan<- prometheus.Metric) {
	for _, c := range []prometheus.Collector{s.deliveries, s.effects, s.cases, s.findings, s.exposure} {
		c.Collect(ch)
	}
}

func (s *Stats) delivery(outcome string) { s.deliveries.WithLabelValues(outcome).Inc() }
func (s *Stats) found(what string)       { s.findings.WithLabelValues(what).Inc() }
func (s *Stats) exposed(d time.Duration) { s.exposure.Observe(d.Seconds()) }

func (s *Stats) opened(k disclosure.Kind) { s.cases.WithLabelValues(string(k)).Inc() }

func (s *Stats) effect(a disclosure.Action, outcome string) {
	s.effects.WithLabelValues(string(a), outcome).Inc()
}

package engine

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/heed-app/heed/pkg/disclosure"
	"github.com/heed-app/heed/pkg/hub"
	"github.com/heed-app/heed/pkg/promise"
	"github.com/heed-app/heed/pkg/store"
)

// How old a gauge may be. Whoever scrapes often, or with many, costs no more than who scrapes once.
const (
	gaugeAge  = 5 * time.Second // what waits: five indexed reads
	censusAge = time.Minute     // what takes longer
)

// gaugeLimit ends the reads of a scrape: it must not wait for a database in trouble.
const gaugeLimit = 5 * time.Second

// censusPortion is how many open cases are read at most in a censusAge. The promises of a case are
// inside its sealed body, at some 0.15 ms each: all of 100,000 in one scrape would take 15 s. So they are
// counted in portions, and a count is published when the last one is done: within a minute up to so
// many open cases, after 20 minutes with 100,000.
const censusPortion = 5000

// Gauges say how things stand, when somebody asks. What cannot be read is left out: a missing gauge
// is seen, a zero is believed.
type Gauges struct {
	store *store.Store
	hub   *hub.Hub
	now   func() time.Time
	log   *slog.Logger
	descs gaugeDescs

	mu      sync.Mutex
	waiting cached[store.Waiting]
	aside   cached[store.Aside]
	disk    cached[store.Disk]
	counted time.Time // when the last portion was
	count   census    // under way
	last    *census   // the last one that came to its end
}

// census counts the open cases and their promises.
type census struct {
	after    int64 // the last case that was counted
	cases    map[disclosure.State]int
	promises map[promise.Kind]map[standing]int
}

// cached is what was read, or that it could not be.
type cached[T any] struct {
	at    time.Time
	value *T
}

type gaugeDescs struct{ depth, oldest, cases, promises, budget, shut, size, free, room *prometheus.Desc }

// Gauges returns how things stand with this engine.
func (e *Engine) Gauges() *Gauges {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(namespace+"_"+name, help, labels, nil)
	}
	return &Gauges{
		store: e.Store, hub: e.Hub, now: e.Now, log: e.Log,
		descs: gaugeDescs{
			depth:    desc("queue_depth", "What waits, and what was laid aside.", "what"),
			oldest:   desc("queue_oldest_seconds", "How long the first of them has waited.", "what"),
			cases:    desc("open_cases", "Cases of which something is owed.", "state"),
			promises: desc("promises", "Promises of open cases.", "promise", "state"),
			budget:   desc("rate_budget", "Calls that are left, in the installation that has the least.", "budget"),
			shut:     desc("installations_shut", "Installations that may not call GitHub now.", "reason"),
			size:     desc("database_bytes", "Size of the embedded database."),
			free:     desc("disk_free_bytes", "Room that is left on the disk of the embedded database."),
			room:     desc("disk_size_bytes", "Size of the disk of the embedded database."),
		},
	}
}

// Describe implements prometheus.Collector.
func (g *Gauges) Describe(ch chan<- *prometheus.Desc) {
	d := g.descs
	for _, x := range []*prometheus.Desc{d.depth, d.oldest, d.cases, d.promises, d.budget, d.shut, d.size, d.free, d.room} {
		ch <- x
	}
}

// Collect implements prometheus.Collector.
func (g *Gauges) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), gaugeLimit)
	defer cancel()
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	line := func(what string, l store.Line) {
		gauge(g.descs.depth, float64(l.Depth), what)
		age := time.Duration(0)
		if !l.Oldest.IsZero() {
			age = max(0, now.Sub(l.Oldest))
		}
		gauge(g.descs.oldest, age.Seconds(), what)
	}
	if w := refresh(ctx, g, &g.waiting, gaugeAge, func() (store.Waiting, error) { return g.store.Waiting(ctx, now) }); w != nil {
		line("deliveries", w.Deliveries)
		line("urgent-effects", w.Urgent)
		line("effects", w.Effects)
		line("due-cases", w.Due)
	}
	if a := refresh(ctx, g, &g.aside, censusAge, func() (store.Aside, error) { return g.store.Aside(ctx) }); a != nil {
		line("parked-deliveries", a.Deliveries)
		line("parked-effects", a.Effects)
		line("held-effects", a.Withheld)
	}
	if d := refresh(ctx, g, &g.disk, gaugeAge, g.store.Disk); d != nil && d.Size > 0 {
		gauge(g.descs.size, float64(d.Used))
		gauge(g.descs.free, float64(d.Free))
		gauge(g.descs.room, float64(d.Size))
	}
	g.collectCensus(ctx, gauge)
	g.collectBudget(gauge)
}

// refresh reads again what is too old. It returns nil when that fails.
func refresh[T any](ctx context.Context, g *Gauges, c *cached[T], age time.Duration, read func() (T, error)) *T {
	now := g.now()
	if !c.at.IsZero() && now.Sub(c.at) < age {
		return c.value
	}
	c.at, c.value = now, nil
	v, err := read()
	if err != nil {
		g.log.WarnContext(ctx, "a gauge cannot be read", "err", err)
		return nil
	}
	c.value = &v
	return c.value
}

func (g *Gauges) collectCensus(ctx context.Context, gauge func(*prometheus.Desc, float64, ...string)) {
	if now := g.now(); g.counted.IsZero() || now.Sub(g.counted) >= censusAge {
		g.counted = now
		if err := g.takeCensus(ctx, now); err != nil {
			g.count, g.last = census{}, nil
			g.log.WarnContext(ctx, "open cases cannot be counted", "err", err)
		}
	}
	if g.last == nil {
		return
	}
	for _, s := range []disclosure.State{disclosure.Received, disclosure.Accepted} {
		gauge(g.descs.cases, float64(g.last.cases[s]), string(s))
	}
	for _, p := range []promise.Kind{promise.Acknowledge, promise.Decide, promise.Update, promise.Fix} {
		for _, s := range standings() {
			gauge(g.descs.promises, float64(g.last.promises[p][s]), string(p), string(s))
		}
	}
}

// takeCensus counts one portion.
func (g *Gauges) takeCensus(ctx context.Context, now time.Time) error {
	c := &g.count
	if c.cases == nil {
		c.cases, c.promises = map[disclosure.State]int{}, map[promise.Kind]map[standing]int{}
	}
	cs, err := g.store.OpenCases(ctx, c.after, censusPortion)
	if err != nil && !errors.Is(err, store.ErrKey) {
		return err
	}
	for _, x := range cs {
		c.after = x.ID
		if x.Kind == "" { // it cannot be read
			continue
		}
		c.cases[x.State]++
		for _, k := range x.Clocks {
			if c.promises[k.Rule.Kind] == nil {
				c.promises[k.Rule.Kind] = map[standing]int{}
			}
			c.promises[k.Rule.Kind][stands(k, now)]++
		}
	}
	if len(cs) < censusPortion {
		done := *c
		g.count, g.last = census{}, &done
	}
	return nil
}

func (g *Gauges) collectBudget(gauge func(*prometheus.Desc, float64, ...string)) {
	b := g.hub.Budget()
	for name, left := range map[string]int{"points-minute": b.Points, "creations-minute": b.Creations, "creations-hour": b.Hourly, "github-core": b.Core, "github-graphql": b.GraphQL} {
		if left >= 0 { // GitHub has said so
			gauge(g.descs.budget, float64(left), name)
		}
	}
	gauge(g.descs.shut, float64(b.Limited), "limited")
	gauge(g.descs.shut, float64(b.Suspended), "suspended")
}

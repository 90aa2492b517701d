package main

import (
	"sync"
	"time"
)

// clock is the demo's time. It runs as many times as fast as the wall's, up to a moment at which it
// waits. It never goes back.
type clock struct {
	mu     sync.Mutex
	from   time.Time // the demo's time …
	since  time.Time // … at this moment of ours
	factor float64
	limit  time.Time // it waits here; zero: nowhere
}

func newClock(start time.Time) *clock {
	return &clock{from: start, since: time.Now(), factor: 1}
}

// Now is the demo's time.
func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now(time.Now())
}

func (c *clock) now(ours time.Time) time.Time {
	t := c.from.Add(time.Duration(float64(ours.Sub(c.since)) * c.factor))
	if !c.limit.IsZero() && t.After(c.limit) {
		return c.limit
	}
	return t
}

// Run changes how fast the clock runs and where it waits.
func (c *clock) Run(factor float64, limit time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	ours := time.Now()
	c.from, c.since, c.factor = c.now(ours), ours, factor
	if limit.Before(c.from) && !limit.IsZero() {
		limit = c.from
	}
	c.limit = limit
}

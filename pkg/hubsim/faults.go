package hubsim

import (
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// Fault is what goes wrong with one call. Any value of 100 or more is an HTTP
// status, answered without effect.
type Fault int

// The faults that a sweep plays.
const (
	None             Fault = iota
	Lost                   // not applied, answered 502
	LandedUnanswered       // applied, then the connection breaks
	Refused                // not applied, answered 403
)

// SetFault replaces [Sim.Fault] while calls are under way; nil ends it.
func (s *Sim) SetFault(f func(r *http.Request, write bool, n int) Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Fault = f
}

// Writes counts the writing calls so far, failed ones included.
func (s *Sim) Writes() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.writes
}

// Outage makes every call answer 502 until then.
func (s *Sim) Outage(until time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.outage = until
}

type ban struct {
	kind  string
	until time.Time
}

// RateLimit bans an installation until then (0: the App's own JWT calls).
// kind is
//
//	primary    403, x-ratelimit-remaining: 0, x-ratelimit-reset
//	secondary  403 with Retry-After in seconds
//	429        429 with Retry-After
//	bare       403 for the secondary limit without Retry-After
//
// https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
func (s *Sim) RateLimit(installation int64, kind string, until time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bans[installation] = ban{kind: kind, until: until}
}

// BanCalls counts the calls made during bans.
func (s *Sim) BanCalls() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.banCalls
}

// usage counts one installation's calls against GitHub's limits.
type usage struct {
	hour    time.Time // start of the primary window
	used    int
	points  []spent // REST, last minute
	graph   []spent // GraphQL, last minute
	content []time.Time
}

type spent struct {
	at time.Time
	n  int
}

const (
	pointsPerMinute  = 900  // REST: a read costs 1, a write 5
	graphPerMinute   = 2000 // GraphQL: a query costs 1, a mutation 5
	contentPerMinute = 80
	contentPerHour   = 500
	maxConcurrent    = 100
)

// caller is the installation that pays; 0 for the App itself and strangers.
func (c *call) caller() int64 {
	if c.tok == nil {
		return 0
	}
	return c.tok.inst.id
}

// usage opens a new primary window when the old hour is over.
func (c *call) usage() *usage {
	u := c.Sim.usage[c.caller()]
	if u == nil {
		u = &usage{}
		c.Sim.usage[c.caller()] = u
	}
	if now := c.now(); now.Sub(u.hour) >= time.Hour {
		u.hour, u.used = now, 0
	}
	return u
}

// limit is the hourly allowance: 5,000, and 50 more per repository if there
// are more than 20, up to 12,500.
func (c *call) limit() int {
	if c.tok == nil {
		return 5000
	}
	n := 0
	for _, r := range c.repos {
		if r.owner == c.tok.inst.owner {
			n++
		}
	}
	if n <= 20 {
		return 5000
	}
	return min(12500, 5000+50*n)
}

const secondaryMessage = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again. " +
	"If you reach out to GitHub Support for help, please include the request ID."

// secondary is the limit on pace. Sometimes GitHub says how long to wait (wait
// above zero), sometimes not.
func (c *call) secondary(status int, wait time.Duration) {
	if wait > 0 {
		c.header.Set("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second)))
	}
	c.fail(status, secondaryMessage)
	// Clients tell the limits apart by where this link points.
	if o, ok := c.out.(obj); ok {
		o["documentation_url"] = "https://docs.github.com/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits"
	}
}

// primary is the hourly limit spent: the reset header says until when.
func (c *call) primary(reset time.Time) {
	c.header.Set("X-RateLimit-Remaining", "0")
	c.header.Set("X-RateLimit-Reset", strconv.FormatInt(reset.Unix(), 10))
	msg := fmt.Sprintf("API rate limit exceeded for installation ID %d.", c.caller())
	if c.rt.path == "/graphql" { // GraphQL says it with 200
		c.reply(200, obj{"errors": []any{obj{"type": "RATE_LIMITED", "message": msg}}})
		return
	}
	c.fail(403, msg)
}

// banned answers for a ban. Every call during one is counted, as GitHub may
// lock out an App that goes on knocking.
func (c *call) banned() bool {
	b, ok := c.bans[c.caller()]
	if !ok || c.tok == nil && !c.jwt || !c.now().Before(b.until) {
		return false
	}
	c.banCalls++
	wait := b.until.Sub(c.now())
	switch b.kind {
	case "primary":
		c.primary(b.until)
	case "429":
		c.secondary(429, wait)
	case "bare":
		c.secondary(403, 0)
	default:
		c.secondary(403, wait)
	}
	return true
}

// tooFast is the law and the limit at once: Heed has to stay below GitHub's
// secondary limits by itself, so reaching one is a violation too.
func (c *call) tooFast(flying int64) bool {
	u, now := c.usage(), c.now()
	if c.tok == nil && !c.jwt {
		return false
	}
	if flying > maxConcurrent {
		c.violate("limits: %d requests at the same time, more than %d", flying, maxConcurrent)
		c.secondary(403, time.Minute)
		return true
	}
	cost := 1
	if c.writes() {
		cost = 5
	}
	book, most := &u.points, pointsPerMinute
	if c.rt.path == "/graphql" {
		book, most = &u.graph, graphPerMinute
	}
	total := 0
	*book = keep(*book, func(p spent) bool { return now.Sub(p.at) < time.Minute })
	for _, p := range *book {
		total += p.n
	}
	if total+cost > most {
		c.violate("limits: more than %d points in a minute at %s", most, c.rt.name())
		c.secondary(403, time.Minute)
		return true
	}
	if c.rt.content {
		u.content = keep(u.content, func(t time.Time) bool { return now.Sub(t) < time.Hour })
		minute := 0
		for _, t := range u.content {
			if now.Sub(t) < time.Minute {
				minute++
			}
		}
		if minute >= contentPerMinute || len(u.content) >= contentPerHour {
			c.violate("limits: more than %d content-creating requests in a minute or %d in an hour", contentPerMinute, contentPerHour)
			c.secondary(403, time.Minute)
			return true
		}
		u.content = append(u.content, now)
	}
	*book = append(*book, spent{now, cost})
	if c.rt.path == "/rate_limit" {
		return false
	}
	if u.used >= c.limit() {
		c.primary(u.hour.Add(time.Hour))
		return true
	}
	u.used++
	return false
}

// giveBack returns what a 304 did not cost.
func (c *call) giveBack() {
	if u := c.usage(); u.used > 0 {
		u.used--
	}
}

// rateHeaders are on every answer; a ban has set its own already.
func (c *call) rateHeaders() {
	u, h := c.usage(), c.header
	set := func(k, v string) {
		if h.Get(k) == "" {
			h.Set(k, v)
		}
	}
	limit := c.limit()
	set("X-RateLimit-Limit", strconv.Itoa(limit))
	set("X-RateLimit-Remaining", strconv.Itoa(max(0, limit-u.used)))
	set("X-RateLimit-Used", strconv.Itoa(u.used))
	set("X-RateLimit-Reset", strconv.FormatInt(u.hour.Add(time.Hour).Unix(), 10))
	resource := "core"
	if c.rt != nil && c.rt.path == "/graphql" {
		resource = "graphql"
	}
	set("X-RateLimit-Resource", resource)
}

func keep[T any](all []T, ok func(T) bool) []T {
	out := all[:0]
	for _, x := range all {
		if ok(x) {
			out = append(out, x)
		}
	}
	return out
}

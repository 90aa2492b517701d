package hub

import (
	"net/http"
	"strconv"
	"sync"
	"time"
)

// Budget is how many calls are left: of each kind the least over all installations, for the one that
// has the least is the one that waits.
type Budget struct {
	Points, Creations, Hourly int // of our own, which end before GitHub's secondary limits do
	Core, GraphQL             int // of GitHub's hour, as it says with every answer; -1: it said nothing yet
	Limited, Suspended        int // installations, the App itself among them, that may not call now
}

// Budget says how many calls are left.
func (h *Hub) Budget() Budget {
	now := h.config.Now()
	b := Budget{Points: mostPoints, Creations: mostCreations, Hourly: mostHourly, Core: h.meter.left(core, now), GraphQL: h.meter.left(graphQL, now)}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, g := range h.gates {
		points, creations, hourly, shut := g.room(now)
		b.Points, b.Creations, b.Hourly = min(b.Points, points), min(b.Creations, creations), min(b.Hourly, hourly)
		switch shut {
		case Limited:
			b.Limited++
		case Suspended:
			b.Suspended++
		default: // it is open
		}
	}
	return b
}

// room is what may still pass, never less than 0, and why nobody passes.
func (g *gate) room(now time.Time) (points, creations, hourly int, shut TroubleKind) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut != nil && now.Before(g.shut.Until) {
		shut = g.shut.Kind
	}
	free := func(w *window, most int) int {
		sum, _ := w.used(now)
		return max(0, most-sum)
	}
	return free(&g.points, mostPoints), free(&g.creations, mostCreations), free(&g.hourly, mostHourly), shut
}

// The resources of GitHub's primary limit that we use.
const (
	core    = "core"
	graphQL = "graphql"
)

// meter reads from every answer how many calls GitHub still allows.
type meter struct {
	next http.RoundTripper
	now  func() time.Time

	mu    sync.Mutex
	hours map[hour]int // calls that are left
}

// hour is one hour of the primary limit. Every installation has its own, which began with a call of
// its own: the end of the hour tells them apart well enough, without knowing whose a call was.
type hour struct {
	resource string
	end      int64 // seconds since 1970
}

// RoundTrip implements http.RoundTripper.
func (m *meter) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := m.next.RoundTrip(r)
	if err == nil {
		m.read(res.Header)
	}
	return res, err
}

func (m *meter) read(h http.Header) {
	resource := h.Get("X-RateLimit-Resource")
	left, err := strconv.Atoi(h.Get("X-RateLimit-Remaining"))
	if err != nil || resource != core && resource != graphQL {
		return
	}
	end, err := strconv.ParseInt(h.Get("X-RateLimit-Reset"), 10, 64)
	if err != nil || end <= m.now().Unix() {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if known, ok := m.hours[hour{resource, end}]; !ok || left < known { // answers overtake each other
		m.hours[hour{resource, end}] = left
	}
}

// left is the least of the hours that are not over; -1 when there is none.
func (m *meter) left(resource string, now time.Time) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	least := -1
	for k, left := range m.hours {
		switch {
		case k.end <= now.Unix():
			delete(m.hours, k)
		case k.resource == resource && (least < 0 || left < least):
			least = left
		}
	}
	return least
}

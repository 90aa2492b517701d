package hub

import (
	"net/http"
	"strconv"
	"time"
)

// Budget is how many calls are left: of each kind the least over all installations, for the one that
// has the least is the one that waits.
type Budget struct {
	Points, Creations, Hourly int // of our own, which end before GitHub's secondary limits do
	Core, GraphQL             int // of GitHub's hour, as it says with every answer; -1: it said nothing yet
	Limited, Suspended        int // installations, the App itself among them, that may not call now
}

// Budget says how many calls are left to this process.
func (h *Hub) Budget() Budget {
	now := h.config.Now()
	all := allowances(int(h.share.Load()))
	b := Budget{Points: all.points, Creations: all.creations, Hourly: all.hourly, Core: -1, GraphQL: -1}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, g := range h.gates {
		g.least(now, &b)
	}
	return b
}

// least lowers a budget to what may still pass here.
func (g *gate) least(now time.Time, b *Budget) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut != nil && now.Before(g.shut.Until) {
		switch g.shut.Kind {
		case Limited:
			b.Limited++
		case Suspended:
			b.Suspended++
		default: // it is open again soon
		}
	}
	free := func(w *window, most int) int {
		sum, _ := w.used(now)
		return max(0, most-sum)
	}
	all := allowances(g.share())
	b.Points, b.Creations, b.Hourly = min(b.Points, free(&g.points, all.points)), min(b.Creations, free(&g.creations, all.creations)), min(b.Hourly, free(&g.hourly, all.hourly))
	for resource, least := range map[string]*int{core: &b.Core, graphQL: &b.GraphQL} {
		if h, ok := g.hours[resource]; ok && now.Before(h.end) && (*least < 0 || h.left < *least) {
			*least = h.left
		}
	}
}

// The resources of GitHub's primary limit that we use.
const (
	core    = "core"
	graphQL = "graphql"
)

// hour is one hour of the primary limit. Every installation has its own.
type hour struct {
	left int // calls
	end  time.Time
}

// left takes from an answer what is left of the hourly limit.
func (g *gate) left(h http.Header) {
	resource := h.Get("X-RateLimit-Resource")
	if resource == "" {
		resource = core
	}
	left, err1 := strconv.Atoi(h.Get("X-RateLimit-Remaining"))
	reset, err2 := strconv.ParseInt(h.Get("X-RateLimit-Reset"), 10, 64)
	if err1 != nil || err2 != nil || resource != core && resource != graphQL {
		return
	}
	limit, unknown := strconv.Atoi(h.Get("X-RateLimit-Limit"))
	end := time.Unix(reset, 0)
	g.mu.Lock()
	defer g.mu.Unlock()
	if known := g.hours[resource]; known.end.Equal(end) {
		left = min(left, known.left) // answers overtake each other
	}
	g.hours[resource] = hour{left, end}
	if resource != core || unknown != nil {
		return
	}
	g.scarce = time.Time{}
	if left < limit/keptOfHour {
		g.scarce = end
	}
}

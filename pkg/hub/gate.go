package hub

import (
	"context"
	"errors"
	"sync"
	"time"
)

// callKind decides how a call is counted.
type callKind int

const (
	reading  callKind = iota
	writing           // changes something
	creating          // writes content that people are notified of
	urgent            // shortens exposure: may use what is kept free for it
	loading           // a policy: up to four reads
	watching          // compares GitHub with what we know: yields to all others
)

func (k callKind) String() string {
	return [...]string{reading: "read", watching: "watch", loading: "load", writing: "write", creating: "create", urgent: "urgent"}[k]
}

// GitHub's secondary limits, each kept at a distance. Source: facts/github.md section 5, "80
// content-creating requests a minute, 500 an hour, 900 points a minute, 100 concurrent".
const (
	mostConcurrent = 2 // with the one below: at most 3 calls run into a new ban
	mostUrgent     = 1 // besides, and only for what shortens an exposure
	mostCreations  = 60
	mostHourly     = 450
	mostPoints     = 700
	keptFree       = 100 // points that only urgent calls may use
	keptForActing  = 200 // points that watching leaves to the others
	keptOfHour     = 10  // watching leaves a tenth of the hourly limit
)

// A gate is where all calls of one installation pass. While GitHub limits the installation nobody
// passes; the budget below the secondary limits is kept by design.
type gate struct {
	slots, urgent chan struct{}

	mu        sync.Mutex
	shut      *Trouble        // until when, and why
	blind     int             // bans in a row of which GitHub did not tell the end
	heard     time.Time       // when other processes were last asked
	hours     map[string]hour // GitHub's, by resource
	scarce    time.Time       // until then the hourly limit is nearly used up
	creations window
	hourly    window
	points    window
	share     func() int                                       // how many processes share what is allowed
	listen    func(context.Context) (until time.Time, ok bool) // asks the other processes for a ban; nil: there are none
}

func newGate(share func() int) *gate {
	return &gate{share: share, hours: map[string]hour{}, slots: make(chan struct{}, mostConcurrent), urgent: make(chan struct{}, mostUrgent), creations: window{unit: 1}, hourly: window{unit: 60}, points: window{unit: 1}}
}

// enter waits for a place. The error is a Trouble that says when to come again.
func (g *gate) enter(ctx context.Context, now time.Time, k callKind) (leave func(), err error) {
	express := g.urgent
	if k != urgent {
		express = nil // never ready
	}
	select {
	case g.slots <- struct{}{}:
		leave = func() { <-g.slots }
	case express <- struct{}{}:
		leave = func() { <-g.urgent }
	case <-ctx.Done():
		return nil, &Trouble{Kind: Again, Err: ctx.Err()}
	}
	g.hear(ctx, now)
	g.mu.Lock()
	defer g.mu.Unlock()
	if t := g.refusal(now, k); t != nil {
		leave()
		return nil, t
	}
	g.points.add(now, map[callKind]int{reading: 1, watching: 1, loading: 4, writing: 5, creating: 5, urgent: 5}[k])
	if k == creating {
		g.creations.add(now, 1)
		g.hourly.add(now, 1)
	}
	return leave, nil
}

// allowance is what one process of several may use.
type allowance struct{ points, free, acting, creations, hourly int }

func allowances(processes int) allowance {
	n := max(1, processes)
	return allowance{mostPoints / n, keptFree / n, keptForActing / n, max(1, mostCreations/n), max(1, mostHourly/n)}
}

func (g *gate) refusal(now time.Time, k callKind) *Trouble {
	if g.shut != nil && now.Before(g.shut.Until) {
		return &Trouble{Kind: g.shut.Kind, Until: g.shut.Until, Err: g.shut.Err}
	}
	g.shut = nil
	all := allowances(g.share())
	allowed := all.points
	if k == urgent {
		allowed += all.free
	}
	if k == watching {
		allowed -= all.acting
		if now.Before(g.scarce) {
			return &Trouble{Kind: Limited, Until: g.scarce, Err: errScarce}
		}
	}
	if at := g.points.freeAt(now, allowed); !at.IsZero() {
		return &Trouble{Kind: Limited, Until: at, Err: errBudget}
	}
	if k == creating {
		if at := g.creations.freeAt(now, all.creations); !at.IsZero() {
			return &Trouble{Kind: Limited, Until: at, Err: errBudget}
		}
		if at := g.hourly.freeAt(now, all.hourly); !at.IsZero() {
			return &Trouble{Kind: Limited, Until: at, Err: errBudget}
		}
	}
	return nil
}

// hearing is how often other processes are asked for bans, at most.
const hearing = time.Second

// hear shuts the gate until a time that another process learnt from GitHub, or this one before it was
// started anew.
func (g *gate) hear(ctx context.Context, now time.Time) {
	g.mu.Lock()
	silent := g.listen == nil || !g.heard.IsZero() && (g.share() < 2 || now.Before(g.heard.Add(hearing)))
	if !silent {
		g.heard = now
	}
	g.mu.Unlock()
	if silent {
		return
	}
	until, ok := g.listen(ctx)
	g.mu.Lock()
	defer g.mu.Unlock()
	if ok && until.After(now) && (g.shut == nil || until.After(g.shut.Until)) {
		g.shut = &Trouble{Kind: Limited, Until: until, Err: errHeard}
	}
}

var (
	errHeard  = errors.New("GitHub's rate limit, as another process met it")
	errBudget = errors.New("our own budget for this minute is used up")
	errScarce = errors.New("what is left of the hour is kept for acting")
)

// learn shuts the gate when GitHub asked for it. t is nil when all went well. Where GitHub does not
// say for how long, each time in a row is twice as long as the one before. Source: GitHub's
// documentation, "wait for at least one minute … exponentially increasing".
func (g *gate) learn(t *Trouble, now time.Time) (shut bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if t == nil || t.Kind != Limited && t.Status != 0 {
		g.blind = 0 // GitHub answers
	}
	if t == nil || t.Kind != Limited && t.Kind != Suspended {
		return false
	}
	if g.shut != nil && now.Before(g.shut.Until) { // another call ran into the same ban
		if t.Until.Before(g.shut.Until) {
			t.Until = g.shut.Until
		}
	} else if t.blind {
		t.Until = now.Add(waitLimited << min(g.blind, mostDoublings))
		g.blind++
	}
	g.shut = t
	return true
}

// mostDoublings makes the longest blind wait some half an hour.
const mostDoublings = 5

// A window counts what happened in the last 60 units of so many seconds, and in the one that has
// begun: a call at the end of a second is less than a minute ago when sixty more have begun.
type window struct {
	unit  int64
	slot  [windowSlots]int64
	count [windowSlots]int
}

const windowSlots = 61

func (w *window) add(now time.Time, n int) {
	s := now.Unix() / w.unit
	if i := s % windowSlots; w.slot[i] != s {
		w.slot[i], w.count[i] = s, n
	} else {
		w.count[i] += n
	}
}

// used is how many were counted, and in which unit the first of them.
func (w *window) used(now time.Time) (sum int, oldest int64) {
	current := now.Unix() / w.unit
	oldest = current
	for i, s := range w.slot {
		if current-s < windowSlots && w.count[i] > 0 {
			sum += w.count[i]
			oldest = min(oldest, s)
		}
	}
	return sum, oldest
}

// freeAt is zero while fewer than most were counted, else when to come again.
func (w *window) freeAt(now time.Time, most int) time.Time {
	sum, oldest := w.used(now)
	if sum < most {
		return time.Time{}
	}
	return time.Unix((oldest+windowSlots)*w.unit, 0)
}

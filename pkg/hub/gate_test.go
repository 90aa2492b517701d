package hub

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Whatever is called in whatever order, GitHub's secondary limits are never reached, in no minute
// and no hour wherever it begins; and what shortens an exposure is let through as long as it alone
// stays below them.
func TestTheBudgetHoldsWhateverIsCalled(t *testing.T) {
	t.Parallel()
	cost := map[callKind]int{reading: 1, watching: 1, loading: 4, writing: 5, creating: 5, urgent: 5}
	rapid.Check(t, func(t *rapid.T) {
		g, now := newGate(one), start
		type call struct {
			at time.Time
			k  callKind
		}
		var passed []call
		for range rapid.IntRange(1, 60).Draw(t, "bursts") {
			now = now.Add(time.Duration(rapid.Int64Range(0, int64(40*time.Second)).Draw(t, "pause")))
			k := rapid.SampledFrom([]callKind{reading, watching, loading, writing, creating, urgent}).Draw(t, "kind")
			for range rapid.IntRange(1, 200).Draw(t, "calls") {
				leave, err := g.enter(t.Context(), now, k)
				if err == nil {
					leave()
					passed = append(passed, call{now, k})
				} else if x := As(err); !x.Until.After(now) || x.Until.After(now.Add(62*time.Minute)) {
					t.Fatalf("come again at %s, now is %s", x.Until, now)
				}
			}
		}
		for i, first := range passed {
			points, creations, hourly := 0, 0, 0
			for _, c := range passed[i:] {
				minute := c.at.Before(first.at.Add(time.Minute))
				if minute {
					points += cost[c.k]
				}
				if c.k == creating && minute {
					creations++
				}
				if c.k == creating && c.at.Before(first.at.Add(time.Hour)) {
					hourly++
				}
			}
			if points > 900 || creations > 80 || hourly > 500 {
				t.Fatalf("from %s on: %d points and %d creations in a minute, %d in an hour", first.at, points, creations, hourly)
			}
		}
	})
}

// A minute may begin anywhere, not only with a second.
func TestTheBudgetAcrossTheSecond(t *testing.T) {
	t.Parallel()
	g, n := newGate(one), 0
	for _, at := range []time.Duration{999 * time.Millisecond, 60 * time.Second} {
		for range 100 {
			if _, ok := pass(t, g, start.Add(at), creating); ok {
				n++
			}
		}
	}
	if n > 80 {
		t.Errorf("%d creations within a minute", n)
	}
}

// Bans of every kind, of any length: at most three calls run into one whose end GitHub tells. Of the
// others the n-th call comes after twice the time of the one before.
func TestCallsIntoABan(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind string
		long time.Duration
		most int
	}{
		{"primary", 50 * time.Minute, 1},
		{"secondary", 50 * time.Minute, 1},
		{"429", 50 * time.Minute, 1},
		{"bare", 3 * time.Minute, 2},
		{"bare", 30 * time.Minute, 5},
	} {
		t.Run(c.kind+" "+c.long.String(), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.sim.RateLimit(w.inst, c.kind, start.Add(c.long))
			for w.now = start; w.now.Before(start.Add(c.long)); w.now = w.now.Add(5 * time.Second) {
				_, _ = w.Repo(t.Context(), w.inst, "acme", "web")
			}
			if n := w.sim.BanCalls(); n > c.most {
				t.Errorf("%d calls", n)
			}
			w.now = w.now.Add(time.Hour)
			if _, err := w.Repo(t.Context(), w.inst, "acme", "web"); err != nil {
				t.Errorf("when it is over: %v", err)
			}
		})
	}
}

// bans is where two processes meet.
type bans map[int64]time.Time

func (b bans) Ban(_ context.Context, _ time.Time, inst int64, until time.Time) error {
	b[inst] = until
	return nil
}

func (b bans) Banned(_ context.Context, inst int64) (time.Time, error) { return b[inst], nil }

// One of several processes runs into a ban, and the others hear of it. What one installation may not
// do the others may.
func TestABanIsShared(t *testing.T) {
	t.Parallel()
	w, met := newWorld(t), bans{}
	other := newHub(t, w.sim.PrivateKey(), w.sim.Client().Transport, func() time.Time { return w.now })
	for _, h := range []*Hub{w.Hub, other} {
		h.config.Bans = met
		h.Share(2)
		clear(h.gates) // those that were made without it
	}
	w.sim.RateLimit(w.inst, "secondary", start.Add(50*time.Minute))
	for w.now = start; w.now.Before(start.Add(50 * time.Minute)); w.now = w.now.Add(5 * time.Second) {
		for _, h := range []*Hub{w.Hub, other} {
			if _, err := h.Repo(t.Context(), w.inst, "acme", "web"); err == nil || As(err).Kind != Limited || !As(err).Until.Equal(start.Add(50*time.Minute)) {
				t.Fatalf("at %s: %v", w.now, err)
			}
		}
	}
	again := newHub(t, w.sim.PrivateKey(), w.sim.Client().Transport, func() time.Time { return start.Add(time.Minute) })
	again.config.Bans = met
	clear(again.gates)
	if _, err := again.Repo(t.Context(), w.inst, "acme", "web"); err == nil || As(err).Kind != Limited {
		t.Errorf("after a restart: %v", err)
	}
	if n := w.sim.BanCalls(); n != 1 {
		t.Errorf("%d calls of three processes", n)
	}
	for _, h := range []*Hub{w.Hub, other} {
		if _, err := h.Repo(t.Context(), w.inst, "acme", "web"); err != nil {
			t.Errorf("when it is over: %v", err)
		}
		if _, err := h.App(t.Context()); err != nil {
			t.Errorf("the App itself: %v", err)
		}
	}
}

func TestWatchingYields(t *testing.T) {
	t.Parallel()
	g, n := newGate(one), 0
	for range 1000 {
		if _, ok := pass(t, g, start, watching); ok {
			n++
		}
	}
	if n != mostPoints-keptForActing {
		t.Errorf("%d calls passed that only watch", n)
	}
	for _, k := range []callKind{reading, writing, creating, urgent} {
		if _, ok := pass(t, g, start, k); !ok {
			t.Errorf("kind %d waits for those who watch", k)
		}
	}
	// Most of the hour is used up.
	now, reset := start.Add(2*time.Minute), start.Add(40*time.Minute)
	head := func(left int) http.Header {
		return http.Header{"X-Ratelimit-Limit": {"5000"}, "X-Ratelimit-Remaining": {strconv.Itoa(left)}, "X-Ratelimit-Reset": {strconv.FormatInt(reset.Unix(), 10)}}
	}
	g.left(head(499))
	if until, ok := pass(t, g, now, watching); ok || !until.Equal(reset) {
		t.Errorf("watching uses what is left of the hour: %s", until)
	}
	for _, k := range []callKind{reading, writing, creating, urgent} {
		if _, ok := pass(t, g, now, k); !ok {
			t.Errorf("kind %d is refused although something is left", k)
		}
	}
	if _, ok := pass(t, g, reset, watching); !ok {
		t.Error("a new hour has begun")
	}
	g.left(head(4000)) // an answer that was overtaken
	if _, ok := pass(t, g, now, watching); ok {
		t.Error("an old answer counts")
	}
	reset = reset.Add(time.Hour)
	g.left(head(4000))
	if _, ok := pass(t, g, now, watching); !ok {
		t.Error("there is enough again")
	}
	// One installation's limit is not another's.
	w := newWorld(t)
	w.sim.RateLimit(w.inst, "secondary", start.Add(time.Hour))
	if _, err := w.Repo(t.Context(), w.inst, "acme", "web"); err == nil {
		t.Fatal("no ban")
	}
	w.sim.AddUser("zoe")
	w.sim.AddRepo("zoe", "tool", false)
	other := w.sim.Install("zoe")
	if _, err := w.Repo(t.Context(), other, "zoe", "tool"); err != nil {
		t.Errorf("another installation waits too: %v", err)
	}
	if !slices.Contains(w.asked(0, "GET /repos/{owner}/{repo}"), http.StatusForbidden) {
		t.Error("nobody was refused")
	}
}

// What GitHub allows an installation is for all processes together.
func TestReplicasShareTheBudget(t *testing.T) {
	t.Parallel()
	for _, processes := range []int{1, 2, 3, 7} {
		total := 0
		for range processes {
			g := newGate(func() int { return processes })
			for {
				leave, err := g.enter(t.Context(), start, creating)
				if err != nil {
					break
				}
				leave()
				total++
			}
		}
		if total > mostCreations || total < mostCreations-processes {
			t.Errorf("%d processes create %d times in a minute", processes, total)
		}
	}
}

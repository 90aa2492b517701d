package app_test

import (
	"context"
	"fmt"
	"math"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/heed-app/heed/pkg/app"
	"github.com/heed-app/heed/pkg/hubsim"
	"github.com/heed-app/heed/pkg/store"
)

const livePolicy = "version: 1\nteam: security\ntracker: acme/security-cases\ncoordinators: [mia]\n"

// A leak that no detector can miss.
const (
	leakTitle = "SQL injection in the search field lets anyone read the user table"
	leakBody  = "The parameter q is not escaped. An attacker can read every password hash.\n\nProof of concept:\n\n```\n' union select password from users--\n```\n\nImpact: full disclosure of the database. CVSS 9.8."
)

// live is the whole App with its workers over a simulated GitHub. Its clock runs ten minutes a
// second, so that GitHub's limits per minute do not decide what is measured.
type live struct {
	sim   *hubsim.Sim
	app   *app.App
	url   string
	stop  func()
	edits chan time.Time // when a call that edits an issue of acme/web was sent
}

// RoundTrip implements http.RoundTripper on the way to GitHub.
func (v *live) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodPatch && strings.HasPrefix(r.URL.Path, "/repos/acme/web/issues/") {
		v.edits <- time.Now()
	}
	return v.sim.Client().Transport.RoundTrip(r)
}

func quickly() func() time.Time {
	begin := time.Now()
	return func() time.Time { return begin.Add(600 * time.Since(begin)) }
}

func goLive(tb testing.TB) *live {
	tb.Helper()
	key, err := appKey()
	if err != nil {
		tb.Fatal(err)
	}
	m, err := manifest()
	if err != nil {
		tb.Fatal(err)
	}
	now := quickly()
	w := &world{dir: tb.TempDir()}
	w.sim = hubsim.New(now, hubsim.App{
		ID: 7, Slug: "heed", WebhookSecret: webhookSecret, Permissions: m.Permissions, Events: m.Events, Key: key, AuthNow: time.Now,
	})
	w.people()
	if err := w.sim.PushFile("lea", "acme/web", ".github/disclosure.yml", livePolicy); err != nil {
		tb.Fatal(err)
	}
	w.sim.Pending()
	v := &live{sim: w.sim, edits: make(chan time.Time, 100)}
	ctx, cancel := context.WithCancel(context.Background())
	settings := w.settings()
	settings.SweepEvery = time.Hour
	a, err := app.New(ctx, settings, app.Options{Transport: v, Now: now}, quiet())
	if err != nil {
		tb.Fatal(err)
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx, l) }()
	v.app, v.url = a, "http://"+l.Addr().String()+"/api/github/hook"
	v.stop = func() {
		cancel()
		if err := <-done; err != nil {
			tb.Error(err)
		}
		if err := a.Close(); err != nil {
			tb.Error(err)
		}
	}
	return v
}

// deliver posts what GitHub has to tell.
func (v *live) deliver(tb testing.TB) {
	tb.Helper()
	if err := v.sim.Send(context.Background(), http.DefaultClient, v.url); err != nil {
		tb.Fatal(err)
	}
}

// until waits for something that the simulated GitHub can be asked, and fails when it never comes.
func until(tb testing.TB, what string, is func() bool) {
	tb.Helper()
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-deadline:
			tb.Fatalf("never: %s", what)
		case <-tick.C:
		}
	}
}

func (v *live) blanked(n int) bool {
	i, ok := v.sim.Issue("acme/web", n)
	return ok && !strings.Contains(i.Title+i.Body, "injection")
}

// TestLive runs the whole App with its workers: a leak and a private report go all the way.
func TestLive(t *testing.T) {
	t.Parallel()
	v := goLive(t)
	defer v.stop()
	if _, err := v.sim.OpenIssue("eve", "acme/web", leakTitle, leakBody); err != nil {
		t.Fatal(err)
	}
	ghsa, err := v.sim.Report("rea", "acme/web", "Overflow", "A deadly header.")
	if err != nil {
		t.Fatal(err)
	}
	v.deliver(t)
	until(t, "the leak is out of sight", func() bool { return v.blanked(1) })
	until(t, "the reporter has a receipt", func() bool {
		a, ok := v.sim.AdvisoryOf("acme/web", ghsa)
		return ok && len(a.Comments) == 1
	})
	until(t, "both cases are in the tracker", func() bool { return len(v.sim.Issues("mia", "acme/security-cases")) == 2 })
	if laws := v.sim.Violations(); len(laws) > 0 {
		t.Errorf("laws broken: %s", laws)
	}
}

// TestBudget prints what one report costs in calls to GitHub, and holds it to the house's limits.
func TestBudget(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name                  string
		mostWrites, mostReads int
		act                   func(w *world) error
	}{
		{"a public report", 7, 5, func(w *world) error { _, err := w.sim.OpenIssue("eve", "acme/web", leakTitle, leakBody); return err }},
		{"a private report", 4, 5, func(w *world) error {
			_, err := w.sim.Report("rea", "acme/web", "Overflow", "A deadly header.")
			return err
		}},
		{"an ordinary issue", 0, 0, func(w *world) error {
			_, err := w.sim.OpenIssue("eve", "acme/web", "Build fails", "It does.")
			return err
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w, err := newWorld(t.TempDir(), "", quiet())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = w.powerOff() }()
			if err := w.sim.PushFile("lea", "acme/web", ".github/disclosure.yml", livePolicy); err != nil {
				t.Fatal(err)
			}
			w.sim.Pending() // the policy is not known yet: the first report pays for reading it
			before := len(w.sim.Journal())
			if err := tt.act(w); err != nil {
				t.Fatal(err)
			}
			if err := w.settle(); err != nil {
				t.Fatal(err)
			}
			reads, writes := count(w.sim.Journal()[before:])
			t.Logf("%s: %d writing and %d reading calls", tt.name, writes, reads)
			if writes > tt.mostWrites || reads > tt.mostReads {
				t.Errorf("%d writing and %d reading calls, want at most %d and %d", writes, reads, tt.mostWrites, tt.mostReads)
			}
		})
	}
}

// BenchmarkExposure measures from the webhook to the call that takes a leak out of sight, idle and
// with ordinary deliveries waiting. It prints p50 and p99 in milliseconds.
func BenchmarkExposure(b *testing.B) {
	for _, waiting := range []int{0, 300} {
		b.Run(fmt.Sprintf("%d waiting", waiting), func(b *testing.B) {
			v := goLive(b)
			defer v.stop()
			var took []float64
			for b.Loop() {
				took = append(took, v.exposure(b, waiting))
			}
			slices.Sort(took)
			at := func(p float64) float64 { return took[int(math.Ceil(p*float64(len(took))))-1] }
			b.ReportMetric(at(0.50), "p50-ms")
			b.ReportMetric(at(0.99), "p99-ms")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// exposure opens a leak behind some ordinary issues and returns the milliseconds from its webhook
// to the call that takes it out of sight.
func (v *live) exposure(b *testing.B, waiting int) float64 {
	b.Helper()
	ctx := context.Background()
	for range waiting {
		if _, err := v.sim.OpenIssue("bob", "acme/web", "Build fails", "It fails on my machine with a long log.\n"+strings.Repeat("make: *** [all] error 2\n", 50)); err != nil {
			b.Fatal(err)
		}
	}
	var ds []store.Delivery
	for _, d := range v.sim.Pending() {
		if d.Event == "issues" && d.Action == "opened" {
			ds = append(ds, store.Delivery{GUID: d.GUID, Event: d.Event, Received: d.At, Body: d.Body})
		}
		v.sim.RecordDelivery(d.ID, http.StatusAccepted)
	}
	if _, err := v.sim.OpenIssue("eve", "acme/web", leakTitle, leakBody); err != nil {
		b.Fatal(err)
	}
	if err := v.app.Store.Accept(ctx, v.sim.Sent()[0].At, ds...); err != nil {
		b.Fatal(err)
	}
	sent := time.Now()
	v.deliver(b)
	select {
	case at := <-v.edits:
		return float64(at.Sub(sent).Microseconds()) / 1000
	case <-time.After(20 * time.Second):
		b.Fatal("the leak was never taken out of sight")
		return 0
	}
}

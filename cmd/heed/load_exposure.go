package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/heed-app/heed/pkg/app"
	"github.com/heed-app/heed/pkg/hubsim"
	"github.com/heed-app/heed/pkg/store"
)

// watched is the way to a GitHub in memory. It tells when the text of an issue is replaced.
type watched struct {
	sim   *hubsim.Sim
	edits chan time.Time
}

// RoundTrip implements http.RoundTripper.
func (w watched) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodPatch && strings.Contains(r.URL.Path, "/web/issues/") {
		w.edits <- time.Now()
	}
	return w.sim.Client().Transport.RoundTrip(r)
}

// exposures measures how long a leak stands open after its webhook: while nothing else happens, and
// behind ordinary deliveries that came all at once.
func (l load) exposures(ctx context.Context) error {
	fmt.Fprintf(l.out, "\nFrom the webhook of a leak to the call that takes it out of sight\n%-28s %12s %10s %10s\n", "", "waiting", "p50", "p99")
	for _, postgres := range []bool{false, true} {
		if postgres && l.server == nil {
			continue
		}
		for _, c := range []struct{ waiting, times int }{{0, 100}, {l.waiting, 4 * l.rounds}} {
			took, err := l.exposure(ctx, postgres, c.waiting, c.times)
			if err != nil {
				return err
			}
			slices.Sort(took)
			name := map[bool]string{false: "SQLite", true: "PostgreSQL"}[postgres]
			fmt.Fprintf(l.out, "%-28s %12d %10s %10s\n", name, c.waiting, milliseconds(quantile(took, .5)), milliseconds(quantile(took, .99)))
		}
	}
	return nil
}

func (l load) exposure(ctx context.Context, postgres bool, waiting, times int) (took []time.Duration, err error) {
	st, url, err := l.database(ctx, postgres)
	if err != nil {
		return nil, err
	}
	if err := st.Close(); err != nil {
		return nil, err
	}
	sim := hubsim.New(time.Now, hubsim.App{
		ID: 1, Slug: "heed", WebhookSecret: loadSecret, Permissions: demoPermissions(), Events: demoEvents(), AuthNow: time.Now,
	})
	sim.AddUser("eve")
	for i := range times { // each leak in an organisation of its own: what GitHub allows one of them is not the question
		sim.AddOrg(org(i))
		sim.AddRepo(org(i), "web", false)
		sim.Install(org(i))
	}
	for _, d := range sim.Pending() {
		sim.RecordDelivery(d.ID, http.StatusAccepted)
	}
	w := watched{sim, make(chan time.Time, 16)}
	a, address, stop, err := running(ctx, url, sim, w, time.Now)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, stop()) }()
	hook := "http://" + address + "/api/github/hook"
	for i := range times {
		if err := ordinary(ctx, a, waiting, i); err != nil {
			return nil, err
		}
		t, err := leak(ctx, sim, w, org(i)+"/web", hook)
		if err != nil {
			return nil, err
		}
		took = append(took, t)
		if err := drained(ctx, a); err != nil {
			return nil, err
		}
	}
	return took, nil
}

func org(i int) string { return fmt.Sprintf("acme%d", i) }

// ordinary takes in deliveries that mean nothing, as many as if they had come in a burst.
func ordinary(ctx context.Context, a *app.App, n, round int) error {
	body := fmt.Appendf(nil, `{"action":"opened","installation":{"id":1},"repository":{"id":1,"name":"web","full_name":"acme/web","owner":{"login":"acme"}},"sender":{"login":"rea"},
		"issue":{"number":%d,"title":"Build fails","user":{"login":"rea"},"body":"It fails on my machine with a long log.\n%s"}}`, 100_000+round, strings.Repeat(`make: *** [all] error 2\n`, 50))
	const together = 64 // what one commit takes in under load
	for from := 0; from < n; from += together {
		var ds []store.Delivery
		for i := from; i < min(n, from+together); i++ {
			ds = append(ds, store.Delivery{GUID: fmt.Sprintf("ordinary-%d-%d", round, i), Event: "issues", Received: time.Now(), Body: body})
		}
		if err := a.Store.Accept(ctx, time.Now(), ds...); err != nil {
			return err
		}
	}
	return nil
}

func leak(ctx context.Context, sim *hubsim.Sim, w watched, repo, hook string) (time.Duration, error) {
	_, err := sim.OpenIssue("eve", repo, "SQL injection in the search field lets anyone read the user table",
		"The parameter q is not escaped. An attacker can read every password hash.\n\nProof of concept:\n\n```\n' union select password from users--\n```\n\nImpact: full disclosure of the database. CVSS 9.8.")
	if err != nil {
		return 0, err
	}
	sent := time.Now()
	if err := sim.Send(ctx, http.DefaultClient, hook); err != nil {
		return 0, err
	}
	select {
	case at := <-w.edits:
		return at.Sub(sent), nil
	case <-time.After(time.Minute):
		return 0, errors.New("the leak was never taken out of sight")
	}
}

// drained waits until nothing is left to be thought about.
func drained(ctx context.Context, a *app.App) error {
	for range 6000 {
		next, err := a.Store.NextDue(ctx)
		if err != nil {
			return err
		}
		if next.IsZero() || next.After(time.Now().Add(time.Hour)) {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
	return errors.New("it does not come to rest")
}

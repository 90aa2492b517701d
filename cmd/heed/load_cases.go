package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/heed-app/heed/pkg/app"
	"github.com/heed-app/heed/pkg/disclosure"
	"github.com/heed-app/heed/pkg/hubsim"
	"github.com/heed-app/heed/pkg/policy"
	"github.com/heed-app/heed/pkg/promise"
	"github.com/heed-app/heed/pkg/store"
)

// many measures what open cases cost while hardly anything happens: memory, the look for due
// moments, how late reminders come, and a sweep.
func (l load) many(ctx context.Context) error {
	fmt.Fprintf(l.out, "\n%d open cases\n%-12s %10s %12s %12s %12s %12s %12s %12s\n", l.cases, "", "made in", "look p50", "look p99", "late p50", "late p99", "sweep", "memory")
	for _, postgres := range []bool{false, true} {
		if postgres && l.server == nil {
			continue
		}
		if err := l.manyIn(ctx, postgres); err != nil {
			return err
		}
	}
	return nil
}

// reminders become due one after the other while it is measured, so many a second.
const (
	reminders   = 500
	remindersIn = 10 * time.Second
)

func (l load) manyIn(ctx context.Context, postgres bool) (err error) {
	st, url, err := l.database(ctx, postgres)
	if err != nil {
		return err
	}
	began := time.Now()
	first := began.Add(24 * time.Hour) // far enough: nothing is due while the cases are being made
	err = openCases(ctx, st, l.cases, first)
	took := time.Since(began)
	if err = errors.Join(err, st.Close()); err != nil {
		return err
	}
	shift := time.Until(first) - 3*time.Second
	now := func() time.Time { return time.Now().Add(shift) } // and now it will be, in three seconds
	sim := hubsim.New(now, hubsim.App{ID: 1, Slug: "heed", WebhookSecret: loadSecret, Permissions: demoPermissions(), Events: demoEvents(), AuthNow: time.Now})
	sim.AddOrg("acme")
	sim.AddRepo("acme", "web", false)
	sim.Install("acme")
	a, _, stop, err := running(ctx, url, sim, sim.Client().Transport, now)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	looks, err := look(ctx, a, now)
	if err != nil {
		return err
	}
	late, err := lateness(ctx, a, first, now)
	if err != nil {
		return err
	}
	swept := time.Now()
	if err := a.Engine.Sweep(ctx); err != nil {
		return err
	}
	sweep := time.Since(swept)
	debug.FreeOSMemory()
	name := map[bool]string{false: "SQLite", true: "PostgreSQL"}[postgres]
	fmt.Fprintf(l.out, "%-12s %10s %12s %12s %12s %12s %12s %12s\n", name, took.Round(time.Second), micro(quantile(looks, .5)), micro(quantile(looks, .99)),
		milliseconds(quantile(late, .5)), milliseconds(quantile(late, .99)), milliseconds(sweep), resident())
	return nil
}

func micro(d time.Duration) string { return fmt.Sprintf("%d µs", d.Microseconds()) }

// openCases makes open cases whose first reminder is due at some moment from first on: the first ones one
// after the other, all others days later.
func openCases(ctx context.Context, st *store.Store, n int, first time.Time) error {
	rule := policy.Default().Promises.Rules[0]
	for from := 0; from < n; from += 500 {
		err := st.Write(ctx, time.Now(), func(tx *store.Tx) error {
			for i := from; i < min(n, from+500); i++ {
				due := first.Add(time.Duration(i) * remindersIn / reminders)
				if i >= reminders {
					due = first.Add(48*time.Hour + time.Duration(i)*time.Second)
				}
				id, err := tx.NewCase(ctx)
				if err != nil {
					return err
				}
				clock := promise.Clock{Rule: rule}
				clock.Start = due.Add(-clock.Rung(0).At.Sub(clock.Start))
				c := disclosure.Case{
					ID: id, Installation: 1, Repo: disclosure.Repo{ID: 1, Owner: "acme", Name: "web"}, Kind: disclosure.PrivateReport, State: disclosure.Received,
					Opened: clock.Start, Reporter: "rea", Clocks: []promise.Clock{clock}, Wake: due, GHSA: fmt.Sprintf("GHSA-load-%d", i), AdvisoryState: "published",
					Title: disclosure.Seal("Overflow"), Body: disclosure.Seal(strings.Repeat("A deadly header. ", 60)), Tracker: disclosure.Repo{ID: 2, Owner: "acme", Name: "cases"},
				}
				if err := tx.Save(ctx, c, nil, nil); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// look times the look for due moments, which comes ten times a second.
func look(ctx context.Context, a *app.App, now func() time.Time) (took []time.Duration, err error) {
	for range 1000 {
		began := time.Now()
		if _, err := a.Store.Due(ctx, now().Add(-time.Hour)); err != nil {
			return nil, err
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	return took, nil
}

// lateness waits until all reminders were thought about, and says how late each was.
func lateness(ctx context.Context, a *app.App, first time.Time, now func() time.Time) (late []time.Duration, err error) {
	for id := int64(1); id <= reminders; id++ {
		due := first.Add(time.Duration(id-1) * remindersIn / reminders)
		for {
			lines, err := a.Store.History(ctx, id)
			if err != nil {
				return nil, err
			}
			if len(lines) > 0 {
				late = append(late, lines[0].At.Sub(due))
				break
			}
			if now().Sub(due) > time.Minute {
				return nil, fmt.Errorf("case %d was never reminded of", id)
			}
			select {
			case <-ctx.Done():
				return nil, ctx.Err()
			case <-time.After(5 * time.Millisecond):
			}
		}
	}
	slices.Sort(late)
	return late, nil
}

// resident is the memory of this process, simulated GitHub included, as Linux counts it.
func resident() string {
	text, err := os.ReadFile("/proc/self/status")
	if err == nil {
		for line := range strings.Lines(string(text)) {
			if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
				return strings.TrimSpace(rest)
			}
		}
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return fmt.Sprintf("%d kB", m.Sys>>10)
}

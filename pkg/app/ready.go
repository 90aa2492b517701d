package app

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/heed-app/heed/pkg/dashboard"
	"github.com/heed-app/heed/pkg/hub"
	"github.com/heed-app/heed/pkg/store"
)

// readyAge is how long an answer about GitHub is believed: probes come often, and each would cost
// calls.
const readyAge = 5 * time.Second

// readyLimit is how long a look at GitHub and the database may take.
const readyLimit = 8 * time.Second

// readiness answers GET /readyz: 503 and what is wrong, or 200.
type readiness struct {
	app *App

	mu      sync.Mutex
	at      time.Time
	trouble []string
}

func (r *readiness) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	wrong := r.wrong(req.Context())
	if len(wrong) > 0 {
		w.WriteHeader(http.StatusServiceUnavailable)
		for _, t := range wrong {
			fmt.Fprintln(w, "not ready:", t)
		}
	} else {
		fmt.Fprintln(w, "ready")
	}
	for _, t := range r.app.notes() {
		fmt.Fprintln(w, "note:", t)
	}
}

// notes are what an operator should see to before it keeps the App from its work.
func (a *App) notes() []string {
	out := a.Engine.Troubles()
	if d, err := a.Store.Disk(); err == nil && d.Scarce() {
		out = append(out, fmt.Sprintf("the disk of the database is nearly full: %d MiB of %d are left", d.Free>>20, d.Size>>20))
	}
	return out
}

// wrong lists what keeps the App from doing its work.
func (r *readiness) wrong(ctx context.Context) []string {
	// Whoever hangs up must not decide what others are told, and a database that hangs is told too.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readyLimit)
	defer cancel()
	r.mu.Lock()
	defer r.mu.Unlock()
	if now := r.app.now(); r.at.IsZero() || now.Sub(r.at) > readyAge {
		r.at, r.trouble = now, r.app.askGitHub(ctx)
		switch err := r.app.Store.CheckRoom(ctx, now); {
		case store.IsFull(err):
			r.trouble = append(r.trouble, "the disk of the database is full: deliveries are turned away, and GitHub is asked for them again when there is room")
		case err != nil:
			r.trouble = append(r.trouble, "the database cannot be written: "+err.Error())
		}
	}
	return slices.Clone(r.trouble)
}

func (a *App) askGitHub(ctx context.Context) []string {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if _, err := a.Hub.App(ctx); err != nil {
		if t := hub.As(err); t.Status == http.StatusUnauthorized {
			return []string{"GitHub does not accept the App's credentials"}
		}
		return []string{"GitHub cannot be reached: " + err.Error()}
	}
	installations, err := a.Hub.Installations(ctx)
	if err != nil {
		return []string{"GitHub cannot be reached: " + err.Error()}
	}
	var out []string
	for _, i := range installations {
		if i.Suspended {
			continue // its work waits; nothing is wrong with the App
		}
		for _, p := range missing(i.Permissions) {
			out = append(out, fmt.Sprintf("the installation on %s lacks the permission %s", i.Account, p))
		}
	}
	return out
}

// needed are the permissions of app.yml. Metadata comes with every App.
func needed() map[string]string {
	return map[string]string{"repository_advisories": "write", "issues": "write", "contents": "read", "members": "read"}
}

func missing(granted map[string]string) []string {
	var out []string
	for name, level := range needed() {
		has := granted[name]
		if has != level && !(level == "read" && has == "write") {
			out = append(out, name+": "+level)
		}
	}
	slices.Sort(out)
	return out
}

// closedDesk is the dashboard of `heed serve`: without a login nobody may see a case.
type closedDesk struct{ *App }

// Desk implements dashboard.Source.
func (d closedDesk) Desk(ctx context.Context) (dashboard.Desk, error) {
	return dashboard.Desk{Closed: true, Troubles: append(d.ready.wrong(ctx), d.notes()...)}, nil
}

// openDesk is the dashboard of `heed demo`, where everything is made up.
type openDesk struct{ *App }

// Desk implements dashboard.Source.
func (d openDesk) Desk(ctx context.Context) (dashboard.Desk, error) {
	cases, err := d.Store.Cases(ctx, true)
	if err != nil {
		return dashboard.Desk{}, err
	}
	out := dashboard.Desk{MadeUp: true, Troubles: append(d.ready.wrong(ctx), d.notes()...)}
	for _, c := range cases {
		row := dashboard.Case{Case: c}
		if row.Lines, err = d.Store.History(ctx, c.ID); err != nil {
			return out, err
		}
		records, err := d.Store.Records(ctx, c.ID)
		if err != nil {
			return out, err
		}
		for _, r := range records {
			row.Effects = append(row.Effects, dashboard.Effect{Key: r.Key, Action: string(r.Action), Audience: string(r.Audience), State: r.State, Reason: r.Reason, Attempts: r.Attempts, Decided: r.Decided, Finished: r.Finished})
		}
		out.Cases = append(out.Cases, row)
	}
	return out, nil
}
